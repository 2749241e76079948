package main

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"github.com/switchlet/switchlet/deploy/lab/box"
	"github.com/switchlet/switchlet/sonic"
	"github.com/switchlet/switchlet/sonic/yang"
)

// measureYANG checks a leaf with 2,000 VLANs against SONiC's models, and what
// one VPC more would make of it, each beside the limit that it is to keep.
func measureYANG(ctx context.Context, dir string) ([]Result, error) {
	models, which, err := modelsDir(ctx, dir)
	if err != nil {
		return nil, err
	}
	schema, err := yang.Load(models, "/usr/share/yang/modules/libyang")
	if err != nil {
		return nil, err
	}
	rows := withPorts(leaf(vlans))
	var full, one []time.Duration
	var checker *yang.Checker
	for range runs {
		start := time.Now()
		checker = yang.NewChecker(schema, rows)
		if violations := checker.Violations(); len(violations) > 0 {
			return nil, fmt.Errorf("%d violations, the first: %s", len(violations), violations[0])
		}
		full = append(full, time.Since(start))
	}
	more := sonic.DB{}
	for key, fields := range leaf(vlans + 1) {
		if _, ok := rows[key]; !ok {
			more[key] = fields
		}
	}
	var changes []yang.Change
	for key, fields := range more {
		changes = append(changes, yang.Change{Key: key, Fields: fields})
	}
	for range 10 * runs {
		start := time.Now()
		if violations := checker.Check(changes); len(violations) > 0 {
			return nil, fmt.Errorf("%d violations, the first: %s", len(violations), violations[0])
		}
		one = append(one, time.Since(start))
	}
	return []Result{
		durations("yang_full_2000", fmt.Sprintf("all of a leaf with %d VLANs checked against %s; floor: the limit", vlans, which), full, []time.Duration{300 * time.Millisecond}),
		durations("yang_one_vpc", "one VPC more on that leaf checked; floor: the limit", one, []time.Duration{10 * time.Millisecond}),
	}, nil
}

// modelsDir are SONiC's models where they lie beside the repository, else the
// lab's short ones.
func modelsDir(ctx context.Context, dir string) (models, which string, err error) {
	const shared = "../shared/sonic/yang-models"
	if _, err := os.Stat(shared); err == nil {
		return shared, "SONiC's models", nil
	}
	b, err := box.Start(ctx, box.Config{Root: filepath.Join(dir, "models"), Name: "leaf1", NoDaemons: true})
	if err != nil {
		return "", "", err
	}
	return b.YANGDir(), "the lab's short models", b.Close()
}

// withPorts adds the ports that the leaf's VLANs are on.
func withPorts(rows sonic.DB) sonic.DB {
	for i := range 32 {
		rows[sonic.Key{Table: "PORT", Name: fmt.Sprintf("Ethernet%d", 4*i)}] = sonic.NewFields(
			"lanes", fmt.Sprintf("%d,%d,%d,%d", 4*i+1, 4*i+2, 4*i+3, 4*i+4), "speed", "100000", "admin_status", "up", "alias", fmt.Sprintf("Eth%d", i+1))
	}
	rows[sonic.Key{Table: "DEVICE_METADATA", Name: "localhost"}] = sonic.NewFields("hostname", "leaf1", "mac", "52:54:00:00:00:01")
	rows.Add(sonic.Loopback{Name: "Loopback0", Address: netip.MustParseAddr("10.0.0.1")}.Rows()...)
	return rows
}
