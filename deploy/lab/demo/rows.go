package demo

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/switchlet/switchlet/deploy/lab/box"
)

// rows are the CONFIG_DB rows of several switches, by switch.
type rows map[string]box.Rows

// snapshot reads the rows of all switches.
func (d *Demo) snapshot(ctx context.Context) (rows, error) {
	nodes, err := d.lab.Nodes()
	if err != nil {
		return nil, err
	}
	all := rows{}
	for _, node := range nodes {
		if node.Role == "" {
			continue
		}
		if all[node.Name], err = box.Read(ctx, d.lab.Socket(node.Name)); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// minus are, for each switch, the rows that the other lacks or has differently.
func (r rows) minus(other rows) rows {
	rest := rows{}
	for name, rows := range r {
		rest[name] = rows.Minus(other[name])
	}
	return rest
}

func (r rows) empty() bool {
	for _, rows := range r {
		if len(rows) > 0 {
			return false
		}
	}
	return true
}

// String is one line for each row, after the switch's name.
func (r rows) String() string {
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(r)) {
		for line := range strings.Lines(r[name].String()) {
			text.WriteString("  " + name + " " + line)
		}
	}
	return text.String()
}
