package converge

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/switchlet/switchlet/agent/report"
	"github.com/switchlet/switchlet/agent/state"
	"github.com/switchlet/switchlet/sonic"
)

// Overlay is what draining puts over what the spec says. It is no part of the spec:
// it comes and goes without a revision, and is in force again after a restart of the
// agent, of the bgp container, and a config reload.
type Overlay struct {
	// Routes: the neighbours in BGP are asked to move traffic away (RFC 8326).
	Routes bool
	// Ports: the ports that carry the agent's VLANs are switched off, so that hosts
	// see no carrier and take another way.
	Ports bool
	// Spare are ports that stay on.
	Spare []string
}

func (o Overlay) equal(other Overlay) bool {
	return o.Routes == other.Routes && o.Ports == other.Ports && slices.Equal(o.Spare, other.Spare)
}

const (
	adminStatus   = "admin_status"
	adminDown     = "down"
	flexCounters  = "FLEX_COUNTER_TABLE"
	counterStatus = "FLEX_COUNTER_STATUS"
	pollInterval  = "POLL_INTERVAL" // in milliseconds
)

// hostPorts are the physical ports that carry the agent's VLANs, without those that
// are spared; spared is how many those are.
func hostPorts(rows sonic.DB, ledger sonic.Ledger, spare []string) (ports map[string]bool, spared int) {
	members := map[string][]string{}
	for key := range rows {
		if channel, port, ok := strings.Cut(key.Name, sonic.Separator); ok && key.Table == sonic.TablePortChannelMember {
			members[channel] = append(members[channel], port)
		}
	}
	ports, left := map[string]bool{}, map[string]bool{}
	for key := range ledger {
		_, name, ok := strings.Cut(key.Name, sonic.Separator)
		if key.Table != sonic.TableVLANMember || !ok {
			continue
		}
		into := ports
		if slices.Contains(spare, name) {
			into = left
		}
		if physical := members[name]; len(physical) > 0 {
			for _, port := range physical {
				into[port] = true
			}
		} else {
			into[name] = true
		}
	}
	return ports, len(left)
}

// switchPorts switches ports off and on as the overlay says. What admin_status was
// is on the disk before it is changed. A disk that cannot be written to keeps ports
// as they are, and nothing else.
func (c *Converger) switchPorts(ctx context.Context, d desired) error {
	lent := c.cfg.Store.Lent()
	if c.unlent = nil; !d.overlay.Ports && len(lent) == 0 || d.paused {
		return nil
	}
	rows := c.session.mirror.Rows()
	off := map[string]bool{}
	if d.overlay.Ports {
		off, _ = hostPorts(rows, c.cfg.Store.Ledger(), d.overlay.Spare)
	}
	commands, record := lending(rows, off, lent)
	all := maps.Clone(lent)
	if all == nil {
		all = state.Lent{}
	}
	maps.Copy(all, record)
	if !maps.Equal(all, lent) {
		if c.unlent = c.cfg.Store.SetLent(all); c.unlent != nil {
			return nil //nolint:nilerr // it is told in the overlay
		}
	}
	if len(commands) > 0 {
		// Not by way of the mirror: whoever asks it what has changed has to hear of it.
		err := c.session.client.Apply(ctx, commands)
		c.session.mirror.Touched(commands)
		if err != nil {
			return err
		}
		c.cfg.Log.Info("ports switched", "down", len(record), "commands", len(commands))
	}
	if !maps.Equal(all, record) {
		c.unlent = c.cfg.Store.SetLent(record)
	}
	return nil
}

// lending says how to have the ports in off switched off and all others that are
// lent as they were, and what is lent then. A port that somebody else has switched
// on or off meanwhile is his; one that was off before is not the agent's.
func lending(rows sonic.DB, off map[string]bool, lent state.Lent) ([]sonic.Command, state.Lent) {
	var commands []sonic.Command
	record := state.Lent{}
	for _, port := range slices.Sorted(maps.Keys(off)) {
		key := sonic.Key{Table: sonic.TablePort, Name: port}
		fields, there := rows[key]
		if !there {
			if was, mine := lent[port]; mine {
				record[port] = was // SONiC is loading its configuration
			}
			continue
		}
		was, mine := lent[port]
		if is, _ := fields.Get(adminStatus); is != adminDown {
			if !mine {
				was = is
			}
			commands = append(commands, sonic.Command{Op: sonic.Set, Key: key, Fields: sonic.NewFields(adminStatus, adminDown)})
			mine = true
		}
		if mine {
			record[port] = was
		}
	}
	for _, port := range slices.Sorted(maps.Keys(lent)) {
		key := sonic.Key{Table: sonic.TablePort, Name: port}
		is, _ := rows[key].Get(adminStatus)
		switch was := lent[port]; {
		case off[port] || is != adminDown:
		case was == "":
			commands = append(commands, sonic.Command{Op: sonic.Unset, Key: key, Fields: sonic.NewFields(adminStatus, "")})
		default:
			commands = append(commands, sonic.Command{Op: sonic.Set, Key: key, Fields: sonic.NewFields(adminStatus, was)})
		}
	}
	return commands, record
}

