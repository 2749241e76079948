package probe

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// State is what a probe found.
type State int

// The states of what is probed.
const (
	// Unknown: it could not be asked.
	Unknown State = iota
	// Works, as far as can be seen from this switch.
	Works
	// Broken: it was asked, and does not work.
	Broken
)

// String is the state for people.
func (s State) String() string {
	switch s {
	case Works:
		return "works"
	case Broken:
		return "broken"
	case Unknown:
	}
	return "unknown"
}

// Result is what a probe found.
type Result struct {
	// Name says what is probed: "apiserver", "uplink/Ethernet0",
	// "bgp/10.0.0.1", "bgp/Vrf20001/Ethernet0", "lldp/Ethernet0".
	Name  string
	State State
	// Detail is what was seen, for people.
	Detail string
	// Grace is how long it may be broken and still count as working: SONiC
	// deletes some rows and writes them anew when anything in them changes.
	Grace time.Duration
}

// The kinds of probes, the first part of their names.
const (
	apiServer = "apiserver"
	uplink    = "uplink"
	bgp       = "bgp"
	lldp      = "lldp"
)

// Lost are the results after a change, in rising order of their names, that are
// broken and worked before it.
func Lost(before, after []Result) []Result {
	worked := map[string]bool{}
	for _, r := range before {
		worked[r.Name] = r.State == Works
	}
	var lost []Result
	for _, r := range after {
		if r.State == Broken && worked[r.Name] {
			lost = append(lost, r)
		}
	}
	return sorted(lost)
}

// Working are the names of the results that work, in rising order: the baseline
// of a change.
func Working(results []Result) []string {
	var names []string
	for _, r := range results {
		if r.State == Works {
			names = append(names, r.Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Explain names results with what was seen, for people.
func Explain(results []Result) string {
	var parts []string
	for _, r := range results {
		parts = append(parts, strings.TrimSuffix(r.Name+": "+r.Detail, ": "))
	}
	return strings.Join(parts, "; ")
}

func sorted(results []Result) []Result {
	slices.SortStableFunc(results, func(a, b Result) int { return cmp.Compare(a.Name, b.Name) })
	return results
}
