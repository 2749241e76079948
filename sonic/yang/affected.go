package yang

// affected is what has to be looked at again.
type affected struct {
	units map[unit]struct{}
	all   map[[2]int32]struct{} // constraints of which all rows are in units
}

func newAffected() *affected {
	return &affected{units: map[unit]struct{}{}, all: map[[2]int32]struct{}{}}
}

func (a *affected) add(u unit) { a.units[u] = struct{}{} }

// whole adds all that is demanded of a row.
func (a *affected) whole(n *node, place int32) {
	a.add(unit{n.id, place, fieldsOnly})
	for _, r := range n.constraints {
		a.add(unit{n.id, place, r.id})
	}
}

// affect notes what a row as it is now has an influence on: itself, and what
// looks at it.
func (c *Checker) affect(s *shelf, place int32, a *affected) {
	a.whole(s.node, place)
	for _, d := range c.schema.readers[s.node.id] {
		c.affectReader(d, &s.rows[place], a)
	}
}

// affectReader notes what looks at a row by one dependency.
func (c *Checker) affectReader(d *dep, r *row, a *affected) {
	owner := d.constraint.at.row
	if owner == nil || d.constraint.at.kind == listKind && (d.constraint.kind == MinElements || d.constraint.kind == MaxElements) {
		a.add(unit{constraint: d.constraint.id})
		return
	}
	shelf := c.shelves[owner.id]
	if d.constraint.kind == DuplicateKey && shelf.odd == 0 {
		return
	}
	if d.leaf != nil {
		value, ok := r.value(d.leaf)
		if !ok || d.like == nil && value != d.is {
			return
		}
		if d.like != nil {
			for place := range shelf.index(d.like).each(value) {
				a.add(unit{owner.id, place, d.constraint.id})
			}
			return
		}
	}
	every := [2]int32{owner.id, d.constraint.id}
	if _, done := a.all[every]; done {
		return
	}
	a.all[every] = struct{}{}
	for place := range shelf.places {
		a.add(unit{owner.id, place, d.constraint.id})
	}
}
