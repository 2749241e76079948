package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"runtime"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/switchlet/switchlet/deploy/lab/box"
	"github.com/switchlet/switchlet/sonic"
	"github.com/switchlet/switchlet/sonic/redis"
)

const (
	vlans = 2000
	vrfs  = 20
	runs  = 31
)

// measureRedis fills a leaf with 2,000 VLANs, finds out that nothing is to be
// done on it, and adds one VPC to it, each beside the bare Redis commands. The
// box has no daemons: what they make of the rows is measured apart.
func measureRedis(ctx context.Context, dir string) (_ []Result, err error) {
	b, err := box.Start(ctx, box.Config{Root: filepath.Join(dir, "leaf1"), Name: "leaf1", NoDaemons: true})
	if err != nil {
		return nil, err
	}
	client := redis.NewClient(redis.Database{Socket: b.Socket(), ID: 4})
	m := redisMeter{client: client, raw: goredis.NewClient(&goredis.Options{
		Network: "unix", Addr: b.Socket(), DB: 4, Protocol: 2, DisableIdentity: true, ReadTimeout: time.Minute,
	})}
	defer func() { err = errors.Join(err, m.raw.Close(), client.Close(), b.Close()) }()
	want := leaf(vlans)
	apply, err := m.apply(ctx, want)
	if err != nil {
		return nil, err
	}
	noop, err := m.noop(ctx, want)
	if err != nil {
		return nil, err
	}
	one, err := m.oneVPC(ctx, want)
	if err != nil {
		return nil, err
	}
	return []Result{
		durations("redis_apply_2000", fmt.Sprintf("empty leaf → %d VLANs and VNIs: read, diff, write; floor: the same commands raw in one pipeline", vlans), apply.ours, apply.floor),
		durations("redis_noop_2000", "that leaf read from nothing and found right; floor: reading the same rows raw in one pipeline", noop.ours, noop.floor),
		durations("redis_one_vpc", "one VPC more on that leaf: diff and write; floor: its commands raw in one pipeline", one.ours, one.floor),
	}, nil
}

// redisMeter measures our client beside a bare one.
type redisMeter struct {
	client *redis.Client
	raw    *goredis.Client
}

// begin begins a sample, without what the one before has left to be collected: it is of
// the other kind.
func begin() time.Time {
	runtime.GC()
	return time.Now()
}

// series are samples and those of the floor, taken in turn.
type series struct{ ours, floor []time.Duration }

func (m redisMeter) apply(ctx context.Context, want sonic.DB) (s series, err error) {
	for range runs {
		start := begin()
		have, err := m.client.Load(ctx)
		if err != nil {
			return s, err
		}
		plan := sonic.Diff(have, want, sonic.Ledger{})
		if err := m.write(ctx, plan); err != nil {
			return s, err
		}
		s.ours = append(s.ours, time.Since(start))
		if err := m.remove(ctx, want); err != nil {
			return s, err
		}
		start = begin()
		if err := m.bare(ctx, plan); err != nil {
			return s, err
		}
		s.floor = append(s.floor, time.Since(start))
		if err := m.remove(ctx, want); err != nil {
			return s, err
		}
	}
	return s, nil
}

func (m redisMeter) noop(ctx context.Context, want sonic.DB) (s series, err error) {
	owned, err := m.fill(ctx, want)
	if err != nil {
		return s, err
	}
	for range runs {
		start := begin()
		have, err := m.client.Load(ctx)
		if err != nil {
			return s, err
		}
		if plan := sonic.Diff(have, want, owned); plan.Commands() > 0 {
			return s, fmt.Errorf("there is something to do:\n%s", plan)
		}
		s.ours = append(s.ours, time.Since(start))

		start = begin()
		pipe := m.raw.Pipeline()
		for key := range have {
			pipe.HGetAll(ctx, key.String())
		}
		if _, err := pipe.Exec(ctx); err != nil {
			return s, err
		}
		s.floor = append(s.floor, time.Since(start))
	}
	return s, m.remove(ctx, want)
}

