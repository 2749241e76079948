package node

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/user"
	"strings"
	"time"

	"github.com/vishvananda/netlink"

	"github.com/switchlet/switchlet/deploy/lab/box"
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

// startLLDP starts what SONiC's docker-lldp has: lldpd, and stand-ins for
// lldpmgrd and lldp_syncd. They are more eager than SONiC's, so that nobody has
// to wait for them; what they say and write is the same.
func (s Spec) startLLDP(ctx context.Context, sonic *box.Box, log *slog.Logger) error {
	if err := os.MkdirAll("/run/lldpd", 0o755); err != nil { // its root
		return err
	}
	daemon := lldpd.New(lldpd.Config{
		ConfigDB:    func(ctx context.Context) (lldpd.Rows, error) { return sonic.Snapshot(ctx) },
		Rows:        func(ctx context.Context, keys ...string) (lldpd.Rows, error) { return sonic.Rows(ctx, keys...) },
		Description: sonic.Description(), Interval: lldpInterval,
		File: "/etc/lldpd.conf", Output: "/var/log/lldpd.log", Log: log,
	})
	running, err := daemon.Start(ctx)
	if err != nil {
		return err
	}
	links, err := watchLinks(ctx)
	if err != nil {
		return err
	}
	go process.Keep(ctx, log, running, daemon.Start)
	if s.Kubelet {
		go daemon.Manage(ctx, links)
	} else {
		go manageRarely(ctx, daemon, links)
	}
	var source lldpsyncd.Source = lldpcli.Client{}
	if !s.Kubelet { // where a start of lldpcli takes 0.1 s
		source = watchNeighbors(ctx, source, log)
	}
	go lldpsyncd.Run(ctx, lldpsyncd.Config{Source: source, Redis: sonic.Socket(), Interval: lldpSync, Log: log})
	return nil
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

// lldpUser is the user that lldpd becomes, as lines of passwd(5) and group(5). It
// has to be the machine's own: lldpcli, which is the machine's, belongs to it.
func lldpUser() (passwd, group string, err error) {
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
