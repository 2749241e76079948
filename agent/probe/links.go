package probe

import (
	"cmp"
	"context"
	"strings"
	"time"

	"github.com/switchlet/switchlet/sonic"
)

// Tables of APPL_DB: the state of ports (portsorch), of port channels
// (teamsyncd) and of LLDP neighbours (lldp_syncd).
const (
	applPort = "PORT_TABLE"
	applLAG  = "LAG_TABLE"
	applLLDP = "LLDP_ENTRY_TABLE"
)

// lldpGrace: lldp_syncd, which looks every 10 s, deletes the row of a neighbour
// of which anything has changed and writes it anew.
const lldpGrace = 2 * time.Second

// discoverLinks finds uplinks and the neighbours that are switches.
func (p *Prober) discoverLinks(ctx context.Context, found ports) ([]Result, error) {
	entries, err := p.cfg.Tables.Rows(ctx, sonic.ApplDB, applLLDP, found.all)
	if err != nil {
		return nil, err
	}
	neighbors := found.switchNeighbors(entries)
	results, err := p.askUplinks(ctx, found.uplinks(neighbors))
	return append(results, neighborResults(neighbors, entries)...), err
}

// askUplinks asks for the state of ports and port channels.
func (p *Prober) askUplinks(ctx context.Context, names []string) ([]Result, error) {
	byTable := map[string][]string{}
	for _, name := range names {
		table := applPort
		if strings.HasPrefix(name, "PortChannel") {
			table = applLAG
		}
		byTable[table] = append(byTable[table], name)
	}
	var results []Result
	for table, some := range byTable {
		rows, err := p.cfg.Tables.Rows(ctx, sonic.ApplDB, table, some)
		if err != nil {
			return results, err
		}
		for _, name := range some {
			results = append(results, uplinkResult(name, rows[name]))
		}
	}
	return results, nil
}

func uplinkResult(name string, row map[string]string) Result {
	r := Result{Name: uplink + "/" + name, State: Broken, Detail: "oper_status is " + cmp.Or(row["oper_status"], "missing")}
	if row["oper_status"] == "up" {
		r.State = Works
	}
	return r
}

// askNeighbors asks for the LLDP neighbours of ports.
func (p *Prober) askNeighbors(ctx context.Context, names []string) ([]Result, error) {
	entries, err := p.cfg.Tables.Rows(ctx, sonic.ApplDB, applLLDP, names)
	if err != nil {
		return nil, err
	}
	return neighborResults(names, entries), nil
}

func neighborResults(names []string, entries map[string]map[string]string) []Result {
	var results []Result
	for _, name := range names {
		r := Result{Name: lldp + "/" + name, State: Broken, Detail: "no neighbor", Grace: lldpGrace}
		if entry, ok := entries[name]; ok {
			r.State = Works
			r.Detail = "neighbor " + cmp.Or(entry[lldpSystemName], entry[lldpChassis], "without a name")
		}
		results = append(results, r)
	}
	return results
}
