// Package neighbors finds out who is at the other ends of a host's cables, by
// LLDP (IEEE 802.1AB), and tells them who the host is: chassis id and system name
// are the name of its Node, the port id is the name of the NIC.
//
//	watcher, err := neighbors.New(neighbors.Config{Node: …, Chosen: …, StateDir: …, Report: …, Log: log})
//	watcher.Run(ctx)
//
// lldp/wire speaks and hears. What is added here is memory: silence takes nobody
// away. A neighbour that is not heard any more is marked stale and kept, on disk
// too, until another one is heard on its NIC or a day has passed: a switch that
// is being restarted must not look like a cable that was pulled.
package neighbors
