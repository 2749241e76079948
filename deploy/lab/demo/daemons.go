package demo

import (
	"context"
	"fmt"
	"strings"

	"github.com/switchlet/switchlet/deploy/lab/daemons"
)

// askDaemons asks the daemons of all switches how they are.
func (d *Demo) askDaemons(ctx context.Context) (map[string]daemons.Report, error) {
	nodes, err := d.lab.Nodes()
	if err != nil {
		return nil, err
	}
	all := map[string]daemons.Report{}
	for _, node := range nodes {
		if node.Role == "" {
			continue
		}
		if all[node.Name], err = daemons.Ask(ctx, d.lab.DaemonsSocket(node.Name)); err != nil {
			return nil, fmt.Errorf("%s: %w", node.Name, err)
		}
	}
	return all, nil
}

// showDaemons shows what the daemons of a leaf made of the rows that appeared.
func (d *Demo) showDaemons(ctx context.Context, before map[string]daemons.Report) error {
	now, err := d.askDaemons(ctx)
	if err != nil {
		return err
	}
	does := map[bool]string{true: "forwards", false: "does not forward"}[d.lab.Forward]
	d.screen.Title("What SONiC's daemons made of them on leaf1 (a stand-in for them, which %s)", does)
	d.screen.Text(now["leaf1"].Since(before["leaf1"]).String())
	return nil
}

// checkDaemons checks that nobody wrote anything that the daemons of a switch
// cannot take, or in an order that they cannot.
func (d *Demo) checkDaemons(ctx context.Context) error {
	all, err := d.askDaemons(ctx)
	if err != nil {
		return err
	}
	var wrong strings.Builder
	for name, report := range all {
		if !report.Clean() {
			fmt.Fprintf(&wrong, "%s: running: %t, %s\n", name, report.Running, report.Verdict())
		}
	}
	if wrong.Len() > 0 {
		return fmt.Errorf("SONiC's daemons are not content:\n%s", wrong.String())
	}
	d.screen.Text(fmt.Sprintf("SONiC's daemons on %d switches: 0 mistakes in what was written or in its order, 0 errors logged.", len(all)))
	return nil
}
