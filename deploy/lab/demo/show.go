package demo

import (
	"context"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/switchlet/switchlet/deploy/lab/process"
)

// show shows what a user sees, and what is on the switches: the rows that make the
// underlay, and those of tenants.
func (d *Demo) show(ctx context.Context, underlay, tenants rows) error {
	err := d.showOutputs(ctx,
		`get nodes -o custom-columns=NAME:.metadata.name,ROLE:.metadata.labels.fabric\.switchlet\.io/role,APP:.metadata.labels.app,TAINTS:.spec.taints[*].key,VERSION:.status.nodeInfo.kubeletVersion`,
		`get nodes,switches,vpcs -A`,
		`get vpcattachments -A`,
	)
	if err != nil {
		return err
	}
	d.showRows("the underlay", underlay)
	d.showRows("the VPCs", tenants)
	return nil
}

// showRows shows what somebody has brought to the switches.
func (d *Demo) showRows(whose string, appeared rows) {
	for _, name := range slices.Sorted(maps.Keys(appeared)) {
		if len(appeared[name]) == 0 {
			d.screen.Title("No row appeared in CONFIG_DB of %s with %s", name, whose)
			continue
		}
		d.screen.Title("Rows that appeared in CONFIG_DB of %s with %s", name, whose)
		d.screen.Text(appeared[name].String())
	}
}

// showOutputs shows what kubectl says to commands.
func (d *Demo) showOutputs(ctx context.Context, commands ...string) error {
	for _, command := range commands {
		output, err := d.kubectl.run(ctx, strings.Fields(command)...)
		if err != nil {
			return err
		}
		d.screen.Title("$ kubectl %s", command)
		d.screen.Text(output)
	}
	return nil
}

// Explain shows what helps to find out why something failed: the pods, and the
// ends of the logs of nodes and pods.
func (d *Demo) Explain(ctx context.Context) {
	for _, command := range []string{"get pods -A -o wide", "get events -A --field-selector type=Warning", "get switches,hosts,links,switchconfigs,vpcs,vpcattachments -A"} {
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
