package report

import "time"

// Overlay is what draining has put over what the spec says, as far as it is in force.
type Overlay struct {
	// Routes and Ports are what was asked for when this was found out: that the
	// neighbours in BGP move traffic away, that the ports of hosts are down.
	Routes, Ports bool
	// RoutesDone and PortsDone say that it is so, or is not so, as asked for.
	RoutesDone, PortsDone bool
	// Message says why not, if something is in the way.
	Message string
	// Off is how many ports were switched off for it.
	Off int
	// Watched are the physical ports whose traffic has to be gone, in rising order:
	// those of hosts, and those that are routed. Spared is how many ports of hosts
	// stay up.
	Watched []string
	Spared  int
	// Uncounted says why the ports' counters tell nothing; Poll is how often SONiC
	// reads them.
	Uncounted string
	Poll      time.Duration
}
