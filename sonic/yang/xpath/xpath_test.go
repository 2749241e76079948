package xpath_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/switchlet/switchlet/sonic/yang/xpath"
)

// tree is a tree for tests, written as indented lines of names and values. A
// node's Schema is its line.
type tree struct {
	names, texts []string
	parents      []int32
	indexed      bool // AppendWhere is supported
}

func newTree(text string, indexed bool) *tree {
	t := &tree{names: []string{""}, texts: []string{""}, parents: []int32{-1}, indexed: indexed}
	path := []int32{0}
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		words := strings.TrimLeft(line, "\t")
		depth := len(line) - len(words)
		if words == "" {
			continue
		}
		name, value, _ := strings.Cut(words, " ")
		path = append(path[:depth+1], int32(len(t.names)))
		t.names, t.texts, t.parents = append(t.names, name), append(t.texts, value), append(t.parents, path[depth])
	}
	return t
}

func (t *tree) Root() xpath.Node                { return xpath.Node{} }
func (t *tree) Text(n xpath.Node) string        { return t.texts[n.Schema] }
func (t *tree) Name(n xpath.Node) string        { return t.names[n.Schema] }
func (t *tree) Before(a, b xpath.Node) bool     { return a.Schema < b.Schema }
func (t *tree) Enum(n xpath.Node) (int64, bool) { return int64(len(t.Text(n))), t.Text(n) != "" }
func (t *tree) Derived(n xpath.Node, identity string, self bool) bool {
	return strings.HasPrefix(t.Text(n), identity) && (self || t.Text(n) != identity)
}

func (t *tree) Parent(n xpath.Node) (xpath.Node, bool) {
	p := t.parents[n.Schema]
	return xpath.Node{Schema: max(p, 0)}, p >= 0
}

func (t *tree) AppendChildren(list []xpath.Node, n xpath.Node, name string) []xpath.Node {
	for i := range t.names {
		if t.parents[i] == n.Schema && (name == "*" || t.names[i] == name) {
			list = append(list, xpath.Node{Schema: int32(i)})
		}
	}
	return list
}

func (t *tree) AppendWhere(list []xpath.Node, n xpath.Node, name, leaf, value string) ([]xpath.Node, bool) {
	if !t.indexed {
		return list, false
	}
	for _, c := range t.AppendChildren(nil, n, name) {
		for _, l := range t.AppendChildren(nil, c, leaf) {
			if t.Text(l) == value {
				list = append(list, c)
				break
			}
		}
	}
	return list, true
}

func (t *tree) AppendTargets(list []xpath.Node, n xpath.Node) []xpath.Node {
	for i := range t.names {
		if t.names[i] == "name" && t.texts[i] == t.Text(n) {
			list = append(list, xpath.Node{Schema: int32(i)})
		}
	}
	return list
}

// find is the node at a path of names, each with a colon for each one to skip: VLAN/VLAN_LIST:/vlanid.
func (t *tree) find(path string) xpath.Node {
	n := t.Root()
	for _, step := range strings.Split(path, "/") {
		name := strings.TrimRight(step, ":")
		n = t.AppendChildren(nil, n, name)[len(step)-len(name)]
	}
	return n
}

// A few VLANs and their members, and a list of numbers. A colon after a name in
// find means the second one.
const vlans = `
top
	VLAN
		VLAN_LIST
			name Vlan10
			vlanid 10
		VLAN_LIST
			name Vlan20
			vlanid 20
	MEMBER
		MEMBER_LIST
			name Vlan10
			port Ethernet0
			mode untagged
		MEMBER_LIST
			name Vlan20
			port Ethernet0
			mode tagged
		MEMBER_LIST
			name Vlan20
			port Ethernet4
			mode untagged
	NUMBER 3
	NUMBER 1
	NUMBER 2
`

