package maintenance

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/switchlet/switchlet/agent/probe"
	"github.com/switchlet/switchlet/sonic"
	"github.com/switchlet/switchlet/sonic/frr"
	"github.com/switchlet/switchlet/sonic/redis"
)

// askLimit is how long one look at the switch may take.
const askLimit = 3 * time.Second

// gauge looks at the switch. It connects when it is first used.
type gauge struct {
	databases string // database_config.json
	shell     func() (frr.Shell, string)
	log       *slog.Logger
	tables    *redis.Tables
}

// open connects to the databases, as soon as SONiC says where they are.
func (g *gauge) open() (*redis.Tables, error) {
	if g.tables != nil {
		return g.tables, nil
	}
	databases, err := redis.ReadConfig(g.databases)
	if err != nil {
		return nil, err
	}
	g.tables, err = redis.NewTables(databases, sonic.StateDB, sonic.ApplDB, countersDB)
	return g.tables, err
}

func (g *gauge) close() {
	if g.tables != nil {
		_ = g.tables.Close()
		g.tables = nil
	}
}

// counted reads what ports have counted.
func (g *gauge) counted(ctx context.Context, ports []string) (map[string]octets, error) {
	tables, err := g.open()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	return readOctets(ctx, tables, ports)
}

var errNoFRR = errors.New("FRR cannot be reached")

// sessions asks FRR.
func (g *gauge) sessions(ctx context.Context) ([]frr.Neighbor, error) {
	session := g.session()
	if session == nil {
		return nil, errNoFRR
	}
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	return session.Sessions(ctx)
}

// session is a way to FRR, nil while there is none.
func (g *gauge) session() *frr.Session {
	if g.shell == nil {
		return nil
	}
	shell, _ := g.shell()
	if shell == nil {
		return nil
	}
	return frr.NewSession(shell, g.log)
}

// established are the neighbours with which all address families are exchanged, and
// how many neighbours there are.
func (g *gauge) established(ctx context.Context) (names []string, all int, err error) {
	sessions, err := g.sessions(ctx)
	if errors.Is(err, errNoFRR) {
		return g.monitored(ctx)
	}
	if err != nil {
		return nil, 0, err
	}
	whole := map[string]bool{}
	for _, s := range sessions {
		name := s.Name
		if s.VRF != "default" {
			name = s.VRF + "/" + name
		}
		so, known := whole[name]
		whole[name] = s.Established() && (so || !known)
	}
	for name, ok := range whole {
		if ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, len(whole), nil
}

// monitored are those that SONiC's bgpmon shows.
func (g *gauge) monitored(ctx context.Context) (names []string, all int, err error) {
	tables, err := g.open()
	if err != nil {
		return nil, 0, err
	}
	for _, r := range probe.New(probe.Config{Tables: tables}).Baseline(ctx, sonic.DB{}) {
		name, ok := strings.CutPrefix(r.Name, "bgp/")
		switch {
		case r.Name == "bgp":
			return nil, 0, fmt.Errorf("BGP: %s", r.Detail)
		case ok && r.State == probe.Works:
			names, all = append(names, name), all+1
		case ok:
			all++
		}
	}
	if all == 0 {
		return nil, 0, fmt.Errorf("%w, and bgpmon shows no neighbour in STATE_DB", errNoFRR)
	}
	return names, all, nil
}

// ways says whether the switch has a way to others.
func (g *gauge) ways(ctx context.Context) Ways {
	names, all, err := g.established(ctx)
	switch {
	case err != nil || all == 0:
		return WaysUnknown
	case len(names) == 0:
		return WaysNone
	}
	return WaysSome
}
