// Package forwarding has the tests of whether a fabric forwards: leaves and a spine
// with the real FRR, configured by what the agent renders, the stand-in for SONiC's
// daemons, and package dataplane; hosts that ping. They need a kernel with VRFs and
// run in User-Mode Linux where the machine's has none.
package forwarding