func TestExpressions(t *testing.T) {
	const vlan20, member = "top/VLAN/VLAN_LIST:/vlanid", "top/MEMBER/MEMBER_LIST"
	for _, test := range []struct{ at, expr, want string }{
		// Literals, operators and their strength.
		{vlan20, `1 + 2 * 3`, "7"},
		{vlan20, `(1 + 2) * 3`, "9"},
		{vlan20, `7 - 2 - 1`, "4"},
		{vlan20, `-2 + 3`, "1"},
		{vlan20, `- - 2`, "2"},
		{vlan20, `7 div 2`, "3.5"},
		{vlan20, `7 mod 4`, "3"},
		{vlan20, `1 div 0`, "Infinity"},
		{vlan20, `0 div 0`, "NaN"},
		{vlan20, `.5 + 1.`, "1.5"},
		{vlan20, `1 = 1 and 2 != 3 or false()`, "true"},
		{vlan20, `1 < 2 = true()`, "true"},
		{vlan20, `'a' = "a"`, "true"},
		{vlan20, `'10' < '9'`, "false"},
		{vlan20, `'x' < 1`, "false"},
		// Paths.
		{vlan20, `.`, "20"},
		{vlan20, `../name`, "Vlan20"},
		{vlan20, `../../VLAN_LIST/vlanid`, "10"},
		{vlan20, `count(../../VLAN_LIST)`, "2"},
		{vlan20, `count(../../*)`, "2"},
		{vlan20, `count(/p:top/p:MEMBER/p:MEMBER_LIST)`, "3"},
		{vlan20, `count(/)`, "1"},
		{vlan20, `count(//name)`, "5"},
		{vlan20, `count(/top//port)`, "3"},
		{vlan20, `count(ancestor::*)`, "4"},
		{vlan20, `count(ancestor-or-self::node())`, "5"},
		{vlan20, `name(parent::VLAN_LIST)`, "VLAN_LIST"},
		{vlan20, `count(parent::MEMBER_LIST)`, "0"},
		{vlan20, `preceding-sibling::*`, "Vlan20"},
		{vlan20, `count(following::port)`, "3"},
		{vlan20, `count(preceding::name)`, "2"},
		{vlan20, `count(../following-sibling::VLAN_LIST)`, "0"},
		{vlan20, `count(descendant::node())`, "0"},
		{vlan20, `count(../@*)`, "0"},
		{vlan20, `count(nothing/at/all)`, "0"},
		{vlan20, `current()/../name`, "Vlan20"},
		{vlan20, `count(../name | ../vlanid | ../name)`, "2"},
		// Predicates.
		{vlan20, `/top/VLAN/VLAN_LIST[name='Vlan10']/vlanid`, "10"},
		{vlan20, `/top/VLAN/VLAN_LIST['Vlan10'=name]/vlanid`, "10"},
		{vlan20, `/top/VLAN/VLAN_LIST[vlanid > 15]/name`, "Vlan20"},
		{vlan20, `/top/VLAN/VLAN_LIST[2]/name`, "Vlan20"},
		{vlan20, `/top/VLAN/VLAN_LIST[last()]/name`, "Vlan20"},
		{vlan20, `/top/VLAN/VLAN_LIST[position()=1]/name`, "Vlan10"},
		{vlan20, `count(/top/MEMBER/MEMBER_LIST[name=current()/../name])`, "2"},
		{vlan20, `count(/top/MEMBER/MEMBER_LIST[name=current()/../name and mode='untagged'])`, "1"},
		{vlan20, `count(/top/MEMBER/MEMBER_LIST[mode='untagged' and name=current()/../name and port])`, "1"},
		{vlan20, `count(/top/MEMBER/MEMBER_LIST[name=current()/../name][mode='untagged'])`, "1"},
		{vlan20, `count(/top/MEMBER/MEMBER_LIST[name=concat('Vlan', current())])`, "2"},
		{vlan20, `count(/top/MEMBER/MEMBER_LIST[name=/top/VLAN/VLAN_LIST/name])`, "3"},
		{vlan20, `count(/top/MEMBER/MEMBER_LIST[name=current()/nothing])`, "0"},
		{vlan20, `../name[.='Vlan20' or .='Vlan30']`, "Vlan20"},
		{vlan20, `count(../name[text()='Vlan20'])`, "1"},
		{vlan20, `(//name)[1]`, "Vlan10"},
		{vlan20, `ancestor::*[1]`, ""},
		{vlan20, `name(ancestor::*[1])`, "VLAN_LIST"},
		// Comparison with sets of nodes.
		{vlan20, `. = /top/VLAN/VLAN_LIST/vlanid`, "true"},
		{vlan20, `/top/VLAN/VLAN_LIST/vlanid = .`, "true"},
		{vlan20, `. != /top/VLAN/VLAN_LIST/vlanid`, "true"},
		{vlan20, `not(. = /top/VLAN/VLAN_LIST[name='Vlan10']/vlanid)`, "true"},
		{vlan20, `'Vlan30' = /top/VLAN/VLAN_LIST/name`, "false"},
		{vlan20, `. > /top/VLAN/VLAN_LIST/vlanid`, "true"},
		{vlan20, `. >= 20`, "true"},
		{vlan20, `. = /top/VLAN/VLAN_LIST[1]/vlanid`, "false"},
		{vlan20, `. = /top/VLAN/VLAN_LIST[last()]/vlanid`, "true"},
		{vlan20, `nothing = nothing`, "false"},
		{vlan20, `nothing != 'a'`, "false"},
		{vlan20, `nothing = false()`, "true"},
		{vlan20, `/top/MEMBER/MEMBER_LIST/name = /top/VLAN/VLAN_LIST/name`, "true"},
		{member, `count(../MEMBER_LIST[port=current()/port and mode='untagged']) <= 1`, "true"},
		// Functions.
		{vlan20, `substring-after(../name, 'Vlan') = current()`, "true"},
		{vlan20, `substring-before('a.b.c', '.')`, "a"},
		{vlan20, `substring-before('abc', '.')`, ""},
		{vlan20, `substring('12345', 2, 3)`, "234"},
		{vlan20, `substring('12345', 1.5, 2.6)`, "234"},
		{vlan20, `substring('12345', 0)`, "12345"},
		{vlan20, `string-length('é')`, "1"},
		{vlan20, `string-length()`, "2"},
		{vlan20, `normalize-space('  a  b ')`, "a b"},
		{vlan20, `translate('bar', 'abc', 'AB')`, "BAr"},
		{vlan20, `starts-with(../name, 'Vl')`, "true"},
		{vlan20, `contains(../name, 'x')`, "false"},
		{vlan20, `boolean(../name) and not(boolean(../mtu))`, "true"},
		{vlan20, `sum(/top/NUMBER)`, "6"},
		{vlan20, `number('12a')`, "NaN"},
		{vlan20, `number() + 1`, "21"},
		{vlan20, `floor(-1.5) + ceiling(1.2) + round(2.5)`, "3"},
		{vlan20, `string(1 = 1)`, "true"},
		{vlan20, `local-name(..)`, "VLAN_LIST"},
		{vlan20, `name(nothing)`, ""},
		// YANG's own.
		{vlan20, `re-match(../name, 'Vlan[0-9]+')`, "true"},
		{vlan20, `re-match(../name, 'Vlan')`, "false"},
		{vlan20, `re-match(../name, concat('Vlan', '\d*'))`, "true"},
		{member, `deref(name)/../vlanid`, "10"},
		{vlan20, `enum-value(../name)`, "6"},
		{vlan20, `enum-value(nothing)`, "NaN"},
		{vlan20, `bit-is-set(../name, 'Vlan20')`, "true"},
		{vlan20, `derived-from(../name, 'Vlan')`, "true"},
		{vlan20, `derived-from(../name, 'Vlan20')`, "false"},
		{vlan20, `derived-from-or-self(../name, 'Vlan20')`, "true"},
		// Names that are operators elsewhere.
		{vlan20, `count(or | and | div | mod)`, "0"},
		{vlan20, `. * 2 div 4`, "10"},
		{vlan20, `count(*) * count(../*)`, "0"},
		{vlan20, `text`, ""},
	} {
		t.Run(test.expr, func(t *testing.T) {
			x, err := xpath.Parse(test.expr)
			if err != nil {
				t.Fatal(err)
			}
			for _, indexed := range []bool{false, true} {
				tree := newTree(vlans, indexed)
				got, err := xpath.NewEvaluator(tree).Text(x, tree.find(test.at))
				if err != nil || got != test.want {
					t.Errorf("with index: %v: %q, %v, want %q", indexed, got, err, test.want)
				}
			}
		})
	}
}

