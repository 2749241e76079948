package lldpsyncd

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/switchlet/switchlet/deploy/lab/lldpcli"
)

// applDB is the id of APPL_DB.
const applDB = 0

// DefaultInterval is how often lldp_syncd asks.
const DefaultInterval = 10 * time.Second

// Source is who is asked for neighbours: an lldpcli.Client.
type Source interface {
	Neighbors(context.Context) ([]lldpcli.Interface, error)
	Chassis(context.Context) (lldpcli.Chassis, error)
}

// Config says what to bring where.
type Config struct {
	// Source of neighbours.
	Source Source
	// Redis is the Unix socket of the switch's Redis.
	Redis string
	// Interval between two looks; DefaultInterval if 0.
	Interval time.Duration
	// Log is told when it begins to fail, and when that ends.
	Log *slog.Logger
}

// Run brings neighbours to APPL_DB until ctx is done. What is there already it
// reads: Redis may have been started anew, empty.
func Run(ctx context.Context, cfg Config) {
	client := redis.NewClient(&redis.Options{
		Network: "unix", Addr: cfg.Redis, DB: applDB, Protocol: 2, DisableIdentity: true, MaxRetries: -1,
	})
	defer client.Close()
	ticker := time.NewTicker(cmp.Or(cfg.Interval, DefaultInterval))
	defer ticker.Stop()
	failing := false
	for {
		err := Sync(ctx, cfg.Source, client)
		if failing != (err != nil) && ctx.Err() == nil {
			failing = err != nil
			cfg.Log.Info("LLDP neighbours in APPL_DB", "failing", failing, "error", err)
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// Sync asks once and writes what has changed.
func Sync(ctx context.Context, from Source, to *redis.Client) error {
	neighbors, err := from.Neighbors(ctx)
	if err != nil {
		return err
	}
	chassis, err := from.Chassis(ctx)
	if err != nil {
		return err
	}
	entries, err := read(ctx, to, entryTable+"*")
	if err != nil {
		return err
	}
	local, err := read(ctx, to, localChassis)
	if err != nil {
		return err
	}
	return write(ctx, to, append(changes(local, Rows{localChassis: chassisRow(chassis)}), changes(entries, rowsOf(neighbors))...))
}

// read reads the rows whose keys match a pattern.
func read(ctx context.Context, client *redis.Client, pattern string) (Rows, error) {
	rows := Rows{}
	scan := client.Scan(ctx, 0, pattern, 1000).Iterator()
	for scan.Next(ctx) {
		row, err := client.HGetAll(ctx, scan.Val()).Result()
		if err != nil {
			return nil, fmt.Errorf("read %s of APPL_DB: %w", scan.Val(), err)
		}
		if len(row) > 0 {
			rows[scan.Val()] = row
		}
	}
	if err := scan.Err(); err != nil {
		return nil, fmt.Errorf("list %s of APPL_DB: %w", pattern, err)
	}
	return rows, nil
}

// write does one thing after the other: who watches sees a row go and come
// back, as on a switch.
func write(ctx context.Context, client *redis.Client, list []change) error {
	_, err := client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for _, c := range list {
			if c.delete {
				p.Del(ctx, c.key)
			}
			if len(c.set) > 0 {
				p.HSet(ctx, c.key, c.set)
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("write LLDP neighbours to APPL_DB: %w", err)
	}
	return nil
}