// noteOverlay tells what of the overlay is in force.
func (c *Converger) noteOverlay(d desired) {
	o := report.Overlay{Routes: d.overlay.Routes, Ports: d.overlay.Ports}
	defer func() { c.facts.Overlay = o }()
	if c.session == nil {
		o.Message = c.facts.Connected.Message
		return
	}
	rows := c.session.mirror.Rows()
	o.RoutesDone = c.routesDone(d)
	lent := c.cfg.Store.Lent()
	o.Off = len(lent)
	o.PortsDone = c.unlent == nil && !d.paused
	if !d.overlay.Ports {
		o.PortsDone = len(lent) == 0
	} else {
		ports, spared := hostPorts(rows, c.cfg.Store.Ledger(), d.overlay.Spare)
		o.Spared = spared
		for port := range ports {
			fields, there := rows[sonic.Key{Table: sonic.TablePort, Name: port}]
			is, _ := fields.Get(adminStatus)
			o.PortsDone = o.PortsDone && (!there || is == adminDown)
		}
		o.PortsDone = o.PortsDone && c.cfg.Store.Ledger() != nil
		o.Watched = watched(rows, ports, spared)
		o.Uncounted, o.Poll = counting(rows)
	}
	o.Message = c.overlayTrouble(d, o)
}

// routesDone says whether FRR has what the overlay says of it. An FRR that has
// nothing of the agent's has no say in it.
func (c *Converger) routesDone(d desired) bool {
	t := c.routing.target
	if t == nil {
		return c.good == nil && !d.compiled()
	}
	if t.config != nil && t.config.BGP == nil {
		return true
	}
	return t.draining == d.overlay.Routes && t == c.routing.settled
}

func (c *Converger) overlayTrouble(d desired, o report.Overlay) string {
	switch {
	case o.RoutesDone && o.PortsDone:
		return ""
	case d.paused:
		return fmt.Sprintf("spec.paused of Switch %s is true: it is neither drained nor undrained until that becomes false.", c.cfg.Node)
	case c.unlent != nil:
		return fmt.Sprintf("%v. No port is switched before that can be recorded. Make room or repair the disk.", c.unlent)
	case !o.RoutesDone && c.facts.Routed != (report.State{}) && !c.facts.Routed.OK:
		return c.facts.Routed.Message
	}
	return ""
}

// watched are the ports whose traffic says whether the switch is free of it: those
// of hosts, and the routed ones, unless traffic of hosts that stay goes there.
func watched(rows sonic.DB, hosts map[string]bool, spared int) []string {
	all := maps.Clone(hosts)
	if spared == 0 {
		routed := map[string]bool{}
		ports := sonic.Ports(rows, func(sonic.Key) bool { return false })
		for _, p := range ports {
			if p.Routed != (sonic.Key{}) {
				routed[p.Name] = true
			}
		}
		for _, p := range ports {
			if routed[p.Name] && !strings.HasPrefix(p.Name, "PortChannel") || routed[p.PortChannel] {
				all[p.Name] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(all))
}

// counting says why the counters of ports tell nothing, if that is so, and how often
// SONiC reads them (FLEX_COUNTER_TABLE|PORT, flexcounterorch.cpp).
func counting(rows sonic.DB) (uncounted string, every time.Duration) {
	row := rows[sonic.Key{Table: flexCounters, Name: "PORT"}]
	if status, _ := row.Get(counterStatus); status == "disable" {
		return "SONiC does not count what ports send: counterpoll port enable.", 0
	}
	text, _ := row.Get(pollInterval)
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		n = 1000
	}
	return "", time.Duration(n) * time.Millisecond
}
