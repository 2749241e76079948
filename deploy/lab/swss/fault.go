package swss

import (
	"slices"
	"time"
)

// faults are what a test makes go wrong.
type faults struct {
	hang map[string]bool
	slow map[string]time.Duration
}

func newFaults() faults { return faults{map[string]bool{}, map[string]time.Duration{}} }

func (f *faults) slowed() bool { return len(f.slow) > 0 }

// hung is whether the task of a row is never carried out, for rows whose keys
// begin with prefix.
func (f *faults) hung(prefix string) func(key string) bool {
	if len(f.hang) == 0 {
		return func(string) bool { return false }
	}
	return func(key string) bool { return f.hang[prefix+key] }
}

// Hang makes the daemon that follows a row never act on it, so that its marker
// never comes or goes: "VLAN|Vlan100" of CONFIG_DB holds back vlanmgrd's
// markers, "VRF_TABLE:Vrf1" of APPL_DB orchagent's VRF_OBJECT_TABLE.
func (d *Daemons) Hang(key string) { d.faults.hang[key] = true }

// Slow makes the daemon that follows a row, as in Hang, take so much longer
// from the next change on.
func (d *Daemons) Slow(key string, by time.Duration) { d.faults.slow[key] = by }

// Heal ends the faults of a row, or, for "", all.
func (d *Daemons) Heal(key string) {
	if key == "" {
		d.faults = newFaults()
	}
	delete(d.faults.hang, key)
	delete(d.faults.slow, key)
	d.stale = false
	if d.tick == 0 && d.waiting() {
		d.tick = d.now
	}
}

// Pending is what the daemons wait to do, one a line: the daemon, what, and the
// row.
func (d *Daemons) Pending() []string {
	var list []string
	for _, c := range d.all {
		separator := "|"
		if c.daemon == daemonOrch {
			separator = ":"
		}
		for key, t := range c.tasks {
			if t.del {
				list = append(list, "pending "+c.daemon+" DEL "+c.table+separator+key)
			}
			if t.set != nil {
				list = append(list, "pending "+c.daemon+" SET "+c.table+separator+key)
			}
		}
	}
	slices.Sort(list)
	return list
}
