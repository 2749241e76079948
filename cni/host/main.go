// Command host-agent runs on a node that is not a switch. It says by LLDP on the
// node's NICs who the node is, hears who is at the other ends of the cables, and
// tells both in the status of the node's Host. With --cni-socket it also attaches
// pods to networks, which the CNI plugin asks for; `host-agent install` puts that
// plugin into its place.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"sync"
	"syscall"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/switchlet/switchlet/cni/host/neighbors"
	"github.com/switchlet/switchlet/cni/host/nics"
	"github.com/switchlet/switchlet/cni/host/object"
	"github.com/switchlet/switchlet/cni/host/report"
)

// version is set when the program is linked.
var version = "dev"

func main() {
	if args := os.Args[1:]; len(args) > 0 && args[0] == installCommand {
		os.Exit(mainInstall(args[1:], slog.New(slog.NewTextHandler(os.Stderr, nil))))
	}
	opts, err := parse(os.Args[1:], os.Getenv("NODE_NAME"))
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "host-agent:", err)
		os.Exit(2)
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(25) // it has little to do, and a node's memory is for its pods
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: opts.logLevel})).With("node", opts.node)
	if err := run(ctx, opts, log); err != nil {
		log.Error("host agent stopped", "error", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, opts options, log *slog.Logger) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	log.Info("host agent started", "version", version)
	config, err := restConfig(opts.kubeconfig)
	if err != nil {
		return err
	}
	client, err := object.NewClient(config)
	if err != nil {
		return err
	}
	reporter := report.New(client, opts.node, log)
	watcher, err := neighbors.New(neighbors.Config{
		Node: opts.node, Chosen: opts.rules.Chosen, StateDir: opts.stateDir, Interval: opts.interval,
		Report: reporter.SetNeighbors, Log: log,
	})
	if err != nil {
		return err
	}
	var plugin error
	var all sync.WaitGroup
	if opts.cniSocket != "" {
		all.Go(func() {
			if plugin = runPlugin(ctx, opts, config, client, log); plugin != nil {
				stop()
			}
		})
	}
	all.Go(func() { nics.Watch(ctx, opts.rules, log, reporter.SetNICs) })
	all.Go(func() { watcher.Run(ctx) })
	all.Go(func() { report.Watch(ctx, client, opts.node, reporter.SawHost, log) })
	all.Go(func() { reporter.Run(ctx) })
	all.Wait()
	log.Info("host agent ended")
	return plugin
}

func restConfig(kubeconfig string) (*rest.Config, error) {
	if kubeconfig == "" {
		config, err := rest.InClusterConfig()
		if err != nil {
			return nil, fmt.Errorf("configuration of the pod (or give --kubeconfig): %w", err)
		}
		return config, nil
	}
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("--kubeconfig %s: %w", kubeconfig, err)
	}
	return config, nil
}
