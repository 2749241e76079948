package frr

import "strconv"

// groups adds the peer groups and returns those that could be taken.
func (b *builder) groups(l *lines) []PeerGroup {
	var good []PeerGroup
	for _, g := range b.cfg.BGP.Groups {
		if !b.check(b.cfg.Owner, "Peer group "+strconv.Quote(g.Name)+" with its neighbours", func(c *checks) { c.group(&g) }) {
			continue
		}
		good = append(good, g)
		l.addf("neighbor %s peer-group", g.Name)
		l.addf("neighbor %s remote-as %s", g.Name, g.RemoteAS)
		if g.Description != "" {
			l.addf("neighbor %s description %s", g.Name, g.Description)
		}
		if g.BFD {
			l.addf("neighbor %s bfd", g.Name)
		}
		if g.HoldSeconds != 0 {
			l.addf("neighbor %s timers %d %d", g.Name, g.KeepaliveSeconds, g.HoldSeconds)
		}
		if g.ConnectSeconds != 0 {
			l.addf("neighbor %s timers connect %d", g.Name, g.ConnectSeconds)
		}
		if g.ExtendedNexthop {
			l.addf("neighbor %s capability extended-nexthop", g.Name)
		}
	}
	return good
}

func (b *builder) peers(l *lines, groups []PeerGroup) {
	known := map[string]bool{}
	for _, g := range groups {
		known[g.Name] = true
	}
	for _, p := range b.cfg.BGP.Peers {
		name, how := p.Interface, " interface v6only" // a /31 on the port would make FRR guess the neighbour
		if p.Address.IsValid() {
			name, how = p.Address.String(), ""
		}
		good := b.check(b.cfg.Owner, "Neighbour "+strconv.Quote(name), func(c *checks) { c.peer(&p) })
		if !good || !known[p.Group] {
			continue // a group that is left out has its problem already
		}
		l.addf("neighbor %s%s peer-group %s", name, how, p.Group)
		if p.Description != "" {
			l.addf("neighbor %s description %s", name, p.Description)
		}
	}
}

// family is what is exchanged with the neighbours of a group.
type family struct {
	field  string
	policy *Policy
}

const (
	familyIPv4 = iota
	familyIPv6
	familyEVPN
)

func (g *PeerGroup) families() []family {
	return []family{familyIPv4: {"ipv4", g.IPv4}, familyIPv6: {"ipv6", g.IPv6}, familyEVPN: {"evpn", g.EVPN}}
}

// familyLines are the statements in an address family of the default instance.
func familyLines(owner string, groups []PeerGroup, u *Unicast, which int) Tree {
	l := lines{owner: owner}
	l.redistribute(u)
	for _, g := range groups {
		policy := g.families()[which].policy
		if policy == nil {
			continue
		}
		l.addf("neighbor %s activate", g.Name)
		l.addf("neighbor %s route-map %s in", g.Name, policy.In)
		l.addf("neighbor %s route-map %s out", g.Name, policy.Out)
	}
	l.maxPaths(u)
	return l.nodes
}

func (l *lines) redistribute(u *Unicast) {
	switch {
	case u == nil || !u.Connected:
	case u.ConnectedMap != "":
		l.addf("redistribute connected route-map %s", u.ConnectedMap)
	default:
		l.addf("redistribute connected")
	}
}

func (l *lines) maxPaths(u *Unicast) {
	if u != nil && u.MaxPaths != 0 {
		l.addf("maximum-paths %d", u.MaxPaths)
	}
}
