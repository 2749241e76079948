package cabling

import "fmt"

// Fabric is what a new lab is to be cabled as.
type Fabric struct {
	// Leaves and Spines are how many switches of each role there are.
	Leaves, Spines int
	// Hosts is how many there are, with NICs each.
	Hosts int
	// Mesh cables every leaf to every other one; then there is no spine.
	Mesh bool
}

// NICs is how many a host has besides its management port: eth1 and eth2.
const NICs = 2

// ports is how many ports a switch has: Ethernet0, Ethernet4, … Ethernet124.
const ports = 32

// Cables are the cables of a new lab:
//
//   - each leaf to each spine, or with Mesh to each other leaf, at its uplink
//     ports (see uplink); leaf N is at the Nth port of a spine, from Ethernet0,
//   - host K with eth1 to leaf1 and with eth2 to leaf2, at the Kth port of each;
//     with one leaf both to that, at the two ports from the 2K-1st.
//
// They are sorted. The error says that a switch has too few ports.
func (f Fabric) Cables() ([]Cable, error) {
	if f.Mesh && f.Spines > 0 {
		return nil, fmt.Errorf("a mesh of leaves and %d spines: in a mesh there are none (--spines 0)", f.Spines)
	}
	var cables []Cable
	for leaf := 1; leaf <= f.Leaves; leaf++ {
		for spine := 1; spine <= f.Spines; spine++ {
			cables = append(cables, New(uplink(leaf, spine), End{fmt.Sprintf("spine%d", spine), port(leaf)}))
		}
		for other := leaf + 1; f.Mesh && other <= f.Leaves; other++ {
			cables = append(cables, New(uplink(leaf, other-1), uplink(other, leaf)))
		}
	}
	for host := 1; host <= f.Hosts && f.Leaves > 0; host++ {
		cables = append(cables, f.host(host)...)
	}
	Sort(cables)
	return cables, check(cables)
}

// host are the cables of a host.
func (f Fabric) host(number int) []Cable {
	nic := func(n int) End { return End{HostName(number), NICName(n)} }
	if f.Leaves == 1 {
		return []Cable{New(nic(1), End{"leaf1", port(2*number - 1)}), New(nic(2), End{"leaf1", port(2 * number)})}
	}
	return []Cable{New(nic(1), End{"leaf1", port(number)}), New(nic(2), End{"leaf2", port(number)})}
}

// HostName is the name of a host, from 1.
func HostName(number int) string { return fmt.Sprintf("host%d", number) }

// NICName is the name of a host's NIC, from 1.
func NICName(number int) string { return fmt.Sprintf("eth%d", number) }

// port is the name of the nth port, from 1.
func port(n int) string { return fmt.Sprintf("Ethernet%d", 4*(n-1)) }

// uplink is the nth uplink of a leaf, from 1: first Ethernet120, which its operator
// has made a routed port, then downwards from Ethernet108, which nobody has, past
// the port channel of Ethernet112 and Ethernet116.
func uplink(leaf, n int) End {
	number := ports - 1
	if n > 1 {
		number = ports - 2 - n
	}
	return End{fmt.Sprintf("leaf%d", leaf), port(number)}
}

// check fails if an end is used twice or is beyond the ports of a switch.
func check(cables []Cable) error {
	exists := map[string]bool{}
	for n := 1; n <= ports; n++ {
		exists[port(n)] = true
	}
	for n := 1; n <= NICs; n++ {
		exists[NICName(n)] = true
	}
	used := map[End]End{}
	for _, c := range cables {
		for _, way := range [][2]End{{c.A, c.B}, {c.B, c.A}} {
			end, far := way[0], way[1]
			if !exists[end.Port] {
				return fmt.Errorf("no port of %s is left for a cable to %s: a switch has %d", end.Node, far, ports)
			}
			if other, twice := used[end]; twice {
				return fmt.Errorf("%s would have cables to %s and to %s: a switch has %d ports", end, other, far, ports)
			}
			used[end] = far
		}
	}
	return nil
}
