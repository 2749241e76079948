package xsd_test

import (
	"testing"

	"github.com/switchlet/switchlet/sonic/yang/xsd"
)

func TestPattern(t *testing.T) {
	for _, test := range []struct {
		name, pattern string
		yes, no       []string
	}{
		{"the whole text", `Vlan[0-9]+`, []string{"Vlan10"}, []string{"xVlan10", "Vlan10x", "Vlan", "Vlan10\n"}},
		{"alternatives as a whole", `on|off`, []string{"on", "off"}, []string{"onoff", "onx", "xoff"}},
		{"^ and $ are characters", `^a$`, []string{"^a$"}, []string{"a"}},
		{"a class that is negated", `[^#, ]*`, []string{"", "a^b"}, []string{"a,b"}},
		{"a bracket in a class", `[a[]+`, []string{"[a"}, []string{"]"}},
		{"escapes that Go lacks", `a\-b\/c\:d\_e`, []string{"a-b/c:d_e"}, []string{"a-b/c:d"}},
		{"digits and words", `\w+\.\d{1,3}`, []string{"Ethernet0.10"}, []string{"Ethernet0.", ".1"}},
		{"categories of Unicode", `[\p{N}\p{L}]+`, []string{"é1"}, []string{"-"}},
		{"a block", `\p{IsBasicLatin}+[\p{IsBasicLatin}]`, []string{"ab"}, []string{"é"}},
		{"name characters", `\i\c*`, []string{"_a-1.b", "a:b"}, []string{"1a"}},
		{"no name characters", `\I\C`, []string{"1+"}, []string{"a+", "11"}},
		{"name characters in a class", `[\i#][\c#]*`, []string{"#a-", "a#"}, []string{"-"}},
		{"nothing", ``, []string{""}, []string{"a"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			p, err := xsd.Parse(test.pattern)
			if err != nil {
				t.Fatal(err)
			}
			re, err := p.Compile()
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range test.yes {
				if !re.MatchString(s) {
					t.Errorf("%q does not match %q", s, test.pattern)
				}
			}
			for _, s := range test.no {
				if re.MatchString(s) {
					t.Errorf("%q matches %q", s, test.pattern)
				}
			}
		})
	}
}

func TestPatternErrors(t *testing.T) {
	for _, test := range []struct{ pattern, want string }{
		{`a\`, `pattern "a\\": ends in a backslash`},
		{`(a`, "pattern \"(a\": error parsing regexp: missing closing ): `\\A(?:(a)\\z`"},
		{`[a-z-[aeiou]]`, `pattern "[a-z-[aeiou]]": what a class is to be without cannot be said in Go`},
		{`\p{IsGreek}`, `pattern "\\p{IsGreek}": the block \p{IsGreek} is not supported`},
		{`[\I]`, `pattern "[\\I]": \I inside a class cannot be said in Go`},
		{`\p`, `pattern "\\p": "\\p" names no category`},
	} {
		if _, err := xsd.Parse(test.pattern); err == nil || err.Error() != test.want {
			t.Errorf("Parse(%q): %v, want %s", test.pattern, err, test.want)
		}
	}
}

// What Parse takes, Compile takes as well.
func FuzzParse(f *testing.F) {
	f.Add(`[\p{N}\p{L}]+|\i\c*[^a-z]{1,3}`)
	f.Add(`\p{IsBasicLatin}^$[[a]`)
	f.Fuzz(func(t *testing.T, text string) {
		p, err := xsd.Parse(text)
		if err != nil {
			return
		}
		if _, err := p.Compile(); err != nil {
			t.Errorf("Compile(%q): %v", text, err)
		}
	})
}
