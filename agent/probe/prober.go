package probe

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/switchlet/switchlet/sonic"
)

// Tables reads the databases that SONiC's daemons answer in.
type Tables interface {
	// Names lists the rows of a table.
	Names(ctx context.Context, database, table string) ([]string, error)
	// Rows reads rows by their names; those that are not there are left out.
	Rows(ctx context.Context, database, table string, names []string) (map[string]map[string]string, error)
}

// Neighbor is a BGP session as FRR has it.
type Neighbor struct {
	// VRF, empty for the default one.
	VRF string
	// Peer is its address, or the interface of an unnumbered one.
	Peer string
	// Established: the session is up, for all the address families that it is
	// activated for.
	Established bool
	// Detail is the session's state, for people.
	Detail string
}

// Config is what a Prober asks.
type Config struct {
	// Tables of the switch. Required.
	Tables Tables
	// APIServer reports whether the API server can be reached, by a connection
	// of its own: see HTTPS. Without it that is not probed.
	APIServer func(context.Context) error
	// Sessions are FRR's BGP sessions. Without it they are those that SONiC's
	// bgpmon shows in STATE_DB, which are up to 15 s old: too late for the
	// sessions that a change takes down.
	Sessions func(context.Context) ([]Neighbor, error)
	// Limit is how long a round takes at most. Default 1.5 s: a lost SYN is
	// sent again after one.
	Limit time.Duration
}

const defaultLimit = 1500 * time.Millisecond

// Prober asks. Several goroutines may use it.
type Prober struct {
	cfg Config

	mu     sync.Mutex
	peers  []string // in STATE_DB, as they were when they were listed
	listed time.Time
}

// New is a Prober.
func New(cfg Config) *Prober {
	if cfg.Limit == 0 {
		cfg.Limit = defaultLimit
	}
	return &Prober{cfg: cfg}
}

// Baseline finds out what there is to probe, by the rows of CONFIG_DB, and how
// each of it is before a change. Probes whose results are known already are not
// asked again: that the API server just sent something says that it can be
// reached.
//
// The rows are not used after it returns.
func (p *Prober) Baseline(ctx context.Context, rows sonic.DB, known ...Result) []Result {
	found := portsOf(rows)
	return p.round(ctx, known, map[string]ask{
		apiServer: func(ctx context.Context) ([]Result, error) { return p.askAPIServer(ctx), nil },
		uplink:    func(ctx context.Context) ([]Result, error) { return p.discoverLinks(ctx, found) },
		bgp:       p.discoverSessions,
	})
}

// Check asks the probes with the given names. There is a result for each.
func (p *Prober) Check(ctx context.Context, names []string) []Result {
	byKind := map[string][]string{}
	for _, name := range names {
		kind, rest, _ := strings.Cut(name, "/")
		byKind[kind] = append(byKind[kind], rest)
	}
	asks := map[string]ask{}
	for kind, some := range byKind {
		switch kind {
		case apiServer:
			asks[kind] = func(ctx context.Context) ([]Result, error) { return p.askAPIServer(ctx), nil }
		case uplink:
			asks[kind] = func(ctx context.Context) ([]Result, error) { return p.askUplinks(ctx, some) }
		case lldp:
			asks[kind] = func(ctx context.Context) ([]Result, error) { return p.askNeighbors(ctx, some) }
		case bgp:
			asks[kind] = func(ctx context.Context) ([]Result, error) { return p.askSessions(ctx, some) }
		}
	}
	return complete(names, p.round(ctx, nil, asks))
}

// ask asks some probes. The error says that they could not be asked.
type ask func(context.Context) ([]Result, error)

// round asks all at the same time, and waits no longer than the limit: whoever
// has not answered by then is unknown.
func (p *Prober) round(ctx context.Context, known []Result, asks map[string]ask) []Result {
	ctx, cancel := context.WithTimeout(ctx, p.cfg.Limit)
	defer cancel()
	answers := make(chan []Result, len(asks))
	waiting := 0
	for kind, ask := range asks {
		if slices.ContainsFunc(known, func(r Result) bool { return r.Name == kind }) {
			continue
		}
		waiting++
		go func() {
			results, err := ask(ctx)
			if err != nil {
				results = append(results, Result{Name: kind, Detail: err.Error()})
			}
			answers <- results
		}()
	}
	all := slices.Clone(known)
	for ; waiting > 0; waiting-- {
		select {
		case results := <-answers:
			all = append(all, results...)
		case <-ctx.Done():
			return sorted(append(all, drain(answers)...))
		}
	}
	return sorted(all)
}

// drain takes what is there already.
func drain(answers <-chan []Result) []Result {
	var all []Result
	for {
		select {
		case results := <-answers:
			all = append(all, results...)
		default:
			return all
		}
	}
}

// complete has a result for each name. Where there is none, that of the whole
// kind says why it could not be asked.
func complete(names []string, results []Result) []Result {
	found := map[string]Result{}
	for _, r := range results {
		found[r.Name] = r
	}
	all := make([]Result, len(names))
	for i, name := range names {
		r, ok := found[name]
		if !ok {
			kind, _, _ := strings.Cut(name, "/")
			r = Result{Name: name, Detail: found[kind].Detail}
			if r.Detail == "" {
				r.Detail = "no answer in time"
			}
		}
		all[i] = r
	}
	return sorted(all)
}

// askAPIServer takes silence for broken: that is what a path that is cut looks
// like. It is unknown only if the agent itself is about to end.
func (p *Prober) askAPIServer(ctx context.Context) []Result {
	if p.cfg.APIServer == nil {
		return []Result{{Name: apiServer, Detail: "not probed"}}
	}
	// A little less than the round, so that silence is an answer.
	limited, cancel := context.WithTimeout(ctx, p.cfg.Limit-p.cfg.Limit/10)
	defer cancel()
	err := p.cfg.APIServer(limited)
	switch {
	case err == nil:
		return []Result{{Name: apiServer, State: Works, Detail: "reachable"}}
	case ctx.Err() != nil:
		return []Result{{Name: apiServer, Detail: ctx.Err().Error()}}
	}
	return []Result{{Name: apiServer, State: Broken, Detail: fmt.Sprintf("cannot be reached: %v", err)}}
}
