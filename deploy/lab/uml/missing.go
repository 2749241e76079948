package uml

import (
	"fmt"
	"runtime"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
)

// Missing names what a switch's data plane needs and the running kernel lacks; nil if
// it has all. It tries, in a network namespace of its own, which takes milliseconds:
// no list of modules tells what is built in.
func Missing() []string {
	answer := make(chan []string)
	go func() {
		// The thread is in another network for good: it ends with this goroutine.
		runtime.LockOSThread()
		answer <- try()
	}()
	return <-answer
}

// try tries one device of each kind.
func try() []string {
	own, err := netns.New()
	if err != nil {
		return []string{fmt.Sprintf("network namespaces (%v)", err)}
	}
	defer own.Close()
	var missing []string
	bridge, filters := makeBridge()
	if !filters {
		missing = append(missing, "bridges that filter VLANs")
	}
	for _, kind := range []struct {
		name string
		link netlink.Link
	}{
		{"veth pairs (veth)", &netlink.Veth{LinkAttrs: named("a0"), PeerName: "a1"}},
		{"dummy devices (dummy)", &netlink.Dummy{LinkAttrs: named("b0")}},
		{"VRFs (vrf)", &netlink.Vrf{LinkAttrs: named("c0"), Table: 1001}},
		{"VXLAN (vxlan)", &netlink.Vxlan{LinkAttrs: named("d0"), VxlanId: 5001, Port: 4789}},
		{"VLAN devices (8021q)", &netlink.Vlan{LinkAttrs: above("e0", bridge), VlanId: 100}},
	} {
		if netlink.LinkAdd(kind.link) != nil {
			missing = append(missing, kind.name)
		}
	}
	return missing
}

// makeBridge makes a bridge and says whether it knows VLANs. A kernel without them
// makes one that does not, and says nothing.
func makeBridge() (index int, filters bool) {
	filtering := true
	if netlink.LinkAdd(&netlink.Bridge{LinkAttrs: named("Bridge"), VlanFiltering: &filtering}) != nil {
		return 0, false
	}
	bridge, err := netlink.LinkByName("Bridge")
	if err != nil {
		return 0, false
	}
	return bridge.Attrs().Index, netlink.BridgeVlanAdd(bridge, 100, false, false, true, false) == nil
}

func named(name string) netlink.LinkAttrs {
	attrs := netlink.NewLinkAttrs()
	attrs.Name = name
	return attrs
}

func above(name string, parent int) netlink.LinkAttrs {
	attrs := named(name)
	attrs.ParentIndex = parent
	return attrs
}
