package supervisor

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/switchlet/switchlet/deploy/lab/network"
	"github.com/switchlet/switchlet/deploy/lab/state"
)

func TestMembersOfALab(t *testing.T) {
	s := &supervisor{
		lab:  state.Lab{Name: "demo", Dir: "/labs/demo", Leaves: 2, Spines: 1, Hosts: 2},
		plan: network.NewPlan(netip.MustParsePrefix("198.18.3.0/24")),
	}
	var got []string
	for _, m := range s.members() {
		got = append(got, fmt.Sprintln(m.Spec.Name, m.Role, m.Spec.Address, m.Spec.Network, m.Spec.Taint, m.Spec.Switch, m.Spec.Cgroup, m.Spec.Archives, m.Spec.Labels))
	}
	want := []string{
		"leaf1 leaf 198.18.3.10/24 true fabric.switchlet.io/switch 1 /switchlet-lab/demo-368a7d04/leaf1 [pause.tar agent.tar] map[fabric.switchlet.io/role:leaf]\n",
		"leaf2 leaf 198.18.3.11/24 true fabric.switchlet.io/switch 2 /switchlet-lab/demo-368a7d04/leaf2 [pause.tar agent.tar] map[fabric.switchlet.io/role:leaf]\n",
		"spine1 spine 198.18.3.12/24 true fabric.switchlet.io/switch 3 /switchlet-lab/demo-368a7d04/spine1 [pause.tar agent.tar] map[fabric.switchlet.io/role:spine]\n",
		"host1  198.18.3.13/24 true  0 /switchlet-lab/demo-368a7d04/host1 [pause.tar host-agent.tar] map[app:web rack:a]\n",
		"host2  198.18.3.14/24 true  0 /switchlet-lab/demo-368a7d04/host2 [pause.tar host-agent.tar] map[app:db rack:a]\n",
		"cp1  198.18.3.1/24 false  0 /switchlet-lab/demo-368a7d04/cp1 [pause.tar host-agent.tar controller.tar] map[]\n",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("members (-want +got):\n%s", diff)
	}
}

// In User-Mode Linux only cp1, which is outside, has a kubelet.
func TestMembersOfALabInUserModeLinux(t *testing.T) {
	s := &supervisor{
		lab:  state.Lab{Name: "demo", Dir: "/labs/demo", Leaves: 1, Hosts: 1, UML: true, Programs: "/bin"},
		plan: network.NewPlan(netip.MustParsePrefix("198.18.3.0/24")),
	}
	for _, m := range s.members() {
		inside := m.Spec.Name != "cp1"
		if m.Spec.Kubelet == inside || m.Spec.InMemory != inside || (m.Spec.Programs == "/bin") != inside {
			t.Errorf("%s: kubelet %v, in memory %v, programs %q", m.Spec.Name, m.Spec.Kubelet, m.Spec.InMemory, m.Spec.Programs)
		}
	}
}
