package supervisor

import (
	"fmt"

	"github.com/switchlet/switchlet/deploy/lab/cabling"
	"github.com/switchlet/switchlet/deploy/lab/patch"
)

// cable plugs in the cables of a new lab, before anything runs in its nodes. A host
// has its NICs with or without cables.
func (s *supervisor) cable(members []member) error {
	fabric := cabling.Fabric{Leaves: s.lab.Leaves, Spines: s.lab.Spines, Hosts: s.lab.Hosts, Mesh: s.lab.Mesh}
	cables, err := fabric.Cables()
	if err != nil {
		return err
	}
	panel, err := patch.Open("/proc/self/ns/net", places(members))
	if err != nil {
		return err
	}
	defer panel.Close()
	wired := map[cabling.End]bool{}
	for _, c := range cables {
		if err := panel.Wire(c); err != nil {
			return err
		}
		wired[c.A], wired[c.B] = true, true
	}
	for host := range s.lab.Hosts {
		for n := range cabling.NICs {
			nic := cabling.End{Node: cabling.HostName(host + 1), Port: cabling.NICName(n + 1)}
			if wired[nic] {
				continue
			}
			if err := panel.AddNIC(nic); err != nil {
				return err
			}
		}
	}
	return nil
}

// places are the nodes with a network of their own.
func places(members []member) []patch.Place {
	var places []patch.Place
	for _, m := range members {
		if m.spec.Network {
			places = append(places, patch.Place{
				Name: m.spec.Name, Host: m.host, Namespace: fmt.Sprintf("/proc/%d/ns/net", m.sandbox.Pid()),
			})
		}
	}
	return places
}
