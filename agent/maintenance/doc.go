// Package maintenance answers spec.maintenance of the SwitchConfig: it has images
// fetched, takes traffic off the switch and lets it back, and compares what works
// before and after. What is asked for is said at v1alpha1.SwitchMaintenance.
//
// Draining a switch goes through
//
//	InService → Leaving → Shut → Returning → InService
//
// Leaving: the neighbours in BGP are asked to go elsewhere (RFC 8326). Spines have
// other ways then. Shut: the ports of hosts are off too; that is what moves a host,
// whose bond looks at the carrier. Returning: BGP is as it was, and the ports wait
// until a neighbour is there again, so that no host comes back to a switch without a
// way on.
//
// What happens next is decided by Record.next, which computes only, from a record
// that is on the disk before anything is done. So an agent that was killed goes on
// where it was, with or without the API server. Images and checks need no record but
// the values from before: they are found out anew.
package maintenance
