package plan

import (
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/controller/topology"
)

// HostSelector is what an attachment selects hosts by. The error names the field.
func HostSelector(h *v1alpha1.HostSelection) (labels.Selector, error) {
	if h.All {
		return labels.Everything(), nil
	}
	s, err := metav1.LabelSelectorAsSelector(&h.Selector)
	if err != nil {
		return nil, fmt.Errorf("spec.hosts.selector: %w", err)
	}
	return s, nil
}

// allowed says why an attachment may not be on a host that it selects: the class of
// its VPC is for others.
func allowed(class *v1alpha1.VPCClass, a Placement, owner v1alpha1.ObjectReference) *v1alpha1.Problem {
	if a.Host == "" || class == nil || class.Spec.HostSelector == nil {
		return nil
	}
	selector, err := metav1.LabelSelectorAsSelector(class.Spec.HostSelector)
	if err != nil {
		return problem(owner, "HostNotAllowed",
			"Host %s: VPCClass %s, spec.hostSelector: %v. The network team has to correct it; until then the class allows no host.", a.Host, class.Name, err)
	}
	if selector.Matches(labels.Set(a.HostLabels)) {
		return nil
	}
	return problem(owner, "HostNotAllowed",
		"spec.hosts: Host %s does not have the labels %q that VPCClass %s, spec.hostSelector, demands of hosts. Select other hosts, or ask the network team to label the Host or to name another class for the VPC.",
		a.Host, selector, class.Name)
}

// At are the places of an attachment at a host that it selects: those of all
// NICs, or of the ones that it names. Who names one NIC of a bond, or the bond,
// means all of it.
func At(a *v1alpha1.VPCAttachment, h *v1alpha1.Host, places []topology.Place) []Placement {
	var out []Placement
	for _, p := range places {
		if meant(a.Spec.Hosts.NICs, p, h.Status.NICs) {
			out = append(out, Placement{VPCAttachment: a, Host: h.Name, NIC: p.NIC, HostLabels: h.Labels, Port: v1alpha1.PortReference{Switch: p.Switch, Name: p.Port}})
		}
	}
	return out
}

// AtNIC are the places that the network of pods is at which name a NIC of the host, or a
// bond; all, if they name none.
func AtNIC(h *v1alpha1.Host, master string, places []topology.Place) []topology.Place {
	if master == "" {
		return places
	}
	return slices.DeleteFunc(slices.Clone(places), func(p topology.Place) bool { return !meant([]string{master}, p, h.Status.NICs) })
}

func meant(names []string, p topology.Place, nics []v1alpha1.HostNIC) bool {
	return len(names) == 0 || slices.Contains(names, p.NIC) ||
		p.Bond != "" && (slices.Contains(names, p.Bond) || slices.ContainsFunc(nics, func(n v1alpha1.HostNIC) bool {
			return n.Bond == p.Bond && slices.Contains(names, n.Name)
		}))
}
