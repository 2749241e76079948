package plan

import (
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/controller/topology"
)

// NoPort is why a host has no Place, or none at the NIC that pods name, so that they wait.
type NoPort struct {
	host string
	// Reason for an event: NoHostAgent, HostAgentNotReady, NoCarrier, NoLLDP, NoLeaf
	// or NICNotFound. Each cause has its own, since events of an object with one reason
	// are one series (events.k8s.io), of which people see the first message.
	Reason string
	// Why in one sentence, short enough for the error of a CNI plugin; WayOut is what
	// to look at, with the commands for it.
	Why, WayOut string
}

// Brief is why, and where the rest is told.
func (n NoPort) Brief() string { return fmt.Sprintf("%s See kubectl describe host %s.", n.Why, n.host) }

// String is all of it.
func (n NoPort) String() string { return cut(n.Why + " " + n.WayOut) }

// WhyNoPort looks for what a host lacks on the way from its agent to a leaf that it hears,
// at the NIC or bond that pods name as master if they name one.
func WhyNoPort(h *v1alpha1.Host, master string) NoPort {
	out, where, nics := NoPort{host: h.Name}, h.Name, h.Status.NICs
	if master != "" && len(nics) > 0 {
		where, nics = master+" of "+h.Name, nicsOf(h, master)
	}
	if master != "" && !HasNIC(h, master) {
		out.Reason = "NICNotFound"
		out.Why = fmt.Sprintf("%s has no NIC %s, which \"master\" names: it has %s.", h.Name, master, Some(nicNames(h)))
		out.WayOut = `Name another one in the NetworkAttachmentDefinition, or leave "master" out.`
		return out
	}
	because := func(reason, why, wayOut string, args ...any) NoPort {
		out.Reason = reason
		out.Why = fmt.Sprintf("No switch port is known for %s: %s.", where, why)
		out.WayOut = fmt.Sprintf(wayOut, args...) + " Or declare a Link."
		return out
	}
	name := func(n v1alpha1.HostNIC) string { return n.Name }
	ready := meta.FindStatusCondition(h.Status.Conditions, v1alpha1.ConditionReady)
	up := slices.DeleteFunc(slices.Clone(nics), func(n v1alpha1.HostNIC) bool { return !n.Up })
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
		return because("NoCarrier", "no carrier on "+namesOf(nics, name),
			"Plug in the cables, and switch on what is at their other ends: `show interfaces status` on the leaf.")
	case !hears(up, h.Status.Neighbors):
		return because("NoLLDP", "no LLDP is heard on "+namesOf(up, name),
			"See that the leaf sends it: `show feature status lldp` there, and `show lldp table`, which has to list %s.", h.Name)
	}
	return because("NoLeaf", "no leaf is heard on "+namesOf(up, name),
		"kubectl describe host %s says what is heard. A leaf has to be a Switch with role Leaf or Border (kubectl get switches), with the name that it sends.", h.Name)
}

// nicsOf are the NICs of a host that somebody means who names one of them, or a bond.
func nicsOf(h *v1alpha1.Host, name string) []v1alpha1.HostNIC {
	return slices.DeleteFunc(slices.Clone(h.Status.NICs), func(n v1alpha1.HostNIC) bool {
		return !meant([]string{name}, topology.Place{NIC: n.Name, Bond: n.Bond}, h.Status.NICs)
	})
}

// HasNIC says whether a host has a NIC, or a bond, of this name. As long as nobody has
// told its NICs, it may.
func HasNIC(h *v1alpha1.Host, name string) bool {
	return len(h.Status.NICs) == 0 || len(nicsOf(h, name)) > 0
}

// nicNames are all names that NICs of a host can be meant by: first their own, then
// those of bonds.
func nicNames(h *v1alpha1.Host) []string {
	var names, bonds []string
	for _, n := range h.Status.NICs {
		names = append(names, n.Name)
		if n.Bond != "" && !slices.Contains(bonds, n.Bond) {
			bonds = append(bonds, n.Bond)
		}
	}
	return append(names, bonds...)
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
