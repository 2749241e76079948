package probe

import (
	"cmp"
	"context"
	"time"

	"github.com/switchlet/switchlet/sonic"
)

// stateNeighbor is the table of STATE_DB that bgpmon writes: IPv4 and IPv6
// sessions of the default VRF, and only where bgpcfgd runs.
const stateNeighbor = "NEIGH_STATE_TABLE"

// discoverSessions finds all BGP sessions.
func (p *Prober) discoverSessions(ctx context.Context) ([]Result, error) {
	if p.cfg.Sessions != nil {
		return p.frrSessions(ctx)
	}
	peers, err := p.monitored(ctx)
	if err != nil || len(peers) == 0 {
		return nil, err
	}
	return p.monitoredSessions(ctx, peers)
}

// peersAge is how long the list of peers is used: to list them, Redis goes
// through all of STATE_DB, which can have tens of thousands of MAC addresses.
const peersAge = time.Minute

// monitored are the peers that bgpmon knows, or knew a moment ago.
func (p *Prober) monitored(ctx context.Context) ([]string, error) {
	p.mu.Lock()
	peers, fresh := p.peers, time.Since(p.listed) < peersAge
	p.mu.Unlock()
	if fresh {
		return peers, nil
	}
	peers, err := p.cfg.Tables.Names(ctx, sonic.StateDB, stateNeighbor)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	p.peers, p.listed = peers, time.Now()
	p.mu.Unlock()
	return peers, nil
}

// askSessions asks for the sessions with the given names. One that is gone is
// broken.
func (p *Prober) askSessions(ctx context.Context, names []string) ([]Result, error) {
	if p.cfg.Sessions == nil {
		return p.monitoredSessions(ctx, names)
	}
	sessions, err := p.frrSessions(ctx)
	if err != nil {
		return nil, err
	}
	found := map[string]Result{}
	for _, r := range sessions {
		found[r.Name] = r
	}
	var results []Result
	for _, name := range names {
		r, ok := found[bgp+"/"+name]
		if !ok {
			r = Result{Name: bgp + "/" + name, State: Broken, Detail: "FRR has no such neighbor"}
		}
		results = append(results, r)
	}
	return results, nil
}

func (p *Prober) frrSessions(ctx context.Context) ([]Result, error) {
	neighbors, err := p.cfg.Sessions(ctx)
	if err != nil {
		return nil, err
	}
	var results []Result
	for _, n := range neighbors {
		r := Result{Name: bgp + "/" + n.Peer, State: Broken, Detail: n.Detail}
		if n.VRF != "" && n.VRF != "default" {
			r.Name = bgp + "/" + n.VRF + "/" + n.Peer
		}
		if n.Established {
			r.State = Works
		}
		results = append(results, r)
	}
	return results, nil
}

func (p *Prober) monitoredSessions(ctx context.Context, peers []string) ([]Result, error) {
	rows, err := p.cfg.Tables.Rows(ctx, sonic.StateDB, stateNeighbor, peers)
	if err != nil {
		return nil, err
	}
	var results []Result
	for _, peer := range peers {
		state := rows[peer]["state"]
		r := Result{Name: bgp + "/" + peer, State: Broken, Detail: "state is " + cmp.Or(state, "missing")}
		if state == "Established" {
			r.State = Works
		}
		results = append(results, r)
	}
	return results, nil
}
