package demo

import (
	"context"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/switchlet/switchlet/deploy/lab/patch"
	"github.com/switchlet/switchlet/deploy/lab/process"
)

// showCables shows what is cabled to what.
func (d *Demo) showCables() error {
	cables, err := patch.Look(d.lab)
	if err != nil {
		return err
	}
	d.screen.Title("Cables between hosts and switches (bin/lab cables; lldpd on each switch tells the same)")
	d.screen.Text(patch.Table(cables))
	return nil
}

// show shows what a user sees, and what is on the switches.
func (d *Demo) show(ctx context.Context, appeared rows) error {
	for _, command := range []string{
		`get nodes -o custom-columns=NAME:.metadata.name,ROLE:.metadata.labels.fabric\.switchlet\.io/role,TAINTS:.spec.taints[*].key,VERSION:.status.nodeInfo.kubeletVersion`,
		`get nodes,switches,vpcs -A`,
		`get vpcattachments -A`,
	} {
		output, err := d.kubectl.run(ctx, strings.Fields(command)...)
		if err != nil {
			return err
		}
		d.screen.Title("$ kubectl %s", command)
		d.screen.Text(output)
	}
	for _, name := range slices.Sorted(maps.Keys(appeared)) {
		if len(appeared[name]) == 0 {
			d.screen.Title("No row appeared in CONFIG_DB of %s", name)
			continue
		}
		d.screen.Title("Rows that appeared in CONFIG_DB of %s", name)
		d.screen.Text(appeared[name].String())
	}
	return nil
}

// Explain shows what helps to find out why something failed: the pods, and the
// ends of the logs of nodes and pods.
func (d *Demo) Explain(ctx context.Context) {
	for _, command := range []string{"get pods -A -o wide", "get events -A --field-selector type=Warning", "get switches,switchconfigs,vpcs,vpcattachments -A"} {
		output, err := d.kubectl.run(ctx, strings.Fields(command)...)
		if err != nil {
			output = err.Error()
		}
		d.screen.Title("$ kubectl %s", command)
		d.screen.Text(output)
	}
	for _, pattern := range []string{"nodes/*/var/log/node.log", "nodes/*/var/log/pods/*/*/*.log"} {
		files, err := filepath.Glob(filepath.Join(d.lab.Dir, pattern))
		if err != nil {
			continue // the pattern is a constant and sound
		}
		for _, file := range files {
			if tail := process.Tail(file, 8); tail != "" {
				d.screen.Title("The end of %s", file)
				d.screen.Text(tail)
			}
		}
	}
}
