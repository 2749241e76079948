package report

import (
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/cni/host/neighbors"
)

// Reasons of the condition Ready.
const (
	// ReasonReady: NICs are known, and LLDP is spoken on all of them.
	ReasonReady = "Ready"
	// ReasonNICsUnknown: the kernel does not tell what NICs there are.
	ReasonNICsUnknown = "NICsUnknown"
	// ReasonNoNICs: the host has none.
	ReasonNoNICs = "NoNICs"
	// ReasonLLDPSilent: LLDP is not spoken on some NICs, or at all.
	ReasonLLDPSilent = "LLDPSilent"
	// ReasonNeighborsNotSaved: the neighbours are not on the disk, so that a
	// restart begins without any.
	ReasonNeighborsNotSaved = "NeighborsNotSaved"
)

// maxMessage is a bound of the API, in characters; it is kept in octets.
const maxMessage = 1024

// Facts are what is known of a host at one moment.
type Facts struct {
	// NICs as last seen; nil if they never were.
	NICs []v1alpha1.HostNIC
	// Unseen says why the NICs are not known now; nil if they are.
	Unseen error
	// View of the neighbours.
	View neighbors.View
}

// Status of the Host of a node. previous are its conditions as they were, which
// keep their times if they stay the same.
func (f Facts) Status(node string, generation int64, previous []metav1.Condition, now time.Time) v1alpha1.HostStatus {
	ready := f.ready()
	ready.ObservedGeneration = generation
	ready.LastTransitionTime = metav1.NewTime(now.Truncate(time.Second))
	var conditions []metav1.Condition
	if old := meta.FindStatusCondition(previous, ready.Type); old != nil {
		conditions = append(conditions, *old)
	}
	meta.SetStatusCondition(&conditions, ready)
	return v1alpha1.HostStatus{
		NICs: f.NICs, NICNames: names(f.NICs), SystemName: node, ChassisID: node,
		Neighbors: f.View.Neighbors, Conditions: conditions,
	}
}

// names are those of the NICs as kubectl shows them, which can show one value of a
// list only.
func names(nics []v1alpha1.HostNIC) string {
	const most = 8 // of 15 characters
	var all []string
	for _, n := range nics[:min(len(nics), most)] {
		all = append(all, n.Name)
	}
	if rest := len(nics) - most; rest > 0 {
		return strings.Join(all, ",") + fmt.Sprintf(" and %d more", rest)
	}
	return strings.Join(all, ",")
}

// ready is the worst of what there is to say.
func (f Facts) ready() metav1.Condition {
	c := metav1.Condition{Type: v1alpha1.ConditionReady, Status: metav1.ConditionFalse}
	switch {
	case f.Unseen != nil:
		c.Reason, c.Message = ReasonNICsUnknown, fmt.Sprintf("The kernel does not tell the NICs: %v.", f.Unseen)
	case len(f.NICs) == 0:
		c.Reason, c.Message = ReasonNoNICs, "No network interface is hardware. In a lab, name those that count as such with --nics."
	case f.View.Silent != nil:
		c.Reason, c.Message = ReasonLLDPSilent, fmt.Sprintf("LLDP is not spoken: %v.", f.View.Silent)
	case f.View.Unsaved != nil:
		c.Reason, c.Message = ReasonNeighborsNotSaved, fmt.Sprintf("A restart begins without neighbours: %v.", f.View.Unsaved)
	default:
		c.Status, c.Reason = metav1.ConditionTrue, ReasonReady
	}
	c.Message = c.Message[:min(len(c.Message), maxMessage)]
	return c
}
