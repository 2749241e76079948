package frr

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// Problem is a part of a Config that is left out, because FRR could not take it.
type Problem struct {
	Owner   string
	Message string
}

const (
	maxVNI = 1<<24 - 1
	// maxName is what FRR takes of the name of a VRF, peer group or route map.
	maxName = 36
	// maxInterface is what Linux takes, without the final NUL.
	maxInterface = 15
	// maxDescription is what FRR takes of a neighbour's (BUFSIZ of an input line).
	maxDescription = 80
)

// checks collects what is wrong with one part of a Config.
type checks struct{ wrong []string }

func (c *checks) failf(format string, args ...any) {
	c.wrong = append(c.wrong, fmt.Sprintf(format, args...))
}

// name keeps a word from being more than one, or a command.
func (c *checks) name(what, value string, longest int) {
	ok := value != "" && len(value) <= longest
	for _, r := range []byte(value) {
		alphanumeric := r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z'
		ok = ok && (alphanumeric || strings.IndexByte("-_.:/", r) >= 0)
	}
	if !ok {
		c.failf("%s %q is not a name of letters, digits and -_.:/ of at most %d bytes", what, value, longest)
	}
}

func (c *checks) optional(what, value string) {
	if value != "" {
		c.name(what, value, maxName)
	}
}

// number checks that a value is within bounds, or zero where that is a default.
func (c *checks) number(what string, value, least, most int) {
	if value < least || value > most {
		c.failf("%s %d is not between %d and %d", what, value, least, most)
	}
}

func (c *checks) text(what, value string) {
	if len(value) > maxDescription || strings.TrimSpace(value) != value {
		c.failf("%s %q has more than %d bytes or spaces around it", what, value, maxDescription)
	}
	for _, r := range []byte(value) {
		if r < ' ' || r > '~' {
			c.failf("%s %q has characters other than printable ASCII", what, value)
			return
		}
	}
}

func (c *checks) ipv4(what string, addr netip.Addr) {
	if !addr.Is4() {
		c.failf("%s %v is not an IPv4 address such as 10.255.0.1", what, addr)
	}
}

// extended checks a route target or route distinguisher (RFC 4360, RFC 4364):
// 2-byte AS or IPv4 address with a number, or 4-byte AS with a 2-byte number.
func (c *checks) extended(what, value string) {
	left, right, ok := strings.Cut(value, ":")
	most := uint64(65535)
	if as, err := strconv.ParseUint(left, 10, 32); err == nil {
		if as <= 65535 {
			most = 1<<32 - 1
		}
	} else if addr, err := netip.ParseAddr(left); err != nil || !addr.Is4() {
		ok = false
	}
	number, err := strconv.ParseUint(right, 10, 32)
	if !ok || err != nil || number > most {
		c.failf("%s %q is not ASN:number or IPv4 address:number, such as 65000:53001", what, value)
	}
}

// problem is what was found, as one message about the part.
func (c *checks) problem(owner, part string) []Problem {
	if len(c.wrong) == 0 {
		return nil
	}
	return []Problem{{Owner: owner, Message: fmt.Sprintf("%s is left out of FRR's configuration: %s. Correct it where it is compiled.",
		part, strings.Join(c.wrong, "; "))}}
}

func (c *checks) bgp(b *BGP) {
	if b.ASN == 0 {
		c.failf("asn is 0")
	}
	c.ipv4("routerID", b.RouterID)
	if g := b.GracefulRestart; g != nil {
		c.number("gracefulRestart.restartSeconds", g.RestartSeconds, 0, 4095)
		c.number("gracefulRestart.staleSeconds", g.StaleSeconds, 0, 4095)
		c.number("gracefulRestart.deferSeconds", g.DeferSeconds, 0, 3600)
	}
	c.unicast("ipv4", b.IPv4)
	c.unicast("ipv6", b.IPv6)
}

func (c *checks) unicast(what string, u *Unicast) {
	if u == nil {
		return
	}
	c.optional(what+".connectedMap", u.ConnectedMap)
	c.number(what+".maxPaths", u.MaxPaths, 0, 1024)
	for _, i := range u.Imports {
		c.name(what+".imports.vrf", i.VRF, maxInterface)
	}
	if len(u.Imports) > 0 || u.ImportMap != "" {
		c.name(what+".importMap", u.ImportMap, maxName)
	}
}

func (c *checks) group(g *PeerGroup) {
	c.name("name", g.Name, maxName)
	if as, err := strconv.ParseUint(g.RemoteAS, 10, 32); g.RemoteAS != "external" && g.RemoteAS != "internal" && (err != nil || as == 0) {
		c.failf("remoteAS %q is not external, internal or an AS number", g.RemoteAS)
	}
	c.text("description", g.Description)
	c.number("keepaliveSeconds", g.KeepaliveSeconds, 0, 65535)
	c.number("holdSeconds", g.HoldSeconds, 0, 65535)
	c.number("connectSeconds", g.ConnectSeconds, 0, 65535)
	if (g.KeepaliveSeconds == 0) != (g.HoldSeconds == 0) || g.HoldSeconds > 0 && g.HoldSeconds < 3 {
		c.failf("keepaliveSeconds %d and holdSeconds %d: give both, the hold time with 3 or more, or none", g.KeepaliveSeconds, g.HoldSeconds)
	}
	for _, f := range g.families() {
		if f.policy != nil {
			c.name(f.field+".in", f.policy.In, maxName)
			c.name(f.field+".out", f.policy.Out, maxName)
		}
	}
}

func (c *checks) peer(p *Peer) {
	switch {
	case (p.Interface == "") == !p.Address.IsValid():
		c.failf("interface %q and address %v: give one of them", p.Interface, p.Address)
	case p.Interface != "":
		c.name("interface", p.Interface, maxInterface)
	case p.Address.Zone() != "" || p.Address.Is4In6():
		c.failf("address %v has a zone or is IPv4 in IPv6", p.Address)
	}
	c.name("group", p.Group, maxName)
	c.text("description", p.Description)
}

func (c *checks) vrf(v *VRF) {
	c.name("name", v.Name, maxInterface)
	c.number("vni", v.VNI, 1, maxVNI)
	if v.RouterID.IsValid() {
		c.ipv4("routerID", v.RouterID)
	}
	c.unicast("ipv4", v.IPv4)
	c.unicast("ipv6", v.IPv6)
	if v.RD != "" {
		c.extended("rd", v.RD)
	}
	for _, rt := range v.Import {
		c.extended("import", rt)
	}
	for _, rt := range v.Export {
		c.extended("export", rt)
	}
}
