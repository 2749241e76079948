// Package link changes the network of the host and of pods: the devices that lead
// to a network's uplinks, and the interface that a pod has in it. What it does
// follows from what it is told and from what the kernel has; it remembers nothing.
// What an interface is, and whose, is in its alias.
//
// A pod's interface is made in the pod's network namespace at once, with its own
// name and MAC address, and has its addresses when it is switched on. They are
// announced (gratuitous ARP, unsolicited neighbour advertisements) while the pod
// starts.
package link
