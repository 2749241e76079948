package converge

import (
	"context"
	"fmt"

	"github.com/switchlet/switchlet/agent/probe"
	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/sonic/frr"
)

// rerouted reports whether a spec changes the underlay, which puts it on trial
// even if CONFIG_DB stays as it is.
func (c *Converger) rerouted(d desired, spec *v1alpha1.SwitchConfigSpec) bool {
	r := &c.routing
	was, is := r.bgp, spec.BGP
	if d.paused || sameBGP(was, is) {
		return false
	}
	r.retire(was, is, c.trial.open())
	r.bgp = is
	return true
}

// sameBGP compares what is said of the underlay. Unlike the order of neighbours
// their descriptions make no difference to a session.
func sameBGP(a, b *v1alpha1.BGPConfig) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.ASN == b.ASN && a.RouterID == b.RouterID && equalSets(neighbors(a), neighbors(b))
}

func equalSets(a, b map[string]bool) bool {
	for name := range a {
		if !b[name] {
			return false
		}
	}
	return len(a) == len(b)
}

// neighbors have the names by which FRR knows them.
func neighbors(bgp *v1alpha1.BGPConfig) map[string]bool {
	names := map[string]bool{}
	if bgp == nil {
		return names
	}
	for _, uplink := range bgp.Uplinks {
		names[uplink] = true
	}
	for _, n := range bgp.Neighbors {
		names[n.Address] = true
	}
	return names
}

// retire notes the neighbours that a spec takes away: that they are gone is
// wanted, and no reason to take the change back.
func (w *frrWorker) retire(was, is *v1alpha1.BGPConfig, more bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !more || w.retired == nil {
		w.retired = map[string]bool{}
	}
	here := neighbors(is)
	for name := range neighbors(was) {
		w.retired[name] = !here[name]
	}
	for name := range here {
		delete(w.retired, name)
	}
}

// returned says that a spec was taken back, and what it was put in place of is
// wanted again.
func (c *Converger) returned() {
	r := &c.routing
	r.bgp = nil
	if c.good != nil {
		r.bgp = c.good.Spec.BGP
	}
	r.retire(nil, r.bgp, false)
}

// probeFRR has the probes ask FRR as long as there is a way to it, and otherwise
// bgpmon's rows.
func (c *Converger) probeFRR() {
	asks := c.routing.find() != nil
	if asks == c.session.asksFRR || c.trial.open() {
		return
	}
	cfg := probe.Config{Tables: c.session.tables, APIServer: c.cfg.APIServer}
	if asks {
		cfg.Sessions = c.routing.sessions
	}
	c.session.prober, c.session.asksFRR = probe.New(cfg), asks
}

// sessions are those of BGP, for the probes.
func (w *frrWorker) sessions(ctx context.Context) ([]probe.Neighbor, error) {
	w.mu.Lock()
	session := w.session
	w.mu.Unlock()
	if session == nil {
		return nil, errNoFRR
	}
	found, err := session.Sessions(ctx)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return folded(found, w.retired), nil
}

// folded has one entry for each neighbour: it is established if all address
// families are, or if it is gone as it should be.
func folded(sessions []frr.Neighbor, retired map[string]bool) []probe.Neighbor {
	type name struct{ vrf, peer string }
	at := map[name]int{}
	var all []probe.Neighbor
	for _, s := range sessions {
		n := name{s.VRF, s.Name}
		i, known := at[n]
		if !known {
			i = len(all)
			at[n] = i
			all = append(all, probe.Neighbor{VRF: s.VRF, Peer: s.Name, Established: true, Detail: "Established"})
		}
		if !s.Established() && all[i].Established {
			all[i].Established, all[i].Detail = false, fmt.Sprintf("%s is %s", s.Family, s.State)
		}
	}
	for peer, gone := range retired {
		const underlay = "default"
		if _, there := at[name{underlay, peer}]; gone && !there {
			all = append(all, probe.Neighbor{VRF: underlay, Peer: peer, Established: true, Detail: "taken away by the spec"})
		}
	}
	return all
}
