package plan

import (
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

// What is missing on a host's way to a leaf is told by what its agent says, the first
// thing first, and each with where to look.
func TestWhyNoPort(t *testing.T) {
	up := []v1alpha1.HostNIC{{Name: "eth0", Up: true}, {Name: "eth1"}, {Name: "eth2", Up: true}}
	many := []v1alpha1.HostNIC{{Name: "a", Up: true}, {Name: "b", Up: true}, {Name: "c", Up: true}, {Name: "d", Up: true}, {Name: "e", Up: true}, {Name: "f", Up: true}}
	bond := append(slices.Clone(up), v1alpha1.HostNIC{Name: "eth3", Bond: "bond0", Up: true}, v1alpha1.HostNIC{Name: "eth4", Bond: "bond0", Up: true})
	heard := []v1alpha1.LLDPNeighbor{{Port: "eth0", SystemName: "nas"}}
	reports := func(status metav1.ConditionStatus, reason string) []metav1.Condition {
		return []metav1.Condition{{Type: v1alpha1.ConditionReady, Status: status, Reason: reason}}
	}
	for _, c := range []struct {
		name        string
		master      string
		spec        v1alpha1.HostSpec
		status      v1alpha1.HostStatus
		reason      string
		why, wayOut string
	}{
		{"no agent", "eth7", v1alpha1.HostSpec{}, v1alpha1.HostStatus{}, "NoHostAgent", "no host agent has told of its NICs", "--field-selector spec.nodeName=host1"},
		{"an agent that sees no NICs", "", v1alpha1.HostSpec{}, v1alpha1.HostStatus{Conditions: reports(metav1.ConditionFalse, "NoNICs")}, "HostAgentNotReady", "its host agent reports NoNICs", "condition Ready of the Host"},
		{"an agent that cannot speak", "", v1alpha1.HostSpec{}, v1alpha1.HostStatus{NICs: up, Conditions: reports(metav1.ConditionFalse, "LLDPSilent")}, "HostAgentNotReady", "its host agent reports LLDPSilent", "DaemonSet switchlet-host-agent"},
		{"no cable", "", v1alpha1.HostSpec{}, v1alpha1.HostStatus{NICs: up[1:2]}, "NoCarrier", "no carrier on eth1", "`show interfaces status`"},
		{"no LLDP", "", v1alpha1.HostSpec{}, v1alpha1.HostStatus{NICs: up, Conditions: reports(metav1.ConditionTrue, "Ready")}, "NoLLDP", "no LLDP is heard on eth0, eth2", "`show lldp table`, which has to list host1"},
		{"no LLDP on many NICs", "", v1alpha1.HostSpec{}, v1alpha1.HostStatus{NICs: many}, "NoLLDP", "no LLDP is heard on a, b, c, d and 2 more", ""},
		{"somebody else", "", v1alpha1.HostSpec{}, v1alpha1.HostStatus{NICs: up, Neighbors: heard}, "NoLeaf", "no leaf is heard on eth0, eth2", "kubectl get switches"},
		{"a server without agent", "", v1alpha1.HostSpec{NICs: []v1alpha1.DeclaredNIC{{Name: "ens1"}}}, v1alpha1.HostStatus{}, "NoLLDP", "no leaf hears ens1", "spec.nics"},
		{"no carrier on the NIC that is named", "eth1", v1alpha1.HostSpec{}, v1alpha1.HostStatus{NICs: up, Neighbors: heard}, "NoCarrier", "no carrier on eth1", ""},
		{"no LLDP on the bond that is named", "bond0", v1alpha1.HostSpec{}, v1alpha1.HostStatus{NICs: bond, Neighbors: heard}, "NoLLDP", "no LLDP is heard on eth3, eth4", ""},
		{"no LLDP on the bond of the NIC that is named", "eth4", v1alpha1.HostSpec{}, v1alpha1.HostStatus{NICs: bond, Neighbors: heard}, "NoLLDP", "no LLDP is heard on eth3, eth4", ""},
	} {
		h := host1()
		h.Spec, h.Status = c.spec, c.status
		got := WhyNoPort(h, c.master)
		where := "host1"
		if c.master != "" && len(c.status.NICs) > 0 {
			where = c.master + " of host1"
		}
		if got.Reason != c.reason || got.Why != "No switch port is known for "+where+": "+c.why+"." || !strings.Contains(got.WayOut, c.wayOut) || !strings.HasSuffix(got.WayOut, " Or declare a Link.") {
			t.Errorf("%s: %q, want %q and %q", c.name, got, c.why, c.wayOut)
		}
		// It stands in the error of a CNI plugin, behind the network's name.
		if text := got.Brief(); len(text) > 125 || !strings.HasSuffix(text, "See kubectl describe host host1.") {
			t.Errorf("%s: in brief, %d bytes: %q", c.name, len(text), text)
		}
	}
}

// A NIC that a host does not have is named, with those that it has.
func TestNoSuchNIC(t *testing.T) {
	h := host1()
	if !HasNIC(h, "ens9") {
		t.Error("nobody has told its NICs, so it may have one")
	}
	h.Status.NICs = []v1alpha1.HostNIC{{Name: "eth0", Bond: "bond0"}, {Name: "eth1", Bond: "bond0"}, {Name: "eth2"}}
	for name, has := range map[string]bool{"eth0": true, "bond0": true, "eth2": true, "ens9": false, "bond": false} {
		if HasNIC(h, name) != has {
			t.Errorf("%s: want %t", name, has)
		}
	}
	const want = `host1 has no NIC ens9, which "master" names: it has eth0, eth1, eth2, bond0. Name another one`
	if got := WhyNoPort(h, "ens9"); got.Reason != "NICNotFound" || !strings.HasPrefix(got.String(), want) {
		t.Errorf("%q", got)
	}
}
