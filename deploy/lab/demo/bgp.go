package demo

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/switchlet/switchlet/deploy/lab/cabling"
	"github.com/switchlet/switchlet/sonic/frr"
)

// showSessions waits until FRR has a session over every uplink, and shows them.
func (d *Demo) showSessions(ctx context.Context, uplinks map[string][]string) error {
	if !d.lab.FRR {
		return nil
	}
	var sessions map[string][]frr.Neighbor
	err := until(ctx, "not all BGP sessions are established", func(ctx context.Context) (wrong string, err error) {
		sessions, err = d.sessions(ctx, slices.Sorted(maps.Keys(uplinks)))
		for name, ports := range uplinks {
			if have := established(sessions[name]); !slices.Equal(have, ports) {
				wrong = fmt.Sprintf("%s has them over %v, and should over %v", name, have, ports)
			}
		}
		return wrong, err
	})
	if err != nil {
		return err
	}
	d.screen.Title("BGP sessions, as FRR has them (bin/lab exec leaf1 vtysh -c 'show bgp summary')")
	d.screen.Text(sessionTable(sessions))
	return nil
}

// sessions are those of the underlay, each once, by switch.
func (d *Demo) sessions(ctx context.Context, switches []string) (map[string][]frr.Neighbor, error) {
	all := map[string][]frr.Neighbor{}
	for _, name := range switches {
		sessions, err := frr.NewSession(frr.Sockets{Dir: d.lab.FRRSockets(name)}, slog.New(slog.DiscardHandler)).Sessions(ctx)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		for _, s := range sessions {
			if s.VRF == "default" && s.Family == "l2VpnEvpn" {
				all[name] = append(all[name], s)
			}
		}
	}
	return all, nil
}

// established are the neighbours with whom routes are exchanged, in order.
func established(sessions []frr.Neighbor) []string {
	var names []string
	for _, s := range sessions {
		if s.Established() {
			names = append(names, s.Name)
		}
	}
	slices.SortFunc(names, cabling.CompareNames)
	return names
}

func sessionTable(sessions map[string][]frr.Neighbor) string {
	var text strings.Builder
	table := tabwriter.NewWriter(&text, 0, 0, 3, ' ', 0)
	fmt.Fprintln(table, "SWITCH\tOVER\tNEIGHBOR'S ASN\tSTATE")
	for _, name := range slices.Sorted(maps.Keys(sessions)) {
		for _, s := range sessions[name] {
			fmt.Fprintf(table, "%s\t%s\t%d\t%s\n", name, s.Name, s.RemoteAS, s.State)
		}
	}
	table.Flush() // to memory
	return text.String()
}
