package plan

import (
	"cmp"
	"slices"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

// Placement is one place at which a VPCAttachment wants its subnet: the port
// that it names, or the one that a NIC of a host that it selects is cabled to.
type Placement struct {
	*v1alpha1.VPCAttachment
	// Host and its NIC; empty for an attachment that names a port.
	Host, NIC string
	// HostLabels are the labels of the host.
	HostLabels map[string]string
	// Port or port channel that carries the subnet there.
	Port v1alpha1.PortReference
}

// Named is the place of an attachment that names a port.
func Named(a *v1alpha1.VPCAttachment) Placement {
	return Placement{VPCAttachment: a, Port: a.Spec.Port}
}

// field says where a place comes from, for messages: the field of the attachment
// or the NIC of a host.
func (p Placement) field(name string) string {
	if p.Host == "" {
		return name
	}
	return p.Host + "/" + p.NIC
}

// byGroup sorts the places of attachments by the group of their switch, those of
// the oldest attachment first. A port that one attachment reaches twice, by two
// NICs of a bond, is one place.
func byGroup(in Inputs) map[string][]Placement {
	of := make(map[string]string, len(in.Switches))
	silent := map[string]bool{} // the switches that tell nothing of their ports
	for _, sw := range in.Switches {
		of[sw.Name], silent[sw.Name] = GroupOf(sw), len(sw.Status.Ports) == 0
	}
	out := make(map[string][]Placement, len(of))
	add := func(p Placement) {
		if g, ok := of[p.Port.Switch]; ok {
			out[g] = append(out[g], p)
		}
	}
	for _, a := range in.Attachments {
		add(Named(a))
	}
	for _, p := range in.Placements {
		ports := []string{p.Port.Name}
		if silent[p.Port.Switch] {
			if before := placedBefore(in, p); len(before) > 0 {
				ports = before
			}
		}
		for _, port := range ports {
			p.Port.Name = port
			add(p)
		}
	}
	for g, places := range out {
		slices.SortFunc(places, comparePlacements)
		out[g] = slices.CompactFunc(places, same)
	}
	return out
}

// placedBefore are the ports of a switch that an attachment had. As long as the
// switch does not tell which port channels it has, nobody knows better.
func placedBefore(in Inputs, p Placement) []string {
	config := in.Configs[p.Port.Switch]
	if config == nil {
		return nil
	}
	var out []string
	for _, s := range config.Spec.Segments {
		for _, port := range s.Ports {
			if port.Owner == OwnerOf(p) && s.Subnet == p.Spec.Subnet {
				out = append(out, port.Name)
			}
		}
	}
	return out
}

func comparePlacements(a, b Placement) int {
	return cmp.Or(last(a)-last(b), olderAttachment(a.VPCAttachment, b.VPCAttachment), cmp.Compare(a.Spec.VPC, b.Spec.VPC), cmp.Compare(a.Spec.Subnet, b.Spec.Subnet), cmp.Compare(a.Port.Switch, b.Port.Switch),
		ComparePorts(a.Port.Name, b.Port.Name), cmp.Compare(a.Host, b.Host), cmp.Compare(a.NIC, b.NIC))
}

// olderAttachment orders by age; the name settles what was made in one second.
func olderAttachment(a, b *v1alpha1.VPCAttachment) int {
	return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time),
		cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
}
