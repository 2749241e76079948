package wire

import "sync"

// Agent speaks and hears LLDP. Its methods may be called by any goroutine, before,
// during and after Run; Select and Describe of its Config may not call them.
type Agent struct {
	cfg     Config
	changed chan struct{}
	wake    chan struct{}
	refresh chan struct{}

	mu     sync.Mutex
	engine *engine
	socket *socket // nil when not running
	drops  uint64  // of sockets before
}

// New checks a Config and makes an Agent of it.
func New(cfg Config) (*Agent, error) {
	cfg, err := cfg.complete()
	if err != nil {
		return nil, err
	}
	return &Agent{
		cfg:     cfg,
		changed: make(chan struct{}, 1),
		wake:    make(chan struct{}, 1),
		refresh: make(chan struct{}, 1),
		engine:  newEngine(cfg),
	}, nil
}

// Restore takes neighbours of an earlier run, as of a cache. They are stale until
// they are heard again, and forgotten when that does not happen within their time
// to live. It is called before Run.
func (a *Agent) Restore(neighbors []Neighbor) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.engine.restore(neighbors)
}

// Refresh asks Describe again about every link, and says what is new.
func (a *Agent) Refresh() { signal(a.refresh) }

// Changed is readable when Neighbors, Loops or Ports may give something else than
// before: neighbours that appeared, vanished, became stale or said something new,
// links that appeared, vanished, went up or down or are called otherwise. Changes
// that nobody has read yet are one. It is for one reader.
func (a *Agent) Changed() <-chan struct{} { return a.changed }

// Neighbors are those heard on all links, ordered by interface, chassis and port.
func (a *Agent) Neighbors() []Neighbor {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.engine.neighbors(false)
}

// Loops are the links on which this machine hears itself: with its own chassis ID,
// on a cable between two of its ports or a loop in the network.
func (a *Agent) Loops() []Neighbor {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.engine.neighbors(true)
}

// Ports are the links that the Agent speaks on, ordered by name.
func (a *Agent) Ports() []Port {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.engine.list()
}

// Drops counts the frames that the kernel had to drop because they came faster than
// they were read. Nobody can tell on which links.
func (a *Agent) Drops() uint64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.socket == nil {
		return a.drops
	}
	return a.drops + a.socket.drops()
}
