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

// At are the places of an attachment at a host that it selects: those of all
// NICs, or of the ones that it names. Who names one NIC of a bond, or the bond,
// means all of it.
func At(a *v1alpha1.VPCAttachment, h *v1alpha1.Host, places []topology.Place) []Placement {
	var out []Placement
	for _, p := range places {
		if meant(a.Spec.Hosts.NICs, p, h.Status.NICs) {
			out = append(out, Placement{VPCAttachment: a, Host: h.Name, NIC: p.NIC, Port: v1alpha1.PortReference{Switch: p.Switch, Name: p.Port}})
		}
	}
	return out
}

func meant(names []string, p topology.Place, nics []v1alpha1.HostNIC) bool {
	return len(names) == 0 || slices.Contains(names, p.NIC) ||
		p.Bond != "" && (slices.Contains(names, p.Bond) || slices.ContainsFunc(nics, func(n v1alpha1.HostNIC) bool {
			return n.Bond == p.Bond && slices.Contains(names, n.Name)
		}))
}
