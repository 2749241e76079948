package swss

import (
	"fmt"
	"maps"
	"strings"
)

// blame counts a mistake.
func (d *Daemons) blame(kind Kind, key, format string, args ...any) {
	d.mistake(Mistake{d.now, kind, key, fmt.Sprintf(format, args...)})
}

// judgeSet looks at a row as a daemon reads it.
func (d *Daemons) judgeSet(key string, row Row, e event) {
	table, name, _ := strings.Cut(key, "|")
	before := d.catalog.rows[key]
	now := &seen{row: maps.Clone(row)}
	d.catalog.rows[key] = now
	d.catalog.link(key, row)
	if e.replay {
		return
	}
	switch {
	case before == nil:
		d.judgeNew(table, name, row)
	case maps.Equal(before.row, row):
		if !e.hdel && !before.excused {
			d.judgeSame(table, key, row)
		}
	default:
		now.excused = e.hdel && !within(row, before.row)
		d.judgeChange(table, key, before.row, row)
	}
	d.judgeEarly(table, key, row, e)
	d.judgePort(table, name, row)
}

// within reports whether every field of part is in whole with the same value.
func within(part, whole Row) bool {
	for name, value := range part {
		if have, ok := whole[name]; !ok || have != value {
			return false
		}
	}
	return true
}

// judgeSame looks at a row that was set to what it had.
func (d *Daemons) judgeSame(table, key string, row Row) {
	if table == "VLAN_INTERFACE" && row["static_anycast_gateway"] == "true" {
		d.blame(Flap, key, "set to what it has: its link goes down and up")
		return
	}
	d.blame(Needless, key, "set to what it has: %s", row)
}

// judgeEarly looks for rows that were set before what they need.
func (d *Daemons) judgeEarly(table, key string, row Row, e event) {
	for _, parent := range needs(key, row) {
		if !d.catalog.before(parent, e.seq) {
			d.blame(Early, key, "set before %s", parent)
		}
	}
	if table == "VRF" && mappedVNI(row) != "" && !d.nvoBefore(e.seq) {
		d.blame(NoNVO, key, "vni is %s and there is no VXLAN_EVPN_NVO", row["vni"])
	}
}

func (d *Daemons) nvoBefore(seq uint64) bool {
	for key := range d.catalog.nvos {
		if d.catalog.before(key, seq) {
			return true
		}
	}
	return false
}

// judgeDangling looks, at a tick, for tasks that wait for what CONFIG_DB does
// not have.
func (d *Daemons) judgeDangling() {
	for _, c := range d.managers {
		for _, name := range sortedKeys(c.tasks) {
			t := c.tasks[name]
			if t.set == nil || t.dangling {
				continue
			}
			key := c.table + "|" + name
			for _, parent := range needs(key, t.set) {
				if !d.catalog.has(parent) {
					t.dangling = true
					d.blame(Dangling, key, "waits for %s, which does not exist", parent)
				}
			}
		}
	}
}
