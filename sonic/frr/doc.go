// Package frr knows the part of FRRouting's configuration that Switchlet needs:
// the underlay's BGP, EVPN, and for each tenant a VRF with its L3 VNI. SONiC's
// CONFIG_DB cannot express it, so it goes to FRR itself.
//
// The way through it is
//
//	Config               → Build → Tree: statements, each with its owner; Problems
//	Tree                 → File  → frr.conf, for the next start of FRR
//	show running-config  → Parse → Tree
//	Delta(have, want, owned)     → Plan: ordered commands, conflicts, what to record as owned
//	Session.Apply                → the plan carried out and read back
//
// All but the session, its shells and WriteFile is pure. Where a comment names
// an FRR version, it was seen on that version's daemons.
//
// # Two shells
//
// A Session talks to FRR through a Shell. Sockets speaks to the daemons' vty
// sockets itself: a tenant takes milliseconds. It needs the folder of the
// sockets, which stock SONiC keeps inside the bgp container. Vtysh types into one
// process of FRR's own shell for a whole change, by whatever brings a command
// into the container; it takes a quarter of a second. Without a terminal it shows the
// end only of lines that are longer than 80 columns.
//
// Both give FRR one line after the other and hear the answer to each, so that one
// refused line stops nobody, and mgmtd (FRR 10) commits each line by itself. A
// file (vtysh -f, -b) is committed as a whole: one refused line takes others along, on
// FRR 10.7 all L3 VNIs and static routes, and mgmtd then refuses the next change for
// that line as well (FRR 10.3: all changes until it is restarted). So what is left of
// a change is sent a second time.
//
// Neither trusts answers: what is not in the running configuration afterwards
// was refused. Which daemon takes which statement differs between versions (FRR
// 10 moved VRFs, route maps and prefix lists of zebra to mgmtd), so Sockets asks
// all of them, and one that does not know a command has no say in it.
//
// # What FRR needs to be handled with care
//
//   - A VRF's instance goes after its L3 VNI: until bgpd has heard that the VNI is
//     gone it refuses.
//   - FRR 8.4 aborts when an instance goes that has route targets: they go first.
//   - "no vrf" of a VRF that the kernel has is refused, and on FRR 10.3 may leave
//     mgmtd unable to take anything: it is sent for inactive VRFs only.
//   - FRR 10.7 takes an L3 VNI for a VRF that has another one, which FRR 8.4 refuses:
//     the old one is taken back first in any case.
//   - bgpd has prefix lists and route maps of its own, beside those of zebra (FRR 8.4) or
//     of mgmtd and zebra (FRR 10.7). When it is started anew alone, it alone lacks them,
//     and filters all away: they are there only if bgpd has them. In what FRR's own shell
//     puts together this cannot be seen.
//   - A neighbour takes all that is said of it along, a peer group its members.
//   - "no bgp default ipv4-unicast" turns around what others say of their
//     neighbours: it stays as long as they have statements in the instance.
//   - "import vrf" without a route map takes all over: it is sent only once FRR shows
//     the route map, and goes before the route map does. FRR writes that one as
//     "route-map vpn import" as soon as nothing is imported.
//   - A route map that is changed is in force for routes that come at once, and seconds
//     later for those that are there. The route map of imports is therefore replaced
//     by one of another name, which FRR does at once.
//   - What is imported is announced as the VRF's own type 5 routes, also by those who
//     only took it over, unless it has the community no-advertise (FRR 8.4: seen).
//   - The default of maximum-paths depends on how FRR was built, and a route
//     distinguisher like FRR's own is taken without being noted: neither shows in
//     the running configuration. The session remembers that it was taken.
package frr
