package yang

import (
	"fmt"
	"slices"

	"github.com/switchlet/switchlet/sonic"
	"github.com/switchlet/switchlet/sonic/yang/xpath"
)

// elements counts the rows of a table, the entries of a map or the values of a
// leaf-list.
func (c *Checker) elements(r *constraint, place int32) []Violation {
	n, count, x := r.at, 0, xpath.Node{}
	var others []sonic.Key
	if n.kind == listKind {
		x.Schema = n.parent.id
		for at := range c.shelves[n.id].live {
			count++
			others = append(others, c.keyOf(xpath.Node{Schema: n.id, Row: at}))
		}
		slices.SortFunc(others, sonic.Key.Compare)
	} else {
		x = xpath.Node{Schema: n.row.id, Row: place}
		count = len(c.instances(n, place))
	}
	if r.kind == MinElements && (count >= n.min || !c.allowed(n, xpath.Node{Schema: n.id, Row: place})) {
		return nil
	}
	if r.kind == MaxElements && count <= n.max {
		return nil
	}
	limit := fmt.Sprintf("%d are too few: %d are needed", count, n.min)
	if r.kind == MaxElements {
		limit = fmt.Sprintf("%d are too many: there may be %d", count, n.max)
	}
	v := c.violation(x, r.kind, limit)
	if n.kind != listKind {
		v.Field = n.name
	}
	v.Others = slices.Clone(others[:min(len(others), maxOthers)])
	return []Violation{v}
}
