package supervisor

import (
	"fmt"

	"github.com/switchlet/switchlet/deploy/lab/cabling"
	"github.com/switchlet/switchlet/deploy/lab/images"
	"github.com/switchlet/switchlet/deploy/lab/node"
	"github.com/switchlet/switchlet/deploy/lab/rack"
	"github.com/switchlet/switchlet/deploy/lab/registry"
)

// What the product says of a switch's Node.
const (
	roleLabel   = "fabric.switchlet.io/role"
	switchTaint = "fabric.switchlet.io/switch"
)

// members are the switches, the hosts, and last one node, cp1, for everything else.
func (s *supervisor) members() []rack.Member {
	var members []rack.Member
	for n := range s.lab.Leaves + s.lab.Spines {
		role, name := "leaf", fmt.Sprintf("leaf%d", n+1)
		if n >= s.lab.Leaves {
			role, name = "spine", fmt.Sprintf("spine%d", n-s.lab.Leaves+1)
		}
		members = append(members, rack.Member{Role: role, Spec: node.Spec{
			Name: name, Address: s.plan.Node(n), Network: true, Switch: n + 1, FRR: s.lab.FRR, Forward: s.lab.Forward, Services: s.lab.SwitchPods,
			Labels: map[string]string{roleLabel: role}, Taint: switchTaint,
			Archives: []string{images.Pause, images.Agent},
		}})
	}
	for n := range s.lab.Hosts {
		members = append(members, rack.Member{Host: true, Spec: node.Spec{
			Name: cabling.HostName(n + 1), Address: s.plan.Node(s.lab.Leaves + s.lab.Spines + n), Network: true,
			Labels: hostLabels(n + 1), Archives: []string{images.Pause, images.HostAgent},
		}})
	}
	members = append(members, rack.Member{Spec: node.Spec{
		Name: "cp1", Address: s.plan.ControlPlane(), Archives: []string{images.Pause, images.HostAgent, images.Controller},
	}})
	for i := range members {
		s.place(&members[i].Spec, members[i].Host && s.lab.HostPods || members[i].Spec.Services)
	}
	return members
}

// place says where a node has its files, and with them whether it has a kubelet: cp1
// has one, and the others if they are not in User-Mode Linux, or are to have pods.
func (s *supervisor) place(spec *node.Spec, pods bool) {
	spec.Dir = s.lab.NodeDir(spec.Name)
	spec.InMemory = spec.Network && s.lab.UML
	if spec.InMemory && !pods {
		spec.Programs, spec.Archives = s.lab.Programs, nil
		return
	}
	spec.Kubelet, spec.Registry = true, registry.Address(s.plan).String()
	spec.Cgroup = s.lab.Cgroup() + "/" + spec.Name
	spec.Binaries, spec.Images = s.lab.Binaries, s.lab.Images
}

// hostLabels are what the demonstration selects hosts by: all of them are in one
// rack, below leaf1 and leaf2, and serve the web and the database in turn.
func hostLabels(number int) map[string]string {
	app := "web"
	if number%2 == 0 {
		app = "db"
	}
	return map[string]string{"rack": "a", "app": app}
}
