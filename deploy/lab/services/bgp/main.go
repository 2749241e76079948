// Command bgp is the first process of the lab's bgp image, and stands in for the
// supervisor of SONiC's: it runs FRR with what /etc/frr/frr.conf says, and ends when one
// of the daemons does.
package main

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/switchlet/switchlet/deploy/lab/routing"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	if err := run(ctx, log); err != nil {
		log.Error("bgp ends", "error", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, log *slog.Logger) error {
	// An image may say what else bgpd is started with: that makes a version of it.
	bgpd := strings.Fields(os.Getenv("BGPD_OPTIONS"))
	name, err := os.Hostname()
	if err != nil {
		return err
	}
	frr, err := routing.NewInContainer(name, log, bgpd)
	if err != nil {
		return err
	}
	return frr.Run(ctx)
}
