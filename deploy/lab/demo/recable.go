package demo

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/switchlet/switchlet/deploy/lab/box"
	"github.com/switchlet/switchlet/deploy/lab/cabling"
	"github.com/switchlet/switchlet/deploy/lab/matrix"
	"github.com/switchlet/switchlet/deploy/lab/rack"
)

// recable moves the cable of a host that runs from one leaf to the other. The VLANs
// have to follow; the port that it was in loses them later, and nothing else changes.
func (d *Demo) recable(ctx context.Context, before rows) (rows, error) {
	nic := cabling.End{Node: "host1", Port: "eth1"}
	from, to := cabling.End{Node: "leaf1", Port: "Ethernet0"}, cabling.End{Node: "leaf2", Port: "Ethernet8"}
	what := carried(before[from.Node], from.Port)
	if len(what) == 0 {
		return nil, fmt.Errorf("%s carries nothing that could follow a cable", from)
	}
	d.screen.Title("$ bin/lab cable move %s %s    # it was in %s", nic, to, from)
	if err := d.move(ctx, nic, to); err != nil {
		return nil, err
	}
	begin := time.Now()
	d.screen.Progress("waiting until the VLANs have followed")
	if err := d.waitCarried(ctx, to, what); err != nil {
		return nil, err
	}
	d.screen.Step("%s carries %s after %s", to, strings.Join(slices.Sorted(maps.Keys(what)), " and "), since(begin))
	if err := d.showOutputs(ctx, `get links`, `get vpcattachments -A`); err != nil {
		return nil, err
	}
	d.screen.Progress("waiting until %s has lost them (withdrawAfter: 5s)", from)
	after, err := d.waitRows(ctx, before.moved(from, to))
	if err != nil {
		return nil, err
	}
	d.screen.Step("%s has lost them after %s, and nothing else changed", from, since(begin))
	if err := d.findEndpoints(ctx, 2*d.ofOneVPC(), follows(nic, to)); err != nil {
		return nil, err
	}
	return after, d.showMatrix(ctx, "Who reaches whom now, over the other leaf", matrix.VPCRules())
}

func (d *Demo) move(ctx context.Context, nic, to cabling.End) error {
	client, err := rack.Of(d.lab)
	if err != nil {
		return err
	}
	return client.Change(ctx, "move", nic, to)
}

// waitCarried waits until a port carries what it should.
func (d *Demo) waitCarried(ctx context.Context, port cabling.End, want map[string]string) error {
	return until(ctx, "the VLANs do not follow", func(ctx context.Context) (string, error) {
		rows, err := box.Read(ctx, d.lab.Socket(port.Node))
		if err != nil {
			return "", err
		}
		if have := carried(rows, port.Port); !maps.Equal(have, want) {
			return fmt.Sprintf("%s carries %v, want %v", port, have, want), nil
		}
		return "", nil
	})
}

func since(begin time.Time) time.Duration { return time.Since(begin).Round(10 * time.Millisecond) }
