package yang

import (
	"github.com/openconfig/goyang/pkg/yang"

	"github.com/switchlet/switchlet/sonic/yang/datatype"
)

// identities finds, for each identity, those that are derived from it.
func (c *compiler) identities() {
	c.bases = map[string][]datatype.Name{}
	for _, m := range c.library.order {
		for _, s := range m.body.SubStatements() {
			if s.Keyword != "identity" {
				continue
			}
			above := c.above(m, s, 0)
			for _, base := range above {
				c.bases[base] = append(c.bases[base], datatype.Name{Name: c.text(s.Argument), Bases: above})
			}
		}
	}
}

// above are the identities that an identity is derived from, by whatever way.
func (c *compiler) above(m *module, identity *yang.Statement, depth int) []string {
	var out []string
	for _, s := range identity.SubStatements() {
		if s.Keyword != "base" || depth > maxTypes {
			continue
		}
		out = append(out, c.text(local(s.Argument)))
		at := &scope{module: m, body: m.body}
		if base, where := at.find("identity", s.Argument); base != nil {
			out = append(out, c.above(where.module, base, depth+1)...)
		}
	}
	return out
}
