package nics

import (
	"cmp"
	"slices"

	"github.com/switchlet/switchlet/api/natural"
	"github.com/switchlet/switchlet/api/v1alpha1"
)

// Bounds of the API.
const (
	maxNICs     = 256
	maxAltNames = 8
)

// Link is a network interface as the kernel has it.
type Link struct {
	Index int
	Name  string
	// Kind is what a virtual interface is; empty for others.
	Kind string
	// Ethernet: it is of that kind, and not a loopback or InfiniBand.
	Ethernet bool
	// MAC is the address that it has now, Permanent the one that it was made with;
	// empty if nobody knows.
	MAC, Permanent string
	AltNames       []string
	Carrier        bool
	// Master is the index of what it is in, such as a bond; 0 if it is in nothing.
	Master int
}

// NICs are those of the links that are NICs, in natural order of their names.
func (r Rules) NICs(links []Link) []v1alpha1.HostNIC {
	bonds := map[int]string{}
	for _, l := range links {
		if l.Kind == "bond" || l.Kind == "team" {
			bonds[l.Index] = l.Name
		}
	}
	nics := []v1alpha1.HostNIC{}
	for _, l := range links {
		if !l.Ethernet || !r.Chosen(l.Name, l.Kind) {
			continue
		}
		nics = append(nics, v1alpha1.HostNIC{
			Name: l.Name, MAC: cmp.Or(l.Permanent, l.MAC), Bond: bonds[l.Master],
			AltNames: l.AltNames[:min(len(l.AltNames), maxAltNames)], Up: l.Carrier,
		})
	}
	slices.SortFunc(nics, func(a, b v1alpha1.HostNIC) int { return natural.Compare(a.Name, b.Name) })
	return nics[:min(len(nics), maxNICs)]
}
