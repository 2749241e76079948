package yang

import (
	"strings"

	"github.com/switchlet/switchlet/sonic"
)

// undo is what takes back one step of a change.
type undo struct {
	shelf *shelf
	place int32
	was   row
	fresh bool // the place was taken for the row
	// stray and other are about rows that are on no shelf.
	key   sonic.Key
	stray *Violation
	other int
}

// change makes a change, and notes what it affects before and after.
func (c *Checker) change(change Change, affected *affected) []undo {
	var undone []undo
	if s, place := c.find(change.Key); s != nil {
		c.affect(s, place, affected)
		undone = append(undone, undo{shelf: s, place: place, was: s.rows[place]})
		c.clear(s, place)
	}
	undone = append(undone, c.unplace(change.Key))
	if change.Gone {
		return undone
	}
	s, place, fresh := c.put(change)
	if s == nil {
		return undone
	}
	undone = append(undone, undo{shelf: s, place: place, was: row{name: emptyName(s)}, fresh: fresh})
	c.affect(s, place, affected)
	return undone
}

// emptyName is the name of a place without a row.
func emptyName(s *shelf) string {
	if s.node.kind == fixedKind {
		return s.node.name
	}
	return ""
}

// find is where a row is, if it is on a shelf.
func (c *Checker) find(key sonic.Key) (*shelf, int32) {
	table := c.schema.tables[key.Table]
	if table == nil {
		return nil, none
	}
	for _, n := range table.candidates(key.Name) {
		if place := c.shelves[n.id].find(key.Name); place != none {
			return c.shelves[n.id], place
		}
	}
	return nil, none
}

// clear takes a row off its shelf.
func (c *Checker) clear(s *shelf, place int32) {
	s.set(place, row{name: emptyName(s)})
	if s.node.kind == listKind {
		s.free = append(s.free, place)
	}
}

// unplace takes back what is noted of a row that is on no shelf.
func (c *Checker) unplace(key sonic.Key) undo {
	u := undo{key: key}
	if v, ok := c.strays[key]; ok {
		u.stray = &v
		delete(c.strays, key)
	}
	u.other = c.others[key.Table]
	return u
}

// put puts a row where it belongs. It returns no shelf if that is nowhere.
func (c *Checker) put(change Change) (s *shelf, place int32, fresh bool) {
	key := change.Key
	table := c.schema.tables[key.Table]
	if table == nil {
		c.others[key.Table]++
		return nil, none, false
	}
	n := table.place(key.Name, change.Fields)
	if n == nil {
		c.strays[key] = Violation{Key: key, Rule: UnknownKey, Value: key.Name, Message: table.forms()}
		return nil, none, false
	}
	s = c.shelves[n.id]
	if n.kind == listKind {
		place, fresh = s.take(), true
	}
	s.set(place, row{name: key.Name, fields: change.Fields, live: true})
	return s, place, fresh
}

// forms says what the names of a table's rows have to be like.
func (n *node) forms() string {
	var forms []string
	for _, row := range n.children {
		switch row.kind {
		case listKind:
			var keys []string
			for _, k := range row.keys {
				keys = append(keys, k.name)
			}
			forms = append(forms, strings.Join(keys, sonic.Separator))
		case fixedKind:
			forms = append(forms, row.name)
		default: // no row
		}
	}
	if len(forms) == 0 {
		return "the table has no rows"
	}
	return "a row of the table is called " + strings.Join(forms, " or ")
}

// restore takes back a step of a change. Steps are taken back in reverse order.
func (c *Checker) restore(u undo) {
	if u.shelf == nil {
		delete(c.strays, u.key)
		if u.stray != nil {
			c.strays[u.key] = *u.stray
		}
		if delete(c.others, u.key.Table); u.other > 0 {
			c.others[u.key.Table] = u.other
		}
		return
	}
	s := u.shelf
	s.set(u.place, u.was)
	if s.node.kind != listKind {
		return
	}
	if u.fresh {
		s.free = append(s.free, u.place)
	} else {
		s.free = s.free[:len(s.free)-1] // it was put there when the row was cleared
	}
}
