package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/switchlet/switchlet/deploy/lab/box"
	"github.com/switchlet/switchlet/deploy/lab/swss"
	"github.com/switchlet/switchlet/sonic"
	"github.com/switchlet/switchlet/sonic/redis"
)

const (
	markerRuns = 3
	// markerPatience bounds the wait for the next marker.
	markerPatience = time.Minute
)

// measureMarkers fills a leaf with 2,000 VLANs and waits until the stand-in for
// SONiC's daemons has taken them. On a switch that is the daemons' own time, and
// longer; here it says what following the markers costs.
func measureMarkers(ctx context.Context, dir string) (_ []Result, err error) {
	b, err := box.Start(ctx, box.Config{Root: filepath.Join(dir, "leaf1"), Name: "leaf1"})
	if err != nil {
		return nil, err
	}
	databases, err := redis.ReadConfig(b.DatabaseConfig())
	if err != nil {
		return nil, errors.Join(err, b.Close())
	}
	markers, err := redis.NewMarkers(databases)
	if err != nil {
		return nil, errors.Join(err, b.Close())
	}
	client := redis.NewClient(databases[redis.ConfigDB])
	listening, stop := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() { defer close(ended); markers.Run(listening) }()
	defer func() {
		stop()
		<-ended
		err = errors.Join(err, client.Close(), markers.Close(), b.Close())
	}()
	var s series
	for range markerRuns {
		taken, written, err := fillAndWait(ctx, b, redisMeter{client: client}, markers)
		if err != nil {
			return nil, err
		}
		s.ours, s.floor = append(s.ours, taken), append(s.floor, written)
	}
	return []Result{durations("markers_2000",
		fmt.Sprintf("empty leaf → the stand-in for SONiC's daemons has taken %d VLANs and VNIs; floor: only written", vlans), s.ours, s.floor)}, nil
}

// fillAndWait fills a leaf, waits for the markers of all rows, and empties it by
// a config reload. It says how long it took until all rows were taken, and until
// they were written.
func fillAndWait(ctx context.Context, b *box.Box, m redisMeter, markers *redis.Markers) (taken, written time.Duration, err error) {
	start := time.Now()
	have, err := m.client.Load(ctx)
	if err != nil {
		return 0, 0, err
	}
	plan := sonic.Diff(have, leaf(vlans), sonic.Ledger{})
	if err := m.write(ctx, plan); err != nil {
		return 0, 0, err
	}
	written = time.Since(start)
	missing, err := markers.Await(ctx, plan.Accepted(), markerPatience)
	if err != nil {
		return 0, 0, err
	}
	taken = time.Since(start)
	if len(missing) > 0 {
		return 0, 0, fmt.Errorf("%d rows were not taken; %s did not come", len(missing), missing[0])
	}
	if mistakes := b.Daemons().Mistakes(); len(mistakes) > 0 {
		return 0, 0, fmt.Errorf("mistakes were made:\n%s", swss.Report(mistakes[:min(len(mistakes), 10)]))
	}
	return taken, written, errors.Join(b.Reload(ctx), b.Daemons().Quiet(ctx))
}
