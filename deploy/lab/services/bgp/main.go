// Command bgp is the first process of the lab's bgp image, and stands in for the
// supervisor of SONiC's: it runs FRR with what /etc/frr/frr.conf says, and ends when one
// of the daemons does.
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/switchlet/switchlet/deploy/lab/routing"
)

func main() {
	warm := flag.Int("warm", 0, "seconds for which routes of the FRR before stay in the kernel; then they stay, too, when this one ends. 0: they do not")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	if err := run(ctx, *warm, log); err != nil {
		log.Error("bgp ends", "error", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, warm int, log *slog.Logger) error {
	// An image may say what else bgpd is started with: that makes a version of it.
	bgpd := strings.Fields(os.Getenv("BGPD_OPTIONS"))
	name, err := os.Hostname()
	if err != nil {
		return err
	}
	if warm > 0 {
		return routing.NewInContainer(name, log, bgpd, "-K", fmt.Sprint(warm)).Run(ctx, routing.Kill)
	}
	return routing.NewInContainer(name, log, bgpd).Run(ctx, routing.Stop)
}
