// Package lldpservice is what SONiC's docker-lldp has: lldpd, and stand-ins for lldpmgrd
// and lldp_syncd. It runs on a switch itself, or in a container that has the switch's
// network and Redis.
package lldpservice

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/user"
	"strings"
	"time"

	"github.com/vishvananda/netlink"

	"github.com/switchlet/switchlet/deploy/lab/lldpcli"
	"github.com/switchlet/switchlet/deploy/lab/lldpd"
	"github.com/switchlet/switchlet/deploy/lab/lldpsyncd"
	"github.com/switchlet/switchlet/deploy/lab/process"
)

const (
	// lldpInterval is how often a switch sends: on SONiC every 30 s.
	lldpInterval = 3 * time.Second
	// lldpSync is how often neighbours are brought to APPL_DB: on SONiC every 10 s.
	lldpSync = 2 * time.Second
)

// Config says how it is to run.
type Config struct {
	// ConfigDB reads all rows of CONFIG_DB, and Rows those with certain keys.
	ConfigDB func(context.Context) (lldpd.Rows, error)
	Rows     func(ctx context.Context, keys ...string) (lldpd.Rows, error)
	// Description of the system.
	Description string
	// Redis is the Unix socket of the switch's Redis.
	Redis string
	// Output is the file of lldpd's log.
	Output string
	// Sync is how often neighbours are brought to APPL_DB; 2 s if it is 0.
	Sync time.Duration
	// Thrifty starts lldpcli only when there is something to ask or say: where that
	// takes 0.1 s.
	Thrifty bool
	Log     *slog.Logger
}

// Service is one that runs. Daemon is its lldpd.
type Service struct {
	Daemon *lldpd.Daemon
	First  *process.Process
}

// Start starts all of it. Its parts are more eager than SONiC's, so that nobody has to
// wait for them; what they say and write is the same. Whoever called it looks after lldpd.
func Start(ctx context.Context, cfg Config) (*Service, error) {
	if err := os.MkdirAll("/run/lldpd", 0o755); err != nil { // its root
		return nil, err
	}
	daemon := lldpd.New(lldpd.Config{
		ConfigDB: cfg.ConfigDB, Rows: cfg.Rows, Description: cfg.Description, Interval: lldpInterval,
		File: "/etc/lldpd.conf", Output: cfg.Output, Log: cfg.Log,
	})
	running, err := daemon.Start(ctx)
	if err != nil {
		return nil, err
	}
	links, err := watchLinks(ctx)
	if err != nil {
		return nil, errors.Join(err, running.Kill())
	}
	var source lldpsyncd.Source = lldpcli.Client{}
	if cfg.Thrifty {
		go manageRarely(ctx, daemon, links)
		source = watchNeighbors(ctx, source, cfg.Log)
	} else {
		go daemon.Manage(ctx, links)
	}
	go lldpsyncd.Run(ctx, lldpsyncd.Config{Source: source, Redis: cfg.Redis, Interval: cmp.Or(cfg.Sync, lldpSync), Log: cfg.Log})
	return &Service{daemon, running}, nil
}

// manageRarely manages lldpd's ports when links came or changed, and now and then: each
// look of Manage, which has one every 2 s, costs starts of lldpcli.
func manageRarely(ctx context.Context, daemon *lldpd.Daemon, links <-chan struct{}) {
	const (
		settle    = time.Second // until lldpd has seen what came
		otherwise = time.Minute
	)
	for ctx.Err() == nil {
		manageOnce(ctx, daemon)
		select {
		case <-links:
		case <-time.After(otherwise):
		case <-ctx.Done():
		}
		select {
		case <-time.After(settle):
		case <-ctx.Done():
		}
	}
}

// manageOnce returns when Manage has had a whole look: it hears of a link only between
// two, so when it has heard twice there was one.
func manageOnce(ctx context.Context, daemon *lldpd.Daemon) {
	managing, cancel := context.WithCancel(ctx)
	links, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		daemon.Manage(managing, links)
	}()
	for range 2 {
		select {
		case links <- struct{}{}:
		case <-ended:
		}
	}
	cancel()
	<-ended
}

// User is the user that lldpd becomes, as lines of passwd(5) and group(5). It
// has to be the machine's own: lldpcli, which is the machine's, belongs to it.
func User() (passwd, group string, err error) {
	const name = "_lldpd"
	u, err := user.Lookup(name)
	if err != nil {
		return "", "", fmt.Errorf("%w (Debian has it in the package lldpd)", err)
	}
	return fmt.Sprintf("%s:x:%s:%s::/run/lldpd:/usr/sbin/nologin\n", name, u.Uid, u.Gid), fmt.Sprintf("%s:x:%s:\n", name, u.Gid), nil
}

// watchLinks tells, until ctx is done, that a port has come or changed. What
// happens while nobody listens is told once.
func watchLinks(ctx context.Context) (<-chan struct{}, error) {
	updates := make(chan netlink.LinkUpdate, 16)
	if err := netlink.LinkSubscribe(updates, ctx.Done()); err != nil {
		return nil, err
	}
	changed := make(chan struct{}, 1)
	go func() {
		for update := range updates {
			if !strings.HasPrefix(update.Attrs().Name, "Ethernet") {
				continue
			}
			select {
			case changed <- struct{}{}:
			default:
			}
		}
	}()
	return changed, nil
}
