// Package uplink says what network devices a host needs so that pods can be
// attached to its networks, and in which steps it gets there from those that it
// has. It computes only.
//
// For a network with VNI 1111 whose frames are tagged on eth1 and eth2 there are:
//
//	swl1111-1  VLAN device on eth1, in
//	swl1111-2  VLAN device on eth2, in
//	swl1111    a bond, active-backup on carrier: what pods are attached to
//	swr1111    a bridge with that bond in it, where pods are attached in mode bridge
//
// The bond is there with one uplink too. It is what stays while the uplinks below
// change: when a cable is moved, when a switch gives the network another VLAN id,
// when a second NIC comes. Pods keep their interfaces, and the kernel announces
// their addresses on the new way (NETDEV_NOTIFY_PEERS).
//
// Where frames are untagged pods are attached to the NIC itself, the first one in
// order if there are several: a bond would take the host's own NIC away.
//
// A device is the agent's by its alias, which begins with "switchlet". Others are
// never changed.
package uplink
