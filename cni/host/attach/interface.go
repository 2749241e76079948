package attach

import (
	"net/netip"
	"slices"
	"time"

	"github.com/switchlet/switchlet/cni/host/journal"
	"github.com/switchlet/switchlet/cni/host/link"
	"github.com/switchlet/switchlet/cni/host/networks"
	"github.com/switchlet/switchlet/cni/host/request"
	"github.com/switchlet/switchlet/cni/host/result"
)

// interfaceOf is what the kernel has of an attachment. Its routes are those of the
// network as it is now; of one that the spec has no more, nobody knows them.
func (s *Service) interfaceOf(a journal.Attachment) link.Interface {
	mark := link.Mark{Key: a.Key, VNI: a.VNI, Mode: a.Mode, Default: a.DefaultRoute, Device: a.Device, Network: a.Network, Pod: a.Pod}
	i := link.Interface{
		Key: a.Key, Mode: a.Mode, MAC: a.HardwareAddr(), MTU: a.MTU, Parent: a.Parent, Addresses: a.Addresses, IPv6: a.IPv6,
		Device: a.Device, DeviceLink: a.DeviceLink, VLAN: a.VLAN, Alias: mark.Alias(),
	}
	now, _ := s.now()
	n := now.set.Get(a.VNI)
	if i.RoutesUnknown = n == nil; n == nil {
		return i
	}
	for _, r := range s.routesOf(n, a) {
		i.Routes = append(i.Routes, link.Route(r))
	}
	return i
}

// routesOf are the routes of an attachment: to the VPC's other subnets, and to
// everything if it asked for that. Where another interface of the pod leads already it
// has none: where that is in the subnet itself, or came first.
func (s *Service) routesOf(n *networks.Network, a journal.Attachment) []networks.Route {
	all, others := slices.Clone(n.Routes), s.cfg.Journal.Container(a.ContainerID)
	all = slices.DeleteFunc(all, func(r networks.Route) bool {
		return slices.ContainsFunc(others, func(other journal.Attachment) bool { return other.Key != a.Key && s.leads(other, r.To, a.Made) })
	})
	if a.DefaultRoute {
		all = append(all, n.Default()...)
	}
	return all
}

// leads reports whether an attachment leads somewhere, and so that one made later need
// not.
func (s *Service) leads(a journal.Attachment, to netip.Prefix, made time.Time) bool {
	if slices.ContainsFunc(a.Addresses, func(p netip.Prefix) bool { return p.Masked() == to }) {
		return true
	}
	now, _ := s.now()
	n := now.set.Get(a.VNI)
	return n != nil && a.Mode != request.Chained && a.Made.Before(made) && slices.ContainsFunc(n.Routes, func(r networks.Route) bool { return r.To == to })
}

// encode is the answer to an ADD.
func (s *Service) encode(r request.Request, a journal.Attachment) ([]byte, error) {
	if a.Mode == request.Chained {
		return result.Pass(r.Previous), nil
	}
	answer := result.Result{Interfaces: []result.Interface{{Name: a.IfName, MAC: a.MAC, MTU: a.MTU, Sandbox: r.NetnsPath, PCI: a.Device}}}
	if a.Mode == request.Bridge {
		answer.Interfaces = append(answer.Interfaces, result.Interface{Name: link.HostName(a.Key)})
	}
	now, _ := s.now()
	n := now.set.Get(a.VNI)
	for i, address := range a.Addresses {
		answer.IPs = append(answer.IPs, result.IP{Address: address, Gateway: gateway(n, a, i)})
	}
	if n != nil {
		for _, route := range s.routesOf(n, a) {
			answer.Routes = append(answer.Routes, result.Route(route))
		}
	}
	return answer.Encode(r.Version)
}

// gateway is that of an address. An attachment that was found without being in the
// journal has none of its own.
func gateway(n *networks.Network, a journal.Attachment, i int) netip.Addr {
	if i < len(a.Gateways) && a.Gateways[i].IsValid() {
		return a.Gateways[i]
	}
	if n == nil {
		return netip.Addr{}
	}
	for _, subnet := range n.Subnets {
		if subnet.CIDR.Contains(a.Addresses[i].Addr()) {
			return subnet.Gateway
		}
	}
	return netip.Addr{}
}
