package dataplane

import (
	"cmp"
	"maps"
	"slices"
)

// firstTable is that of the first VRF (sonic-swss cfgmgr/vrfmgr.cpp).
const firstTable = 1001

// Diff is what makes the devices that there are the wanted ones. What is right is
// not touched. First everything goes that is not wanted, then what is missing
// comes; a device is in its VRF, and a port in its VLANs, before it is up or
// forwards. Ports that are not there are left out: they have no cable.
func Diff(have, want Devices) []Step {
	d := differ{have: have, want: settled(have, want)}
	d.anew = d.mustBeAnew()
	names := d.names()
	kept := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !d.stays(name) })
	wanted := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return d.want[name].Kind == "" })
	for _, pass := range []func(string){d.unaddress, d.unroute, d.leave, d.shut, d.release} {
		each(kept, pass)
	}
	d.remove(names)
	for _, pass := range []func(string){d.add, d.shape, d.place, d.join, d.start, d.route, d.address} {
		each(wanted, pass)
	}
	return d.steps
}

func each(names []string, do func(string)) {
	for _, name := range names {
		do(name)
	}
}

// settled are the wanted devices with a table for each VRF: the one it has, or
// the lowest that is free. Ports that are not there are not among them, and those
// that nobody wants are in nothing.
func settled(have, want Devices) Devices {
	all := maps.Clone(want)
	taken := map[int]bool{}
	for name, d := range have {
		_, wanted := want[name]
		switch {
		case d.Kind == VRF && wanted:
			taken[d.ID] = true
		case d.Kind == Port && !wanted:
			all[name] = Device{Kind: Port, Up: d.Up, MTU: d.MTU}
		}
	}
	table := firstTable
	for _, name := range want.Names() {
		d := want[name]
		_, there := have[name]
		switch {
		case d.Kind == Port && !there:
			delete(all, name)
		case d.Kind == VRF && there:
			d.ID = have[name].ID
			all[name] = d
		case d.Kind == VRF:
			for taken[table] {
				table++
			}
			taken[table] = true
			d.ID = table
			all[name] = d
		}
	}
	return all
}

type differ struct {
	have, want Devices
	anew       map[string]bool
	steps      []Step
}

// mustBeAnew are the devices that differ in what is fixed when they are made.
func (d *differ) mustBeAnew() map[string]bool {
	anew := map[string]bool{}
	for name, h := range d.have {
		w, ok := d.want[name]
		if ok && (h.Kind != w.Kind || h.ID != w.ID || h.Local != w.Local) {
			anew[name] = true
		}
	}
	return anew
}

// names are all devices in the order in which they are made: what others are in
// or on comes first.
func (d *differ) names() []string {
	all := maps.Clone(d.have)
	maps.Copy(all, d.want)
	rank := func(name string) int {
		return slices.Index([]Kind{VRF, Bridge, Loopback, VLAN, VXLAN, Port}, all[name].Kind)
	}
	return slices.SortedFunc(maps.Keys(all), func(a, b string) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
	})
}

func (d *differ) step(s Step) { d.steps = append(d.steps, s) }

// stays reports whether a device is there and remains.
func (d *differ) stays(name string) bool {
	_, had := d.have[name]
	_, wanted := d.want[name]
	return had && wanted && !d.anew[name]
}

// of is a device as it is when the wanted ones are made, nothing if it is new, and
// as it is to be.
func (d *differ) of(name string) (have, want Device) {
	if d.stays(name) {
		have = d.have[name]
	}
	return have, d.want[name]
}

// unaddress removes addresses, all of them where a device changes its VRF: they must
// not be in another one on the way.
func (d *differ) unaddress(name string) {
	h, w := d.of(name)
	for _, address := range h.Addresses {
		if moves(h, w) || !slices.Contains(w.Addresses, address) {
			d.step(Step{Verb: DelAddress, Name: name, Address: address})
		}
	}
}

// unroute stops forwarding, also while a device changes its VRF.
func (d *differ) unroute(name string) {
	h, w := d.of(name)
	if h.Routed && moves(h, w) || !w.Routed && (h.Routed || h.halfRouted) {
		d.step(Step{Verb: SetRouted, Name: name})
	}
}

func moves(h, w Device) bool { return h.Master != w.Master }

