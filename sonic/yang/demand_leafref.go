package yang

import (
	"fmt"
	"strings"

	"github.com/switchlet/switchlet/sonic/yang/datatype"
	"github.com/switchlet/switchlet/sonic/yang/xpath"
)

// leafRef checks the values of leafrefs and of unions with leafrefs in them.
// libyang takes defaults as they are.
func (c *Checker) leafRef(r *constraint, place int32) []Violation {
	var out []Violation
	for _, x := range c.written(r.at, place) {
		value := c.text(x)
		resolve := func(t *datatype.Type, value string) (string, *datatype.Error) { return c.resolve(x, t, value) }
		if _, err := r.at.typ.Check(value, true, resolve); err != nil {
			out = append(out, c.violation(x, ruleOf(err.Fault), err.Text))
		}
	}
	return out
}

// resolve checks the value of a leafref.
func (c *Checker) resolve(x xpath.Node, t *datatype.Type, value string) (string, *datatype.Error) {
	ref := t.Ref.(*reference)
	canonical, fault := t.Target.Check(value, true, func(*datatype.Type, string) (string, *datatype.Error) { return value, nil })
	if fault != nil || !ref.required {
		return canonical, fault
	}
	yes, err := c.eval.Equals(ref.path, x, canonical)
	if err != nil || !yes {
		return "", &datatype.Error{Fault: datatype.NoTarget, Text: fmt.Sprintf("there is no %q in %s", value, destination(ref.path.String()))}
	}
	return canonical, nil
}

// destination is a path for people: /a:sonic-vlan/a:VLAN/a:VLAN_LIST/a:name is VLAN name.
func destination(path string) string {
	var names []string
	for _, step := range strings.Split(path, "/") {
		name, _, _ := strings.Cut(local(step), "[")
		if name != "" && name != ".." && !strings.HasPrefix(name, "sonic-") && !strings.Contains(name, "_LIST") && !strings.HasSuffix(name, "]") {
			names = append(names, name)
		}
	}
	return strings.Join(names, " ")
}