func TestParseErrors(t *testing.T) {
	for _, test := range []struct{ expr, want string }{
		{``, `at byte 0: expected a name, *, . or ..`},
		{`1 +`, `at byte 3: expected a name, *, . or ..`},
		{`(1`, `at byte 2: expected )`},
		{`a[1`, `at byte 3: expected ]`},
		{`'a`, `at byte 0: a string without its end`},
		{`a b`, `at byte 2: expected an operator or the end`},
		{`f(1)`, `at byte 0: there is no function f()`},
		{`count()`, `at byte 0: count() takes 1 to 1 arguments, not 0`},
		{`re-match(., '(')`, "pattern \"(\": error parsing regexp: missing closing ): `\\A(?:()\\z`"},
		{`sideways::a`, `at byte 0: there is no axis "sideways"`},
		{`a$b`, `at byte 1: unexpected '$'`},
		{`p:1`, `at byte 0: no name after "p:"`},
		{`1.2.3`, `at byte 0: "1.2.3" is no number`},
		{strings.Repeat("(", 100) + "1" + strings.Repeat(")", 100), `at byte 64: nested deeper than 64`},
	} {
		want := "parse XPath " + quote(test.expr) + ": " + test.want
		if _, err := xpath.Parse(test.expr); err == nil || err.Error() != want {
			t.Errorf("Parse(%q): %v\nwant %s", test.expr, err, want)
		}
	}
}

