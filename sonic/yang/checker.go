package yang

import (
	"maps"
	"slices"

	"github.com/switchlet/switchlet/sonic"
	"github.com/switchlet/switchlet/sonic/yang/xpath"
)

// Change is what a row is to be.
type Change struct {
	Key    sonic.Key
	Fields sonic.Fields // all that the row has then
	Gone   bool         // it is to be deleted
}

// Checker knows the rows of a box and what is wrong with them. It is not safe for
// use by several goroutines.
//
// It keeps the rows' names and fields, which share their memory with the
// database that it was made of, and indexes of some eight bytes a row each.
type Checker struct {
	*tree
	eval   *xpath.Evaluator
	found  map[unit][]Violation
	strays map[sonic.Key]Violation // rows that the models have no place for
	others map[string]int          // rows of tables that the models do not know
	memo   map[memoKey]bool
}

// unit is what is looked at as a whole: one constraint for one row.
type unit struct {
	row        int32 // id of the row node
	place      int32
	constraint int32 // or fieldsOnly
}

// fieldsOnly stands for what is demanded of the fields of a row without looking
// at anything else.
const fieldsOnly int32 = -1

// memoKey names an outcome that all rows with that value share.
type memoKey struct {
	constraint int32
	value      string
}

// NewChecker checks the rows of a box.
func NewChecker(schema *Schema, rows sonic.DB) *Checker {
	t := newTree(schema)
	c := &Checker{
		tree: t, eval: xpath.NewEvaluator(view{t}), found: map[unit][]Violation{},
		strays: map[sonic.Key]Violation{}, others: map[string]int{},
	}
	for key, fields := range rows {
		c.put(Change{Key: key, Fields: fields})
	}
	c.memo = map[memoKey]bool{}
	for _, n := range schema.nodes {
		c.lookAll(n)
	}
	c.memo = nil
	return c
}

// lookAll looks at all that is demanded of the rows of a row node, or of what is
// above rows.
func (c *Checker) lookAll(n *node) {
	if !n.isRow() {
		for _, r := range n.constraints {
			c.note(unit{constraint: r.id})
		}
		return
	}
	for place := range c.shelves[n.id].places {
		c.note(unit{n.id, place, fieldsOnly})
		for _, r := range n.constraints {
			c.note(unit{n.id, place, r.id})
		}
	}
}

// note looks at a unit and keeps what is wrong.
func (c *Checker) note(u unit) {
	if list := c.lookAt(u); len(list) > 0 {
		c.found[u] = list
	}
}

// places are those of the rows that are looked at: those that are there, and the
// one with a fixed name even if it is not, because its defaults are.
func (s *shelf) places(yield func(int32) bool) {
	if s.node.kind == fixedKind {
		yield(0)
		return
	}
	s.live(yield)
}

// Violations are all that there are, in the order of rows, fields and rules.
func (c *Checker) Violations() []Violation {
	var out []Violation
	for _, list := range c.found {
		out = append(out, list...)
	}
	for _, v := range c.strays {
		out = append(out, v)
	}
	return sorted(out)
}

// Unmodelled are the tables with rows that the models do not know. SONiC's
// validator leaves them out.
func (c *Checker) Unmodelled() []string { return slices.Sorted(maps.Keys(c.others)) }

// Check returns what would be wrong if the changes were made: with the changed
// rows, and with others that are right as long as they are not made.
func (c *Checker) Check(changes []Change) []Violation {
	result, undo := c.try(changes)
	for _, u := range slices.Backward(undo) {
		c.restore(u)
	}
	return result.violations()
}

// Commit makes the changes, and returns what Check does.
func (c *Checker) Commit(changes []Change) []Violation {
	result, _ := c.try(changes)
	for u := range result.before {
		delete(c.found, u)
	}
	for u, list := range result.after {
		if len(list) > 0 {
			c.found[u] = list
		} else {
			delete(c.found, u)
		}
	}
	return result.violations()
}

// outcome is what changes lead to.
type outcome struct {
	changed map[sonic.Key]struct{}
	before  map[unit][]Violation // of rows that are not there any more
	after   map[unit][]Violation
	old     func(unit) []Violation
	strays  []Violation
}

// violations are those of changed rows and those that were not there before.
func (o outcome) violations() []Violation {
	out := slices.Clone(o.strays)
	for u, list := range o.after {
		old := o.old(u)
		for _, v := range list {
			_, changed := o.changed[v.Key]
			if changed || !slices.ContainsFunc(old, func(was Violation) bool { return was.compare(v) == 0 }) {
				out = append(out, v)
			}
		}
	}
	return sorted(out)
}

// try makes the changes and looks at what they affect.
func (c *Checker) try(changes []Change) (outcome, []undo) {
	o := outcome{changed: map[sonic.Key]struct{}{}, before: map[unit][]Violation{}}
	affected := newAffected()
	var undone []undo
	for _, change := range changes {
		o.changed[change.Key] = struct{}{}
		undone = append(undone, c.change(change, affected)...)
	}
	for _, u := range undone {
		if u.shelf != nil && !u.shelf.rows[u.place].live && u.shelf.node.kind == listKind {
			c.forget(u.shelf.node, u.place, o.before, affected)
		}
	}
	old := maps.Clone(o.before)
	o.after = c.look(affected)
	for u := range o.after {
		if list := c.found[u]; len(list) > 0 {
			old[u] = list
		}
	}
	o.old = func(u unit) []Violation { return old[u] }
	for key := range o.changed {
		if v, ok := c.strays[key]; ok {
			o.strays = append(o.strays, v)
		}
	}
	return o, undone
}

// forget notes that what was wrong with a row is no more.
func (c *Checker) forget(n *node, place int32, gone map[unit][]Violation, affected *affected) {
	units := []unit{{n.id, place, fieldsOnly}}
	for _, r := range n.constraints {
		units = append(units, unit{n.id, place, r.id})
	}
	for _, u := range units {
		delete(affected.units, u)
		if list := c.found[u]; len(list) > 0 {
			gone[u] = list
		}
	}
}

// look looks at what is affected. Units without violations are in the result too.
func (c *Checker) look(affected *affected) map[unit][]Violation {
	c.memo = map[memoKey]bool{}
	out := make(map[unit][]Violation)
	for u := range affected.units {
		if list := c.lookAt(u); len(list) > 0 || len(c.found[u]) > 0 {
			out[u] = list
		}
	}
	c.memo = nil
	return out
}

func (c *Checker) lookAt(u unit) []Violation {
	if u.constraint == fieldsOnly {
		return c.fields(u)
	}
	return c.demand(c.schema.constraints[u.constraint], u.place)
}
