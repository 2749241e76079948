package uplink

import (
	"maps"
	"slices"
)

// moves has the bonds of networks leave the NICs whose switch is about to switch the port
// off, while these still work: what is sent later is lost until the bond sees that there is
// no carrier.
func moves(have map[string]Device, networks []Network) []Step {
	leaving := map[string]map[string]bool{} // by bond, the NICs
	for _, n := range networks {
		nics := map[string]bool{}
		for _, u := range n.Uplinks {
			nics[u.NIC] = u.Draining
		}
		leaving[BondName(n.VNI)] = nics
	}
	names := slices.Sorted(maps.Keys(have))
	slaves := map[string][]Device{}
	for _, name := range names {
		if d := have[name]; d.Master != "" {
			slaves[d.Master] = append(slaves[d.Master], d)
		}
	}
	var steps []Step
	for _, name := range names {
		if d := have[name]; d.Kind == Bond && d.ours() {
			steps = append(steps, d.move(slaves[name], leaving[name])...)
		}
	}
	return steps
}

// move is what a bond does about the NICs that it is to leave. Until they have no carrier it
// takes what comes there, too: the fabric learns only by and by, by BGP, that the pods are
// elsewhere. In a bridge it does not: that would learn from a pod's own broadcasts, which
// come back, that the pod is behind the bond.
func (d Device) move(slaves []Device, leaving map[string]bool) []Step {
	vni, _ := VNI(d.Name)
	leaves := func(s Device) bool { return s.Carrier && leaving[s.Link] }
	other := slices.IndexFunc(slaves, func(s Device) bool { return s.Carrier && !leaving[s.Link] })
	both := other >= 0 && d.Master == "" && slices.ContainsFunc(slaves, leaves)
	var steps []Step
	for _, s := range slaves { // a NIC takes the pods' addresses only of the device that is used
		if want := both && leaves(s); s.Promisc != want {
			steps = append(steps, Step{SetPromisc, Device{Name: s.Name, Promisc: want, VNI: vni}})
		}
	}
	if d.Both != both {
		steps = append(steps, Step{SetBoth, Device{Name: d.Name, Both: both, VNI: vni}})
	}
	if other >= 0 && slices.ContainsFunc(slaves, func(s Device) bool { return s.Name == d.Active && leaves(s) }) {
		steps = append(steps, Step{SetActive, Device{Name: d.Name, Active: slaves[other].Name, VNI: vni}})
	}
	return steps
}
