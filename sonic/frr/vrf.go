package frr

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
)

// goodVRFs are the tenants that FRR can take. A name or VNI that comes twice is
// the first one's.
func (b *builder) goodVRFs() []VRF {
	var good []VRF
	names, vnis := map[string]bool{}, map[int]bool{}
	for _, v := range b.cfg.VRFs {
		ok := b.check(b.owner(v.Owner), "VRF "+strconv.Quote(v.Name), func(c *checks) {
			c.vrf(&v)
			if names[v.Name] || vnis[v.VNI] {
				c.failf("name %q or vni %d is another VRF's", v.Name, v.VNI)
			}
		})
		if ok {
			names[v.Name], vnis[v.VNI] = true, true
			good = append(good, v)
		}
	}
	return good
}

func (b *builder) vrfs(vrfs []VRF) {
	for _, v := range vrfs {
		owner := b.owner(v.Owner)
		b.add(owner, "vrf "+v.Name, Node{Line: "vni " + strconv.Itoa(v.VNI), Owner: owner})
	}
}

// instances are the tenants' BGP instances.
func (b *builder) instances(instance string, vrfs []VRF) {
	for _, v := range vrfs {
		l := lines{owner: b.owner(v.Owner)}
		if v.RouterID.IsValid() {
			l.addf("bgp router-id %v", v.RouterID)
		}
		l.family("ipv4 unicast", v.unicast(l.owner, v.IPv4))
		l.family("ipv6 unicast", v.unicast(l.owner, v.IPv6))
		l.family("l2vpn evpn", v.evpn(l.owner))
		b.add(l.owner, fmt.Sprintf("%s vrf %s", instance, v.Name), l.nodes...)
	}
}

func (v *VRF) unicast(owner string, u *Unicast) Tree {
	l := lines{owner: owner}
	l.redistribute(u)
	l.maxPaths(u)
	l.imports(u)
	return l.nodes
}

// imports are made by the route map first, and then one VRF after the other. None of
// them is a matter of the VRF's owner.
func (l *lines) imports(u *Unicast) {
	if u == nil || len(u.Imports) == 0 {
		return
	}
	l.nodes = append(l.nodes, Node{Line: importMap + u.ImportMap, Owner: cmp.Or(u.Imports[0].Owner, l.owner)})
	for _, i := range u.Imports {
		l.nodes = append(l.nodes, Node{Line: "import vrf " + i.VRF, Owner: cmp.Or(i.Owner, l.owner)})
	}
}

func (v *VRF) evpn(owner string) Tree {
	l := lines{owner: owner}
	if v.IPv4 != nil {
		l.addf("advertise ipv4 unicast")
	}
	if v.IPv6 != nil {
		l.addf("advertise ipv6 unicast")
	}
	if v.RD != "" {
		l.addf("rd %s", v.RD)
	}
	for _, rt := range unique(v.Import) {
		l.addf("route-target import %s", rt)
	}
	for _, rt := range unique(v.Export) {
		l.addf("route-target export %s", rt)
	}
	return l.nodes
}

func unique(list []string) []string {
	list = slices.Clone(list)
	slices.Sort(list)
	return slices.Compact(list)
}
