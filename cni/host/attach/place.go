package attach

import (
	"fmt"
	"slices"
	"time"

	"github.com/switchlet/switchlet/cni/host/journal"
	"github.com/switchlet/switchlet/cni/host/networks"
	"github.com/switchlet/switchlet/cni/host/request"
	"github.com/switchlet/switchlet/cni/protocol"
)

// place decides what an interface is attached to, and its MTU.
func (s *Service) place(n *networks.Network, r request.Request, a *journal.Attachment) error {
	if a.MTU == 0 {
		a.MTU = n.MTU
	}
	switch r.Mode {
	case request.Chained:
		return nil
	case request.SRIOV:
		return s.placeFunction(n, r, a)
	case request.Bridge:
		if err := s.bridge(n, r); err != nil {
			return err
		}
	case request.Macvlan:
	}
	name, mtu, err := s.parent(n)
	if err != nil {
		return err
	}
	if r.MTU > mtu {
		return &protocol.Error{Code: protocol.CodeInvalidConfig, Message: fmt.Sprintf("network configuration %q: mtu is %d, and that of network %s on this host is %d", r.Network, r.MTU, n.Name(), mtu),
			Details: "ask for less, or leave it out"}
	}
	a.Parent = name
	if a.MTU == 0 || a.MTU > mtu {
		a.MTU = mtu
	}
	return nil
}

// bridge sees to it that a network has its bridge. Pods that are attached to the
// uplink itself are in its way: the kernel hands frames to one of them only.
func (s *Service) bridge(n *networks.Network, r request.Request) error {
	s.mu.Lock()
	there := !s.bridges[n.VNI].IsZero()
	if there {
		s.bridges[n.VNI] = time.Now()
	}
	s.mu.Unlock()
	if there {
		return nil
	}
	if pods := s.cfg.Journal.Count(n.VNI, request.Macvlan); pods > 0 {
		return &protocol.Error{Code: protocol.CodeInvalidConfig, Message: fmt.Sprintf("network configuration %q: mode is bridge, and %d pods on this host are in network %s in mode macvlan", r.Network, pods, n.Name()),
			Details: "use one mode in all NetworkAttachmentDefinitions of a subnet"}
	}
	s.mu.Lock()
	s.bridges[n.VNI] = time.Now()
	s.mu.Unlock()
	now := s.renew()
	if err := now.failed[n.VNI]; err != nil {
		return refusing(n, err)
	}
	return nil
}

// placeFunction finds the uplink that a virtual function is of.
func (s *Service) placeFunction(n *networks.Network, r request.Request, a *journal.Attachment) error {
	f, err := s.cfg.Host.Function(r.DeviceID)
	if err != nil {
		return &protocol.Error{Code: protocol.CodeInvalidConfig, Message: fmt.Sprintf("network %s: %v", n.Name(), err),
			Details: "the pod's device has to be a virtual function of a NIC that leads to the network"}
	}
	devices, err := s.cfg.Host.Devices()
	if err != nil {
		return err
	}
	for _, d := range devices {
		if !slices.Contains(f.Physical, d.Name) {
			continue
		}
		for _, u := range n.Uplinks {
			if u.NIC == d.Name || u.NIC == d.Master {
				a.Parent, a.Device, a.DeviceLink, a.VLAN = d.Name, r.DeviceID, f.Link, int(u.VLAN)
				return nil
			}
		}
	}
	return &protocol.Error{Code: protocol.CodeInvalidConfig,
		Message: fmt.Sprintf("device %s is of NIC %v, which does not lead to network %s", r.DeviceID, f.Physical, n.Name()),
		Details: "have the device plugin offer functions of cabled NICs only"}
}
