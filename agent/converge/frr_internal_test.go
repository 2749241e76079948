package converge

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/switchlet/switchlet/agent/probe"
	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/sonic/frr"
)

// A neighbour works if all its address families do, and if it is gone because
// the spec says so.
func TestFoldedSessions(t *testing.T) {
	sessions := []frr.Neighbor{
		{VRF: "Vrf1", Family: "ipv4Unicast", Name: "10.9.0.1", State: "Idle"},
		{VRF: "default", Family: "ipv4Unicast", Name: "Ethernet0", State: "Established"},
		{VRF: "default", Family: "ipv4Unicast", Name: "Ethernet4", State: "Established"},
		{VRF: "default", Family: "l2VpnEvpn", Name: "Ethernet0", State: "Established"},
		{VRF: "default", Family: "l2VpnEvpn", Name: "Ethernet4", State: "Active"},
	}
	want := []probe.Neighbor{
		{VRF: "Vrf1", Peer: "10.9.0.1", Detail: "ipv4Unicast is Idle"},
		{VRF: "default", Peer: "Ethernet0", Established: true, Detail: "Established"},
		{VRF: "default", Peer: "Ethernet4", Detail: "l2VpnEvpn is Active"},
		{VRF: "default", Peer: "Ethernet8", Established: true, Detail: "taken away by the spec"},
	}
	got := folded(sessions, map[string]bool{"Ethernet8": true, "Ethernet4": true, "Ethernet12": false})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Neighbours that one spec takes away on trial stay taken away while the next one
// is on trial too, unless that brings them back.
func TestRetiredNeighbors(t *testing.T) {
	bgp := func(uplinks ...string) *v1alpha1.BGPConfig {
		return &v1alpha1.BGPConfig{BGP: v1alpha1.BGP{ASN: 65001, Uplinks: uplinks}}
	}
	gone := func(w *frrWorker) map[string]bool {
		all := map[string]bool{}
		for name, is := range w.retired {
			if is {
				all[name] = true
			}
		}
		return all
	}
	var w frrWorker
	for _, step := range []struct {
		was, is *v1alpha1.BGPConfig
		more    bool
		want    map[string]bool
	}{
		{bgp("a", "b", "c"), bgp("a"), false, map[string]bool{"b": true, "c": true}},
		{bgp("a"), bgp("b"), true, map[string]bool{"a": true, "c": true}},
		{bgp("b"), bgp("b", "d"), false, map[string]bool{}},
		{bgp("b"), nil, false, map[string]bool{"b": true}},
		{nil, bgp("b"), true, map[string]bool{}},
	} {
		w.retire(step.was, step.is, step.more)
		if diff := cmp.Diff(step.want, gone(&w)); diff != "" {
			t.Errorf("from %+v to %+v (-want +got):\n%s", step.was, step.is, diff)
		}
	}
}

func TestStatementsOfVRFs(t *testing.T) {
	tree := frr.Tree{{Line: "vrf Vrf1"}, {Line: "vrf Vrf10"}, {Line: "router bgp 65001"}, {Line: "router bgp 65001 vrf Vrf1"}, {Line: "route-map vrf permit 10"}}
	names := map[string]bool{"Vrf1": true}
	if diff := cmp.Diff(frr.Tree{tree[0], tree[3]}, ofVRFs(tree, names)); diff != "" {
		t.Errorf("of the VRF (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(frr.Tree{tree[1], tree[2], tree[4]}, withoutVRFs(tree, names)); diff != "" {
		t.Errorf("of the others (-want +got):\n%s", diff)
	}
}

// Without a record, what FRR has is the agent's only if there is a trace of it.
func TestAdoptedStatements(t *testing.T) {
	want := frr.Tree{{Line: traceOfAgent}, {Line: "vrf Vrf1", Inside: frr.Tree{{Line: "vni 1"}}}, {Line: "vrf Vrf2"}}
	if got := adopt(want[1:], want); got != nil {
		t.Errorf("adopted from somebody else: %v", got)
	}
	if diff := cmp.Diff(want[:2], adopt(want[:2], want)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
