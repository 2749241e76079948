package frr

import (
	"fmt"
	"strconv"
)

// Build turns a Config into FRR's statements, in the order in which FRR writes
// and takes them. A part that FRR could not take is left out, with a problem;
// the others do not suffer from it.
func Build(cfg *Config) (Tree, []Problem) {
	b := builder{cfg: cfg}
	b.prefixLists()
	b.routeMaps()
	b.sources()
	if cfg.BGP != nil {
		b.underlay()
	} else if len(cfg.VRFs) > 0 {
		b.problems = append(b.problems, Problem{cfg.Owner, "The VRFs are left out of FRR's configuration: there is no bgp. Give the switch an ASN."})
	}
	return b.tree, b.problems
}

type builder struct {
	cfg      *Config
	tree     Tree
	problems []Problem
}

// check reports whether a part can be taken.
func (b *builder) check(owner, part string, check func(*checks)) bool {
	var c checks
	check(&c)
	b.problems = append(b.problems, c.problem(owner, part)...)
	return len(c.wrong) == 0
}

func (b *builder) add(owner, line string, inside ...Node) {
	b.tree = append(b.tree, Node{Line: line, Owner: owner, Inside: inside})
}

// owner of a part: its own, or that of the whole.
func (b *builder) owner(own string) string {
	if own == "" {
		return b.cfg.Owner
	}
	return own
}

// sources are the source addresses of routes learnt by BGP.
func (b *builder) sources() {
	for _, s := range []struct{ family, routeMap string }{{"ip", b.cfg.Source4}, {"ipv6", b.cfg.Source6}} {
		if s.routeMap != "" && b.check(b.cfg.Owner, "The source of "+s.family+" routes", func(c *checks) { c.name("route map", s.routeMap, maxName) }) {
			b.add(b.cfg.Owner, s.family+" protocol bgp route-map "+s.routeMap)
		}
	}
}

// underlay is the default instance, and what depends on it.
func (b *builder) underlay() {
	bgp := b.cfg.BGP
	if !b.check(b.cfg.Owner, "BGP with all VRFs", func(c *checks) { c.bgp(bgp) }) {
		return
	}
	owner := b.cfg.Owner
	lines := lines{owner: owner}
	lines.addf("bgp router-id %v", bgp.RouterID)
	lines.addf("no bgp default ipv4-unicast")
	if bgp.GracefulShutdown {
		lines.addf("bgp graceful-shutdown")
	}
	lines.gracefulRestart(bgp.GracefulRestart)
	if bgp.MultipathRelax {
		lines.addf("bgp bestpath as-path multipath-relax")
	}
	groups := b.groups(&lines)
	b.peers(&lines, groups)
	lines.family("ipv4 unicast", familyLines(owner, groups, bgp.IPv4, familyIPv4))
	lines.family("ipv6 unicast", familyLines(owner, groups, bgp.IPv6, familyIPv6))
	evpn := familyLines(owner, groups, nil, familyEVPN)
	if bgp.EVPN {
		evpn = append(evpn, Node{Line: "advertise-all-vni", Owner: owner})
	}
	lines.family("l2vpn evpn", evpn)
	instance := "router bgp " + strconv.FormatUint(uint64(bgp.ASN), 10)
	vrfs := b.goodVRFs()
	b.vrfs(vrfs)
	b.add(owner, instance, lines.nodes...)
	b.instances(instance, vrfs)
}

// lines are the statements inside of a context.
type lines struct {
	owner string
	nodes Tree
}

func (l *lines) addf(format string, args ...any) {
	l.nodes = append(l.nodes, Node{Line: fmt.Sprintf(format, args...), Owner: l.owner})
}

// family adds an address family that has anything in it.
func (l *lines) family(name string, inside Tree) {
	if len(inside) > 0 {
		l.nodes = append(l.nodes, Node{Line: "address-family " + name, Owner: l.owner, Inside: inside})
	}
}

func (l *lines) gracefulRestart(g *GracefulRestart) {
	if g == nil {
		return
	}
	// FRR writes neither of its default times (RFC 4724; 120 s and 360 s).
	if g.RestartSeconds != 0 && g.RestartSeconds != 120 {
		l.addf("bgp graceful-restart restart-time %d", g.RestartSeconds)
	}
	if g.StaleSeconds != 0 && g.StaleSeconds != 360 {
		l.addf("bgp graceful-restart stalepath-time %d", g.StaleSeconds)
	}
	if g.NoNotification {
		l.addf("no bgp graceful-restart notification")
	}
	if g.DeferSeconds != 0 {
		l.addf("bgp graceful-restart select-defer-time %d", g.DeferSeconds)
	}
	l.addf("bgp graceful-restart")
	if g.PreserveForwarding {
		l.addf("bgp graceful-restart preserve-fw-state")
	}
}
