package plan

import (
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

// NoPort is why a host has no Place, so that pods on it wait.
type NoPort struct {
	host string
	// Reason for an event: NoHostAgent, HostAgentNotReady, NoCarrier, NoLLDP or NoLeaf.
	// Each cause has its own, since events of an object with one reason are one series
	// (events.k8s.io), of which people see the first message.
	Reason string
	// Why in one sentence, short enough for the error of a CNI plugin; WayOut is what
	// to look at, with the commands for it.
	Why, WayOut string
}

// Brief is why, and where the rest is told.
func (n NoPort) Brief() string { return fmt.Sprintf("%s See kubectl describe host %s.", n.Why, n.host) }

// String is all of it.
func (n NoPort) String() string { return cut(n.Why + " " + n.WayOut) }

// WhyNoPort looks for what a host lacks on the way from its agent to a leaf that it hears.
func WhyNoPort(h *v1alpha1.Host) NoPort {
	out := NoPort{host: h.Name}
	because := func(reason, why, wayOut string, args ...any) NoPort {
		out.Reason = reason
		out.Why = fmt.Sprintf("No switch port is known for %s: %s.", h.Name, why)
		out.WayOut = fmt.Sprintf(wayOut, args...) + " Or declare a Link."
		return out
	}
	name := func(n v1alpha1.HostNIC) string { return n.Name }
	ready := meta.FindStatusCondition(h.Status.Conditions, v1alpha1.ConditionReady)
	up := slices.DeleteFunc(slices.Clone(h.Status.NICs), func(n v1alpha1.HostNIC) bool { return !n.Up })
	switch {
	case ready != nil && ready.Status == metav1.ConditionFalse:
		return because("HostAgentNotReady", "its host agent reports "+ready.Reason,
			"The condition Ready of the Host says more, and so does the log of the node's pod of DaemonSet switchlet-host-agent.")
	case len(h.Status.NICs) == 0 && len(h.Spec.NICs) > 0:
		return because("NoLLDP", "no leaf hears "+namesOf(h.Spec.NICs, func(n v1alpha1.DeclaredNIC) string { return n.Name }),
			"A server without agent has to send its name by LLDP, or to send from a MAC address in spec.nics: `show lldp table` on the leaf lists what that hears.")
	case len(h.Status.NICs) == 0:
		return because("NoHostAgent", "no host agent has told of its NICs",
			"Have one run there: kubectl get pods -A -o wide -l app.kubernetes.io/name=switchlet-host-agent --field-selector spec.nodeName=%s.", h.Name)
	case len(up) == 0:
		return because("NoCarrier", "no carrier on "+namesOf(h.Status.NICs, name),
			"Plug in the cables, and switch on what is at their other ends: `show interfaces status` on the leaf.")
	case !hears(up, h.Status.Neighbors):
		return because("NoLLDP", "no LLDP is heard on "+namesOf(up, name),
			"See that the leaf sends it: `show feature status lldp` there, and `show lldp table`, which has to list %s.", h.Name)
	}
	return because("NoLeaf", "no leaf is heard on "+namesOf(up, name),
		"kubectl describe host %s says what is heard. A leaf has to be a Switch with role Leaf or Border (kubectl get switches), with the name that it sends.", h.Name)
}

// hears says whether anybody is heard on one of the NICs.
func hears(nics []v1alpha1.HostNIC, neighbors []v1alpha1.LLDPNeighbor) bool {
	return slices.ContainsFunc(neighbors, func(n v1alpha1.LLDPNeighbor) bool {
		return slices.ContainsFunc(nics, func(nic v1alpha1.HostNIC) bool { return nic.Name == n.Port })
	})
}

// namesOf are those of NICs, for people.
func namesOf[N any](nics []N, name func(N) string) string {
	all := make([]string, len(nics))
	for i, n := range nics {
		all[i] = name(n)
	}
	return Some(all)
}
