package plug

import (
	"errors"
	"fmt"
	"net"
	"os"
	"slices"

	"github.com/vishvananda/netlink"
)

// ErrUnlike says that a pod's interface is not as the endpoint has it.
var ErrUnlike = errors.New("the pod's interface is another one")

// enter opens the network namespace of a pod, and finds the interface there. Nothing is
// changed in it.
func (r *Room) enter() error {
	e := &r.Endpoint
	file, err := os.Open(e.Namespace)
	if err != nil {
		return fmt.Errorf("network namespace of pod %s: %w", e.Pod, err)
	}
	r.file = file
	return r.with(func(h *netlink.Handle) error {
		link, err := h.LinkByName(e.NIC)
		if err != nil {
			return fmt.Errorf("interface %s of pod %s: %w", e.NIC, e.Pod, err)
		}
		have, err := h.AddrList(link, netlink.FAMILY_ALL)
		if err != nil {
			return err
		}
		for _, a := range e.Addresses {
			if !slices.ContainsFunc(have, func(h netlink.Addr) bool { return h.IP.Equal(net.IP(a.Addr().AsSlice())) }) {
				return fmt.Errorf("%w: %s of pod %s has no address %s", ErrUnlike, e.NIC, e.Pod, a.Addr())
			}
		}
		attrs := link.Attrs()
		if e.MTU == 0 {
			e.MTU = attrs.MTU
		}
		r.MAC, r.Index = attrs.HardwareAddr, attrs.Index
		return nil
	})
}
