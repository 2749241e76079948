// Package neighbors finds out who is at the other ends of a switch's cables, by
// LLDP (IEEE 802.1AB). Where SONiC's lldp service runs it reads what that has
// heard, from APPL_DB; where it does not run, frames of the agent's own are sent
// and heard in its place, never both at once. Redis announces that the service has
// written something; without that it is looked every few seconds.
//
//	watcher, damage, err := neighbors.New(neighbors.Config{DatabaseConfig: …, StateDir: …, Log: log})
//	go watcher.Run(ctx)
//	watcher.Follow(ctx, func(view neighbors.View) { … }) // → status of the Switch
//
// Silence takes nobody away. A neighbour that is not heard any more is marked
// stale and kept, on disk too, until another one comes to its port or a day has
// passed: a broken LLDP service must not look like cables that were pulled.
package neighbors
