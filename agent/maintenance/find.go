package maintenance

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/switchlet/switchlet/agent/probe"
	"github.com/switchlet/switchlet/agent/report"
	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/sonic"
)

// errNotLooked says that an agent that has just begun does not know yet what it would
// otherwise take for nothing.
var errNotLooked = errors.New("the switch was not looked at yet")

// find makes a check. heard is nil as long as nobody has looked who is heard.
func (g *gauge) find(ctx context.Context, check v1alpha1.SwitchCheck, f report.Facts, heard []v1alpha1.LLDPNeighbor) Finding {
	switch check {
	case v1alpha1.CheckBGPSessions:
		names, _, err := g.established(ctx)
		if errors.Is(err, errNoFRR) { // it does not run
			return Finding{}
		}
		return Finding{Values: names, Err: err}
	case v1alpha1.CheckEVPNRoutes:
		return g.routes(ctx)
	case v1alpha1.CheckInstalledRoutes:
		return g.installed(ctx)
	case v1alpha1.CheckUplinks:
		return g.uplinks(ctx, f)
	case v1alpha1.CheckLLDPNeighbors:
		return neighbors(f, heard)
	case v1alpha1.CheckAgentConverged:
		return converged(f)
	case v1alpha1.CheckContainersHealthy:
		return g.containers(ctx)
	}
	return Finding{Err: fmt.Errorf("this agent knows no check %s: upgrade it", check)}
}

// routes counts the EVPN routes that neighbours sent.
func (g *gauge) routes(ctx context.Context) Finding {
	sessions, err := g.sessions(ctx)
	if errors.Is(err, errNoFRR) {
		err = nil
	}
	n := 0
	for _, s := range sessions {
		if s.Family == "l2VpnEvpn" {
			n += s.Received
		}
	}
	return Finding{Values: []string{strconv.Itoa(n)}, Err: err}
}

// installed counts the routes that zebra has made of BGP's: a bgpd that tells it none has
// its sessions and its routes all the same.
func (g *gauge) installed(ctx context.Context) Finding {
	session := g.session()
	if session == nil {
		return Finding{Values: []string{"0"}}
	}
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	n, err := session.Routes(ctx)
	return Finding{Values: []string{strconv.Itoa(n)}, Err: err}
}

// uplinks are the routed ports that are up.
func (g *gauge) uplinks(ctx context.Context, f report.Facts) Finding {
	if f.Inventory == nil {
		return Finding{Err: errNotLooked}
	}
	tables, err := g.open()
	if err != nil {
		return Finding{Err: err}
	}
	var names []string
	for _, port := range routed(f) {
		names = append(names, "uplink/"+port)
	}
	var up []string
	for _, r := range probe.New(probe.Config{Tables: tables}).Check(ctx, names) {
		if r.State == probe.Unknown {
			return Finding{Err: fmt.Errorf("%s: %s", r.Name, r.Detail)}
		}
		if r.State == probe.Works {
			up = append(up, strings.TrimPrefix(r.Name, "uplink/"))
		}
	}
	return Finding{Values: up}
}

// routed are the routed ports of a switch.
func routed(f report.Facts) []string {
	var names []string
	for _, p := range f.Inventory.Ports {
		if p.Use == v1alpha1.PortUseRouted {
			names = append(names, p.Name)
		}
	}
	return names
}

// neighbors are those that are heard at routed ports, and at members of routed port
// channels.
func neighbors(f report.Facts, heard []v1alpha1.LLDPNeighbor) Finding {
	if f.Inventory == nil || heard == nil {
		return Finding{Err: errNotLooked}
	}
	names := routed(f)
	at := map[string]bool{}
	for _, p := range f.Inventory.Ports {
		at[p.Name] = slices.Contains(names, p.Name) || p.Use == v1alpha1.PortUsePortChannelMember && slices.Contains(names, p.UsedBy)
	}
	var out []string
	for _, n := range heard {
		if at[n.Port] && !n.Stale {
			who := n.SystemName
			if who == "" {
				who = n.ChassisID
			}
			out = append(out, fmt.Sprintf("%s at %s", who, n.Port))
		}
	}
	return Finding{Values: out}
}

// converged says whether the SwitchConfig is in force and confirmed: in CONFIG_DB, and
// in FRR unless that is away, as it is before a switch gets its first bgp service.
func converged(f report.Facts) Finding {
	for _, s := range []report.State{f.Connected, f.Programmed, f.Confirmed} {
		if !s.OK {
			return Finding{Wrong: s.Reason + ": " + s.Message}
		}
	}
	away := f.Routed.Reason == "FRRUnreachable"
	switch {
	case f.Routed != (report.State{}) && !f.Routed.OK && !away:
		return Finding{Wrong: f.Routed.Reason + ": " + f.Routed.Message}
	case f.Confirmed.Open:
		return Finding{Wrong: f.Confirmed.Message}
	case f.AppliedGeneration != f.Generation:
		return Finding{Wrong: fmt.Sprintf("generation %d of the SwitchConfig is in force, not %d", f.AppliedGeneration, f.Generation)}
	case away:
		return Finding{Values: []string{"CONFIG_DB"}}
	}
	return Finding{Values: []string{"CONFIG_DB", "FRR"}}
}

// tableFeature of STATE_DB has SONiC's containers; its script "container" writes
// system_state when it starts and stops one (sonic-ctrmgrd, container).
const tableFeature = "FEATURE"

// containers are SONiC's own that run.
func (g *gauge) containers(ctx context.Context) Finding {
	tables, err := g.open()
	if err != nil {
		return Finding{Err: err}
	}
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	names, err := tables.Names(ctx, sonic.StateDB, tableFeature)
	if err != nil {
		return Finding{Err: err}
	}
	rows, err := tables.Rows(ctx, sonic.StateDB, tableFeature, names)
	if err != nil {
		return Finding{Err: err}
	}
	var up []string
	for _, name := range names {
		if rows[name]["system_state"] == "up" {
			up = append(up, name)
		}
	}
	return Finding{Values: up}
}