func (d *differ) leave(name string) {
	h, w := d.of(name)
	for _, id := range slices.Sorted(maps.Keys(h.Stations)) {
		if w.Stations[id] != h.Stations[id] {
			d.step(Step{Verb: DelStation, Name: name, VLAN: id, MAC: h.Stations[id]})
		}
	}
	for _, id := range slices.Sorted(maps.Keys(h.VLANs)) {
		if _, ok := w.VLANs[id]; !ok && name != bridge {
			d.step(Step{Verb: LeaveVLAN, Name: name, VLAN: id})
		}
	}
}

// shut takes down what is to be down, and what changes while it is down.
func (d *differ) shut(name string) {
	h, w := d.of(name)
	if h.Up && (!w.Up || readdressed(h, w)) {
		d.step(Step{Verb: SetDown, Name: name})
	}
}

// readdressed reports whether a device gets another MAC address, which its
// link-local address follows only when it comes up.
func readdressed(h, w Device) bool { return w.MAC != "" && h.MAC != w.MAC }

func (d *differ) release(name string) {
	if h, w := d.of(name); h.Master != "" && moves(h, w) {
		d.step(Step{Verb: SetMaster, Name: name})
	}
}

// remove removes devices, a VLAN before the bridge and an interface before its
// VRF, and then the bridge's VLANs.
func (d *differ) remove(names []string) {
	for _, name := range slices.Backward(names) {
		if h, had := d.have[name]; had && !d.stays(name) && h.Kind != Port {
			d.step(Step{Verb: Delete, Name: name, Device: h})
		}
	}
	h, w := d.of(bridge)
	for _, id := range slices.Sorted(maps.Keys(h.VLANs)) {
		if _, ok := w.VLANs[id]; !ok {
			d.step(Step{Verb: LeaveVLAN, Name: bridge, VLAN: id})
		}
	}
}

func (d *differ) add(name string) {
	if !d.stays(name) {
		d.step(Step{Verb: Add, Name: name, Device: d.want[name]})
	}
}

// shape sets what a device is like before it is anywhere.
func (d *differ) shape(name string) {
	h, w := d.of(name)
	if w.MTU != 0 && h.MTU != w.MTU {
		d.step(Step{Verb: SetMTU, Name: name, MTU: w.MTU})
	}
	if readdressed(h, w) {
		d.step(Step{Verb: SetMAC, Name: name, MAC: w.MAC})
	}
}

func (d *differ) place(name string) {
	h, w := d.of(name)
	if moves(h, w) && w.Master != "" {
		d.step(Step{Verb: SetMaster, Name: name, Master: w.Master})
	}
	if w.Master == bridge && (moves(h, w) || h.Learns != w.Learns) {
		d.step(Step{Verb: SetLearns, Name: name, On: w.Learns})
	}
}

func (d *differ) join(name string) {
	h, w := d.of(name)
	for _, id := range slices.Sorted(maps.Keys(w.VLANs)) {
		if untagged, ok := h.VLANs[id]; !ok || untagged != w.VLANs[id] {
			d.step(Step{Verb: JoinVLAN, Name: name, VLAN: id, On: w.VLANs[id]})
		}
	}
	for _, id := range slices.Sorted(maps.Keys(w.Stations)) {
		if h.Stations[id] != w.Stations[id] {
			d.step(Step{Verb: AddStation, Name: name, VLAN: id, MAC: w.Stations[id]})
		}
	}
}

func (d *differ) start(name string) {
	if h, w := d.of(name); w.Up && (!h.Up || readdressed(h, w)) {
		d.step(Step{Verb: SetUp, Name: name})
	}
}

func (d *differ) route(name string) {
	h, w := d.of(name)
	if h.Gleans != w.Gleans {
		d.step(Step{Verb: SetGleans, Name: name, On: w.Gleans})
	}
	if w.Routed && (!h.Routed || moves(h, w)) {
		d.step(Step{Verb: SetRouted, Name: name, On: true})
	}
}

func (d *differ) address(name string) {
	h, w := d.of(name)
	for _, address := range w.Addresses {
		if moves(h, w) || !slices.Contains(h.Addresses, address) {
			d.step(Step{Verb: AddAddress, Name: name, Address: address})
		}
	}
}
