package frr

import (
	"fmt"
	"strconv"
)

func (b *builder) prefixLists() {
	for _, list := range b.cfg.PrefixLists {
		if !b.check(b.owner(list.Owner), "Prefix list "+strconv.Quote(list.Name), func(c *checks) { c.prefixList(&list) }) {
			continue
		}
		family := "ip"
		if list.IPv6 {
			family = "ipv6"
		}
		for _, e := range list.Entries {
			line := fmt.Sprintf("%s prefix-list %s seq %d %s %v", family, list.Name, e.Sequence, permit(e.Deny), e.Prefix)
			if e.MaxLength != 0 {
				line += fmt.Sprintf(" le %d", e.MaxLength)
			}
			b.add(b.owner(list.Owner), line)
		}
	}
}

func (c *checks) prefixList(list *PrefixList) {
	c.name("name", list.Name, maxName)
	seen := map[int]bool{}
	for _, e := range list.Entries {
		c.number("sequence", e.Sequence, 1, 1<<31-1)
		if seen[e.Sequence] {
			c.failf("sequence %d comes twice", e.Sequence)
		}
		seen[e.Sequence] = true
		switch {
		case !e.Prefix.IsValid() || e.Prefix != e.Prefix.Masked() || e.Prefix.Addr().Is4() == list.IPv6:
			c.failf("prefix %v is not a network of the list's family", e.Prefix)
		case e.MaxLength != 0:
			c.number("maxLength", e.MaxLength, e.Prefix.Bits()+1, e.Prefix.Addr().BitLen())
		}
	}
}

func (b *builder) routeMaps() {
	for _, m := range b.cfg.RouteMaps {
		if !b.check(b.owner(m.Owner), "Route map "+strconv.Quote(m.Name), func(c *checks) { c.routeMap(&m) }) {
			continue
		}
		for _, e := range m.Entries {
			l := lines{owner: b.owner(m.Owner)}
			e.lines(&l)
			b.add(l.owner, fmt.Sprintf("route-map %s %s %d", m.Name, permit(e.Deny), e.Sequence), l.nodes...)
		}
	}
}

func (e *RouteMapEntry) lines(l *lines) {
	if e.MatchInterface != "" {
		l.addf("match interface %s", e.MatchInterface)
	}
	if e.MatchSourceVRF != "" {
		l.addf("match source-vrf %s", e.MatchSourceVRF)
	}
	if e.MatchPrefixes4 != "" {
		l.addf("match ip address prefix-list %s", e.MatchPrefixes4)
	}
	if e.MatchPrefixes6 != "" {
		l.addf("match ipv6 address prefix-list %s", e.MatchPrefixes6)
	}
	if e.NoAdvertise {
		l.addf("set community no-advertise")
	}
	if e.SetSource.IsValid() {
		l.addf("set src %v", e.SetSource)
	}
}

func (c *checks) routeMap(m *RouteMap) {
	c.name("name", m.Name, maxName)
	seen := map[int]bool{}
	for _, e := range m.Entries {
		c.number("sequence", e.Sequence, 1, 65535)
		if seen[e.Sequence] {
			c.failf("sequence %d comes twice", e.Sequence)
		}
		seen[e.Sequence] = true
		if e.MatchInterface != "" {
			c.name("matchInterface", e.MatchInterface, maxInterface)
		}
		if e.MatchSourceVRF != "" {
			c.name("matchSourceVRF", e.MatchSourceVRF, maxInterface)
		}
		c.optional("matchPrefixes4", e.MatchPrefixes4)
		c.optional("matchPrefixes6", e.MatchPrefixes6)
		if e.SetSource.Zone() != "" {
			c.failf("setSource %v has a zone", e.SetSource)
		}
	}
}

// permit is a word of route maps and prefix lists.
func permit(deny bool) string {
	if deny {
		return "deny"
	}
	return "permit"
}