func quote(s string) string { return `"` + strings.ReplaceAll(s, `"`, `\"`) + `"` }

func TestEvaluationErrors(t *testing.T) {
	tree := newTree(vlans, true)
	for _, test := range []struct{ expr, want string }{
		{`count('a')`, `evaluate XPath "count('a')": count() is for a set of nodes`},
		{`'a' | name`, `evaluate XPath "'a' | name": | is for sets of nodes`},
		{`('a')/name`, `evaluate XPath "('a')/name": what stands before / is no set of nodes`},
	} {
		x, err := xpath.Parse(test.expr)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := xpath.NewEvaluator(tree).Bool(x, tree.Root()); err == nil || err.Error() != test.want {
			t.Errorf("%s: %v, want %s", test.expr, err, test.want)
		}
	}
}

// An expression that would look at more and more nodes is given up.
func TestWorkIsBounded(t *testing.T) {
	tree := newTree("a\n"+strings.Repeat("\tb\n", 60), false)
	x, err := xpath.Parse(`count(//b[count(//b[count(//b[count(//b) > 0]) > 0]) > 0])`)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := xpath.NewEvaluator(tree).Text(x, tree.Root()); !errors.Is(err, xpath.ErrWork) {
		t.Errorf("error is %v, want %v", err, xpath.ErrWork)
	}
}

// Trace tells which nodes took part: those that were selected in the end, not
// those on the way there or in predicates.
func TestTrace(t *testing.T) {
	for _, indexed := range []bool{false, true} {
		tree := newTree(vlans, indexed)
		x, err := xpath.Parse(`count(/top/MEMBER/MEMBER_LIST[port=current()/port and mode='untagged']/name) > 0`)
		if err != nil {
			t.Fatal(err)
		}
		var seen []string
		ev := xpath.NewEvaluator(tree)
		ev.Trace(func(n xpath.Node) { seen = append(seen, tree.Name(n)+" "+tree.Text(n)) })
		if yes, err := ev.Bool(x, tree.find("top/MEMBER/MEMBER_LIST")); !yes || err != nil {
			t.Errorf("%v, %v, want true", yes, err)
		}
		if diff := cmp.Diff([]string{"name Vlan10"}, seen); diff != "" {
			t.Errorf("with index: %v: seen (-want +got):\n%s", indexed, diff)
		}
	}
}

// Any text is an expression or an error, and an expression can be evaluated, to
// the same value whether the tree has indexes or not.
func FuzzExpression(f *testing.F) {
	for _, seed := range []string{
		`count(../../VLAN_LIST[name=current()/../name and vlanid='10']) <= 1`, `//name[position() > 1]/following::*`,
		`re-match(., '[0-9]+') or -1 div 0 mod 2`, `current()/.. | /top/VLAN/*[last()]`, `. = /top/VLAN/VLAN_LIST[name='Vlan10']/vlanid`,
	} {
		f.Add(seed)
	}
	plain, indexed := newTree(vlans, false), newTree(vlans, true)
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 200 {
			return
		}
		x, err := xpath.Parse(text)
		if err != nil {
			return
		}
		at := plain.find("top/VLAN/VLAN_LIST:/vlanid")
		want, err := xpath.NewEvaluator(plain).Text(x, at)
		if err != nil {
			return
		}
		if got, err := xpath.NewEvaluator(indexed).Text(x, at); err != nil || got != want {
			t.Errorf("%s: %q, with index %q, %v", text, want, got, err)
		}
	})
}
