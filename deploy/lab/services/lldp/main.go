// Command lldp is the first process of the lab's lldp image: it runs lldpd, tells it what
// CONFIG_DB says, brings what it hears to APPL_DB, and ends when lldpd does.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/switchlet/switchlet/deploy/lab/lldpd"
	"github.com/switchlet/switchlet/deploy/lab/lldpservice"
)

const (
	// socket of the switch's Redis, as the template of the service mounts it.
	socket = "/var/run/redis/redis.sock"
	// configDB is the id of CONFIG_DB.
	configDB = 4
	// sync is how often neighbours are brought to APPL_DB: there may be many of these on
	// one processor.
	sync = 5 * time.Second
	// grace is how long lldpd may take to tell its neighbours that it goes.
	grace = 5 * time.Second
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	if err := run(ctx, log); err != nil {
		log.Error("lldp ends", "error", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, log *slog.Logger) error {
	db := &database{redis.NewClient(&redis.Options{Network: "unix", Addr: socket, DB: configDB, Protocol: 2, DisableIdentity: true})}
	metadata, err := db.rows(ctx, "DEVICE_METADATA|localhost")
	if err != nil {
		return err
	}
	service, err := lldpservice.Start(ctx, lldpservice.Config{
		ConfigDB: db.all, Rows: db.rows, Redis: socket, Output: "/dev/stdout", Thrifty: true, Sync: sync, Log: log,
		Description: description(metadata["DEVICE_METADATA|localhost"]["hwsku"]),
	})
	if err != nil {
		return err
	}
	select {
	case <-service.First.Done():
		return errors.Join(errors.New("lldpd has ended"), service.First.Err())
	case <-ctx.Done():
		return service.First.Stop(grace)
	}
}

// description of the system, as SONiC's container says it.
func description(hardware string) string {
	version := "unknown"
	text, _ := os.ReadFile("/etc/sonic/sonic_version.yml") // for people only
	for line := range strings.Lines(string(text)) {
		if name, ok := strings.CutPrefix(line, "build_version: "); ok {
			version = strings.Trim(strings.TrimSpace(name), "'")
		}
	}
	return fmt.Sprintf("SONiC Software Version: SONiC.%s - HwSku: %s", version, hardware)
}

// database is CONFIG_DB.
type database struct{ client *redis.Client }

func (d *database) all(ctx context.Context) (lldpd.Rows, error) {
	keys, err := d.client.Keys(ctx, "*|*").Result()
	if err != nil {
		return nil, fmt.Errorf("list CONFIG_DB: %w", err)
	}
	return d.rows(ctx, keys...)
}

func (d *database) rows(ctx context.Context, keys ...string) (lldpd.Rows, error) {
	rows := lldpd.Rows{}
	for _, key := range keys {
		row, err := d.client.HGetAll(ctx, key).Result()
		if err != nil {
			return nil, fmt.Errorf("read %s of CONFIG_DB: %w", key, err)
		}
		if len(row) > 0 {
			rows[key] = row
		}
	}
	return rows, nil
}
