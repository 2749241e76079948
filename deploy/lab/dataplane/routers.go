package dataplane

import (
	"context"
	"errors"
	"maps"
	"net/netip"
	"time"

	"github.com/vishvananda/netlink"
)

// A route to another leaf leads to its VTEP by the interface of the VRF's L3 VNI,
// and needs the MAC address of that leaf's router. To an ASIC it comes with the
// route (fpmsyncd, router_mac of ROUTE_TABLE). The kernel has it in a neighbour and
// two entries of the bridge, which FRR 8.4 takes away when the route comes by another
// spine: a bug that the releases in SONiC do not have. So they are kept here as long
// as a route needs them.

// router is another leaf as next hop.
type router struct {
	device  string     // the interface of the L3 VNI
	address netip.Addr // of its VTEP, for IPv6 routes in its IPv4-mapped form
}

// routers are next hops and their MAC addresses.
type routers map[router]string

// repair is what has to be done so that all that are used are there. known is what
// FRR ever said, kept is what an earlier repair made.
func repair(used map[router]bool, have, known, kept routers) (add, remove routers) {
	add, remove = routers{}, routers{}
	for r, is := range used {
		if mac, ok := known[r]; is && ok && have[r] == "" {
			add[r] = mac
		}
	}
	for r, mac := range kept {
		if !used[r] && have[r] == mac {
			remove[r] = mac
		}
	}
	return add, remove
}

// patience is how long FRR may take to put back what it took away.
const patience = 300 * time.Millisecond

// keepRouters repairs whenever FRR takes something away, until ctx is done.
func (p *Plane) keepRouters(ctx context.Context) {
	known, kept := routers{}, routers{}
	for ctx.Err() == nil {
		news := make(chan netlink.NeighUpdate, 256)
		err := netlink.NeighSubscribeWithOptions(news, ctx.Done(), netlink.NeighSubscribeOptions{
			Namespace: p.kernel.namespace(), ErrorCallback: func(error) {},
		})
		if err != nil {
			p.log.Error("the data plane cannot follow neighbours", "error", err)
		}
		for open := err == nil; open && ctx.Err() == nil; {
			if err := p.keepOnce(known, kept); err != nil && ctx.Err() == nil {
				p.log.Warn("the MAC addresses of other leaves were not looked at, and are again", "error", err)
				pause(ctx, interval)
				continue
			}
			open = await(ctx, news)
			pause(ctx, patience)
		}
		pause(ctx, interval)
	}
}

// keepOnce notes what FRR says and puts back what is missing.
func (p *Plane) keepOnce(known, kept routers) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	transits := transitsOf(p.want)
	if len(transits) == 0 {
		return nil
	}
	indices, err := p.kernel.indices()
	if err != nil {
		return err
	}
	have, err1 := p.kernel.routers(transits, indices)
	used, err2 := p.kernel.usedRouters(transits, indices)
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	maps.Copy(known, have)
	add, remove := repair(used, have, known, kept)
	var problems []error
	maps.DeleteFunc(kept, func(r router, _ string) bool { return !used[r] })
	for r, mac := range remove {
		problems = append(problems, p.kernel.setRouter(indices, transits[r.device], r, mac, false))
	}
	for r, mac := range add {
		kept[r] = mac
		p.log.Info("FRR lost the MAC address of another leaf, which a route needs", "address", r.address, "mac", mac, "interface", r.device)
		problems = append(problems, p.kernel.setRouter(indices, transits[r.device], r, mac, true))
	}
	return errors.Join(problems...)
}

// transit is the interface of an L3 VNI.
type transit struct {
	vlan   int
	tunnel string // the VXLAN device
}

// transitsOf are the interfaces of L3 VNIs, by name.
func transitsOf(want Devices) map[string]transit {
	all := map[string]transit{}
	for name, d := range want {
		if d.Kind != VLAN || d.Master == "" || len(d.Addresses) > 0 {
			continue
		}
		for tunnel, t := range want {
			if _, ok := t.VLANs[d.ID]; ok && t.Kind == VXLAN {
				all[name] = transit{d.ID, tunnel}
			}
		}
	}
	return all
}