// oneVPC adds a VPC to a full leaf whose rows are in memory, as the agent has
// them.
func (m redisMeter) oneVPC(ctx context.Context, before sonic.DB) (s series, err error) {
	owned, err := m.fill(ctx, before)
	if err != nil {
		return s, err
	}
	have, err := m.client.Load(ctx)
	if err != nil {
		return s, err
	}
	want := leaf(vlans + 1)
	balance := sonic.NewBalance(have, before, owned)
	for range 10 * runs {
		start := begin()
		balance.Want(want)
		plan := balance.Diff(nil)
		if err := m.write(ctx, plan); err != nil {
			return s, err
		}
		s.ours = append(s.ours, time.Since(start))
		added := sonic.DB{}
		for _, stage := range plan.Stages {
			added.Apply(stage.Commands...)
		}
		if err := m.remove(ctx, added); err != nil {
			return s, err
		}
		start = begin()
		if err := m.bare(ctx, plan); err != nil {
			return s, err
		}
		s.floor = append(s.floor, time.Since(start))
		if err := m.remove(ctx, added); err != nil {
			return s, err
		}
		balance.Want(before)
	}
	return s, nil
}

// fill makes the rows and returns what the agent would record of them.
func (m redisMeter) fill(ctx context.Context, want sonic.DB) (sonic.Ledger, error) {
	have, err := m.client.Load(ctx)
	if err != nil {
		return nil, err
	}
	plan, owned := sonic.Diff(have, want, sonic.Ledger{}), sonic.Ledger{}
	owned.Apply(plan)
	return owned, m.write(ctx, plan)
}

func (m redisMeter) write(ctx context.Context, plan sonic.Plan) error {
	for _, stage := range plan.Stages {
		if err := m.client.Apply(ctx, stage.Commands); err != nil {
			return err
		}
	}
	return nil
}

// bare sends the commands of a plan in one pipeline.
func (m redisMeter) bare(ctx context.Context, plan sonic.Plan) error {
	pipe := m.raw.Pipeline()
	for _, stage := range plan.Stages {
		for _, c := range stage.Commands {
			args := []any{"hset", c.Key.String()}
			for _, field := range c.Fields {
				args = append(args, field.Name, field.Value)
			}
			if len(c.Fields) == 0 {
				args = append(args, "NULL", "NULL")
			}
			pipe.Do(ctx, args...)
		}
	}
	_, err := pipe.Exec(ctx)
	return err
}

func (m redisMeter) remove(ctx context.Context, rows sonic.DB) error {
	pipe := m.raw.Pipeline()
	for key := range rows {
		pipe.Del(ctx, key.String())
	}
	_, err := pipe.Exec(ctx)
	return err
}

// leaf is a leaf with n VLANs in 20 VRFs: about 10,000 rows for 2,000 VLANs.
func leaf(n int) sonic.DB {
	vtep := netip.MustParseAddr("10.255.0.1")
	db := sonic.DB{}
	db.Add(sonic.Loopback{Name: "Loopback1", Address: vtep}.Rows()...)
	db.Add(sonic.Tunnel{Name: "switchlet", Source: vtep}.Row(), sonic.NVO{Name: "switchlet", Tunnel: "switchlet"}.Row())
	for i := range vrfs {
		vni, vlan := 20001+i, 3001+i
		db.Add(sonic.VRF{Name: sonic.VRFName(vni), VNI: vni}.Row(), sonic.VLAN{ID: vlan, Description: "l3"}.Row(),
			sonic.TunnelMap{Tunnel: "switchlet", VLAN: vlan, VNI: vni}.Row())
		db.Add(sonic.VLANInterface{VLAN: vlan, VRF: sonic.VRFName(vni)}.Rows()...)
	}
	for i := range n {
		vlan, vni := 100+i, 10000+i
		gateway := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i / 256), byte(i), 1}), 24)
		db.Add(sonic.VLAN{ID: vlan, Description: fmt.Sprintf("switchlet tenant/vpc-%d/web", i)}.Row(),
			sonic.TunnelMap{Tunnel: "switchlet", VLAN: vlan, VNI: vni}.Row(),
			sonic.VLANMember{VLAN: vlan, Port: fmt.Sprintf("Ethernet%d", i%4*4)}.Row())
		db.Add(sonic.VLANInterface{VLAN: vlan, VRF: sonic.VRFName(20001 + i%vrfs), MACAddress: "00:00:5e:00:01:01",
			Addresses: []netip.Prefix{gateway}}.Rows()...)
	}
	return db
}
