// Package xsd makes Go's regular expressions of those of XML Schema, which YANG's
// patterns are written in (RFC 7950, section 9.4.5; XML Schema Part 2, appendix F).
package xsd

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
)

// Pattern is a regular expression that a whole text has to match.
type Pattern struct {
	source string // as written in the model
	text   string // as Go understands it
}

// Parse reads a pattern. It is not compiled yet: most of the patterns of a box
// are for tables that the box does not use.
func Parse(source string) (*Pattern, error) {
	text, err := translate(source)
	if err == nil {
		_, err = syntax.Parse(text, syntax.Perl)
	}
	if err != nil {
		return nil, fmt.Errorf("pattern %q: %w", source, err)
	}
	return &Pattern{source: source, text: text}, nil
}

// String is the pattern as it was written.
func (p *Pattern) String() string { return p.source }

// Compile makes a pattern ready for use.
func (p *Pattern) Compile() (*regexp.Regexp, error) { return regexp.Compile(p.text) }

// translate writes a pattern as Go has it. What differs: a pattern matches whole
// texts, ^ and $ are characters like others, and some escapes have other names.
func translate(source string) (string, error) {
	t := &translator{rest: source}
	t.out.WriteString(`\A(?:`)
	for t.rest != "" {
		if err := t.atom(); err != nil {
			return "", err
		}
	}
	t.out.WriteString(`)\z`)
	return t.out.String(), nil
}

type translator struct {
	rest    string
	out     strings.Builder
	inClass bool
}

func (t *translator) take(n int) string {
	s := t.rest[:n]
	t.rest = t.rest[n:]
	return s
}

func (t *translator) atom() error {
	c := t.rest[0]
	switch {
	case c == '\\':
		return t.escape()
	case t.inClass && strings.HasPrefix(t.rest, "-["):
		return fmt.Errorf("what a class is to be without cannot be said in Go")
	case t.inClass:
		if c == '[' {
			t.out.WriteByte('\\') // else Go may take it for the start of [:alpha:]
		}
		t.inClass = c != ']'
	case c == '[':
		t.inClass = true
		n := 1
		if strings.HasPrefix(t.rest, "[^") {
			n = 2
		}
		t.out.WriteString(t.take(n))
		return nil
	case c == '^' || c == '$':
		t.out.WriteByte('\\')
	}
	t.out.WriteString(t.take(1))
	return nil
}

// escape translates what starts with a backslash.
func (t *translator) escape() error {
	if len(t.rest) < 2 {
		return fmt.Errorf("ends in a backslash")
	}
	switch c := t.rest[1]; c {
	case 'i', 'I', 'c', 'C':
		return t.nameClass(c)
	case 'p', 'P':
		return t.category()
	case '/', ':', '@', '#', ',', ';', '=', '!', '%', '&', '<', '>', '"', '\'', '~', '`', '_', ' ':
		t.take(1) // harmless in XML Schema, unknown to Go
	}
	n := min(len(t.rest), 2)
	if t.rest[0] != '\\' {
		n = 1
	}
	t.out.WriteString(t.take(n))
	return nil
}

// nameClass translates \i and \c, the characters that XML names start with and
// consist of, for ASCII, which YANG's names are made of.
func (t *translator) nameClass(c byte) error {
	if t.inClass && (c == 'I' || c == 'C') {
		return fmt.Errorf(`\%c inside a class cannot be said in Go`, c)
	}
	set := `_:A-Za-z`
	if c == 'c' || c == 'C' {
		set += `\-.0-9`
	}
	switch {
	case t.inClass:
		t.out.WriteString(set)
	case c == 'I' || c == 'C':
		t.out.WriteString("[^" + set + "]")
	default:
		t.out.WriteString("[" + set + "]")
	}
	t.take(2)
	return nil
}

// category translates \p{…}: Go knows the categories of Unicode, and of the
// blocks the one that models use.
func (t *translator) category() error {
	size := strings.IndexByte(t.rest, '}')
	if size < 0 {
		if len(t.rest) < 3 {
			return fmt.Errorf("%q names no category", t.rest)
		}
		size = 2
	}
	category := t.take(size + 1)
	if !strings.HasPrefix(category[2:], "{Is") {
		t.out.WriteString(category)
		return nil
	}
	if category[1:] != "p{IsBasicLatin}" {
		return fmt.Errorf("the block %s is not supported", category)
	}
	set := `\x00-\x7F`
	if !t.inClass {
		set = "[" + set + "]"
	}
	t.out.WriteString(set)
	return nil
}
