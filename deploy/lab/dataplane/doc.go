// Package dataplane makes a switch of the lab forward: it turns the rows of
// SONiC's daemons, as package swss has them, into devices of the Linux kernel in
// the switch's network namespace.
//
//	rows of APPL_DB and STATE_DB → Wanted → Devices
//	Devices there are, Devices wanted → Diff → Steps, in an order that isolates first
//	Steps → the kernel, by netlink
//
// The devices are those that SONiC's vlanmgrd, vrfmgrd, vxlanmgrd and intfmgrd
// make, with the names, tables and MTUs they give them: a VLAN-aware bridge
// "Bridge", VlanN on it, VRFs with tables from 1001 on, LoopbackN, and for each
// VNI a VXLAN device "TUNNEL-VLANID". FRR finds them as on a switch and puts
// routes, neighbours and MAC addresses into them.
//
// # The kernel stands for the ASIC
//
// On a switch the kernel only carries what is for the switch itself, and the ASIC
// forwards. Here the kernel does both, so it is told what only the ASIC knows:
//
//   - What orchagent did not take does not forward: a device needs the row of
//     APPL_DB too, not only that of STATE_DB.
//   - A port or VLAN without a router interface routes nothing.
//   - What finds no route in a VRF is not looked for in the default one.
//   - An interface whose VRF is not there is in no VRF at all, and routes nothing.
//   - The MAC address of an anycast gateway is the switch's own on each leaf, and
//     is not learnt from another leaf.
//   - An interface of a VRF without addresses, which is what an L3 VNI has,
//     forwards only while orchagent has the VNI of the VRF.
//   - The MAC address of another leaf's router comes with the route, and is there as
//     long as the route is, whatever becomes of it in the kernel.
//   - Packets for a tunnel are not broken into fragments: a VXLAN device's MTU is
//     that of the routed ports less what the encapsulation takes.
//
// # Ports
//
// A port of CONFIG_DB is there while a cable is in it: whoever plugs cables in makes
// the device. Its carrier is oper_status in APPL_DB, what passes it is in
// COUNTERS_DB. Without a data plane all ports count as plugged in.
//
// # What is left out
//
// Port channels, ACLs, QoS. The kernel's neighbour suppression stays off, as
// vxlanmgrd of community SONiC leaves it.
package dataplane
