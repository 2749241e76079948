package reconcile

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/controller/plan"
	"github.com/switchlet/switchlet/controller/topology"
)

// wish is that a pod wants a subnet by a NetworkAttachmentDefinition, at a NIC or bond of
// its host if that names one.
type wish struct {
	pod     podRef
	network types.NamespacedName
	master  string
}

// tie decides at which NIC, or bond, a host has the subnets that pods tie to one. It has
// a subnet at one, or at all, because it has one device for the subnet. Those pods that
// name no NIC follow those that do; what no pod needs any more stays where it was.
func (b base) tie(ctx context.Context, name string, needs *hostNeeds, before map[subnetName]string, wanting map[subnetName][]wish) error {
	host := &v1alpha1.Host{}
	if err := b.Get(ctx, client.ObjectKey{Name: name}, host, client.UnsafeDisableDeepCopy); apierrors.IsNotFound(err) {
		host.Name = name
	} else if err != nil {
		return fmt.Errorf("get Host %s: %w", name, err)
	}
	for s := range needs.gone {
		if before[s] != "" {
			needs.masters[s] = before[s]
		}
	}
	for _, s := range slices.SortedFunc(maps.Keys(wanting), byName) {
		master := choose(host, before[s], wanting[s])
		if master == "" {
			continue
		}
		needs.masters[s] = master
		for _, w := range wanting[s] {
			if w.master != "" && w.master != master {
				needs.mistake(w, notAt(host, s, w.master, master))
			}
		}
	}
	return nil
}

// choose is one of the NICs that pods name: one that the host has before others, and that
// of before, at which some may run already, before others again.
func choose(host *v1alpha1.Host, before string, wishes []wish) string {
	var named []string
	for _, w := range wishes {
		if w.master != "" {
			named = append(named, w.master)
		}
	}
	if len(named) == 0 {
		return ""
	}
	order := func(name string) int {
		switch {
		case !plan.HasNIC(host, name):
			return 2
		case name != before:
			return 1
		}
		return 0
	}
	return slices.MinFunc(named, func(a, b string) int { return cmp.Or(order(a)-order(b), plan.ComparePorts(a, b)) })
}

// notAt is the mistake of a pod that names another NIC than the one that was chosen.
func notAt(host *v1alpha1.Host, s subnetName, named, chosen string) mistake {
	if !plan.HasNIC(host, named) {
		why := plan.WhyNoPort(host, named)
		return mistake{why.Reason, why.String()}
	}
	return mistake{"MasterConflict", fmt.Sprintf(
		"Subnet %q of VPC %s: the NetworkAttachmentDefinition of this pod has it at NIC %s, and that of other pods on %s at %s. A host has a subnet at one NIC or bond, or at all: name the same one as \"master\" in both, or have the pod run on another node.",
		s.subnet, s.vpc, named, host.Name, chosen)}
}

// addNoPort notes as the mistake of pods that nothing can be programmed for their host.
func (b base) addNoPort(host string, needs *hostNeeds, wanting map[subnetName][]wish) {
	ports := b.cabling.now.Load()
	if ports == nil {
		return // the first port map asks for the pods
	}
	for _, s := range slices.SortedFunc(maps.Keys(wanting), byName) {
		why := ports.noPort(host, needs.masters[s])
		if why == nil {
			continue
		}
		for _, w := range wanting[s] {
			needs.mistake(w, mistake{why.Reason, why.String()})
		}
	}
}

// mistake notes one of a pod and of the NetworkAttachmentDefinition that it names, unless
// something else is wrong with them already.
func (h *hostNeeds) mistake(w wish, m mistake) {
	if _, known := h.mistakes[w.pod]; !known {
		h.mistakes[w.pod] = m
	}
	if _, known := h.networks[w.network]; !known {
		h.networks[w.network] = m
	}
}

// placesFor are the places of a host at which it has subnets of a VPC, needed or kept.
func (m *portMap) placesFor(host string, vpc types.NamespacedName, needs *hostNeeds) []topology.Place {
	var out []topology.Place
	for _, s := range needs.all() {
		if s.vpc == vpc {
			out = append(out, m.placesAt(host, needs.masters[s])...)
		}
	}
	return out
}

// noPortFor is why pods of a host have no place for a subnet of a VPC; nil if none waits.
func (m *portMap) noPortFor(host string, vpc types.NamespacedName, needs *hostNeeds) *plan.NoPort {
	for _, s := range slices.SortedFunc(maps.Keys(needs.subnets), byName) {
		if s.vpc != vpc {
			continue
		}
		if why := m.noPort(host, needs.masters[s]); why != nil {
			return why
		}
	}
	return nil
}
