// Package wire says by LLDP (IEEE 802.1AB-2016) on this machine's links who it is,
// and hears who is at their other ends.
//
// An Agent has one packet socket and one netlink subscription for all links, and a
// fixed number of goroutines. What it does is decided by pure code with the time as
// an argument: the engine, made of a table of neighbours (entry.go), a schedule of
// frames to send (schedule.go) and a bound on the work for others (bucket.go). The
// socket, the links and the clock are in socket.go, links.go, carrier.go and agent.go.
//
// Who was heard before the link last lost its carrier is stale, however short that was:
// the kernel's count of losses tells, with each change of the link and before a frame
// is heard (carrier.go, lost.go).
//
//	netlink ── links ──┐                      ┌── frames to send ──┐
//	clock ─────────────┼──► engine (pure) ────┤                    socket
//	socket ── frames ──┘                      └── Ports, Neighbors, Changed
//
// Other LLDP daemons on the machine, such as lldpd, hear the same frames and are
// not disturbed. A port of a Linux bridge or bond is a link like others: the kernel
// does not pass frames to the nearest bridge on. A port of Open vSwitch hears
// nothing, because Open vSwitch takes every frame before a packet socket of one
// protocol sees it.
package wire
