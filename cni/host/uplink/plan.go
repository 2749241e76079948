package uplink

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

// Op is what a step does.
type Op int

const (
	_ Op = iota
	// Create makes a device, which is down then and in nothing.
	Create
	// Delete takes one away.
	Delete
	// SetAlias marks it as the agent's.
	SetAlias
	// SetMTU gives it the MTU.
	SetMTU
	// SetMaster puts it into a bond or bridge, or takes it out. What goes into a
	// bond is down before, and comes up with it.
	SetMaster
	// SetUp switches it on.
	SetUp
	// SetPromisc has it take the frames for all MAC addresses, or not.
	SetPromisc
	// SetBoth has a bond take the frames that come to any device in it, or not.
	SetBoth
	// SetActive has a bond use a device that is in it.
	SetActive
)

// Step is one change of one device.
type Step struct {
	Op     Op
	Device Device
}

// String is the step as a command of iproute2.
func (s Step) String() string {
	d := s.Device
	switch s.Op {
	case Create:
		text := "add " + d.Name
		if d.Link != "" {
			text += " link " + d.Link
		}
		if text += " type " + d.Kind; d.Kind == VLAN {
			text += fmt.Sprintf(" id %d", d.ID)
		}
		return text
	case Delete:
		return "delete " + d.Name
	case SetAlias:
		return fmt.Sprintf("set %s alias %q", d.Name, d.Alias)
	case SetMTU:
		return fmt.Sprintf("set %s mtu %d", d.Name, d.MTU)
	case SetMaster:
		if d.Master == "" {
			return fmt.Sprintf("set %s nomaster", d.Name)
		}
		return fmt.Sprintf("set %s master %s", d.Name, d.Master)
	case SetPromisc:
		return fmt.Sprintf("set %s promisc %s", d.Name, map[bool]string{true: "on", false: "off"}[d.Promisc])
	case SetBoth:
		return fmt.Sprintf("set %s type bond all_slaves_active %s", d.Name, map[bool]string{true: "1", false: "0"}[d.Both])
	case SetActive:
		return fmt.Sprintf("set %s type bond active_slave %s", d.Name, d.Active)
	case SetUp:
	}
	return fmt.Sprintf("set %s up", d.Name)
}

// Plan is how to get from the devices that a host has to those that its networks
// need, in order, and what cannot be. After a crash at any step another plan goes
// on from there.
func Plan(have []Device, networks []Network) ([]Step, []v1alpha1.Problem) {
	w := &wanted{have: map[string]Device{}}
	for _, d := range have {
		w.have[d.Name] = d
	}
	keep := map[string]bool{}
	for _, n := range networks {
		before := len(w.devices)
		w.network(n)
		w.leaveTaken(n, before)
		if n.Used { // what pods are attached to stays, whatever the spec says now
			w.keep(n, keep, len(w.devices) == before)
		}
	}
	for _, d := range w.devices {
		keep[d.Name] = true
	}
	steps := w.deletes(keep)
	for _, d := range w.devices {
		steps = append(steps, w.make(d)...)
	}
	return slices.Concat(steps, w.settle(), moves(w.have, networks)), w.problems
}

// keep marks what the pods of a network are attached to, and if it has no other,
// its way out.
func (w *wanted) keep(n Network, keep map[string]bool, all bool) {
	keep[BondName(n.VNI)], keep[BridgeName(n.VNI)] = true, true
	for name, d := range w.have {
		if all && d.Master == BondName(n.VNI) {
			keep[name] = true
		}
	}
}

// leaveTaken drops the devices of a network if one's name is somebody else's.
func (w *wanted) leaveTaken(n Network, before int) {
	for _, d := range w.devices[before:] {
		if have, there := w.have[d.Name]; there && d.Kind != "" && names.MatchString(d.Name) && !have.ours() {
			w.problem(n, ReasonNameTaken, "the host has a device %s that is not the agent's (kind %q, alias %q): rename it", have.Name, have.Kind, have.Alias)
			w.devices = w.devices[:before]
			return
		}
	}
}

// deletes takes away the agent's devices that nobody needs, and those that have
// to be made anew; those that stand on others first.
func (w *wanted) deletes(keep map[string]bool) []Step {
	wrong := map[string]bool{}
	for _, d := range w.devices {
		have, there := w.have[d.Name]
		wrong[d.Name] = there && (have.Kind != d.Kind || have.Kind == VLAN && (have.Link != d.Link || have.ID != d.ID))
	}
	var steps []Step
	for _, d := range w.have {
		if d.ours() && (!keep[d.Name] || wrong[d.Name]) {
			steps = append(steps, Step{Delete, d})
		}
	}
	rank := map[string]int{Bridge: 0, Bond: 1, VLAN: 2}
	slices.SortFunc(steps, func(a, b Step) int {
		return cmp.Or(cmp.Compare(rank[a.Device.Kind], rank[b.Device.Kind]), strings.Compare(a.Device.Name, b.Device.Name))
	})
	for _, s := range steps {
		delete(w.have, s.Device.Name)
		for name, d := range w.have {
			if d.Master == s.Device.Name { // the kernel takes them out
				d.Master = ""
				w.have[name] = d
			}
		}
	}
	return steps
}

// make makes a device that is missing.
func (w *wanted) make(d Device) []Step {
	if _, there := w.have[d.Name]; there {
		return nil
	}
	w.have[d.Name] = Device{Name: d.Name, Kind: d.Kind, Link: d.Link, ID: d.ID}
	return []Step{{Create, d}}
}

// settle gives devices what they lack. Masters are there by then.
func (w *wanted) settle() []Step {
	var steps []Step
	for _, d := range w.devices {
		have := w.have[d.Name]
		if have.Alias != d.Alias && d.Kind != "" {
			steps = append(steps, Step{SetAlias, d})
		}
		if have.MTU != d.MTU && d.MTU != 0 {
			steps = append(steps, Step{SetMTU, d})
		}
		if have.Master != d.Master {
			steps = append(steps, Step{SetMaster, d})
		}
		if !have.Up && d.Up {
			steps = append(steps, Step{SetUp, d})
		}
	}
	return steps
}
