// Command agent runs on a SONiC switch. It follows the SwitchConfig of its node, keeps
// CONFIG_DB what that says, and reports.
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

	"github.com/switchlet/switchlet/agent/converge"
	"github.com/switchlet/switchlet/agent/maintenance"
	"github.com/switchlet/switchlet/agent/metrics"
	"github.com/switchlet/switchlet/agent/neighbors"
	"github.com/switchlet/switchlet/agent/report"
	"github.com/switchlet/switchlet/agent/state"
	"github.com/switchlet/switchlet/agent/watch"
	"github.com/switchlet/switchlet/api/v1alpha1"
)

// version is set when the program is linked.
var version = "dev"

func main() {
	opts, err := parse(os.Args[1:], os.Getenv("NODE_NAME"))
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "agent:", err)
		os.Exit(2)
	}
	if os.Getenv("GOGC") == "" {
		// A switch has little memory to spare, and the agent little to do: with
		// 2,000 VLANs this takes some MiB off its memory.
		debug.SetGCPercent(15)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: opts.logLevel})).With("node", opts.node)
	if err := run(ctx, opts, log); err != nil {
		log.Error("agent stopped", "error", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, opts options, log *slog.Logger) error {
	log.Info("agent started", "version", version)
	config, err := restConfig(opts.kubeconfig)
	if err != nil {
		return err
	}
	client, err := watch.NewClient(config)
	if err != nil {
		return err
	}
	release, err := state.Lock(ctx, opts.stateDir, func() {
		log.Warn("another agent is at work on this switch: its end is waited for", "folder", opts.stateDir)
	})
	if ctx.Err() != nil {
		return nil //nolint:nilerr // it was told to end before it had begun
	}
	if err != nil {
		return err
	}
	defer release()
	store, loaded, err := state.Open(opts.stateDir)
	if err != nil {
		return err
	}
	statements, damage, err := state.OpenStatements(opts.stateDir)
	if err != nil {
		return err
	}
	if damage != "" {
		loaded.Damage = append(loaded.Damage, damage)
	}
	reachable, err := apiServer(config)
	if err != nil {
		return err
	}
	cables, damage, err := neighbors.New(neighbors.Config{
		DatabaseConfig: opts.files.DatabaseConfig, StateDir: opts.stateDir, OwnFrames: opts.ownLLDP, Log: log,
	})
	if err != nil {
		return err
	}
	if damage != "" {
		loaded.Damage = append(loaded.Damage, damage)
	}
	inbox, reporter, measured := converge.NewInbox(), report.New(client, opts.node, log), metrics.NewAgent()
	keeper, damage, err := maintenance.New(opts.maintenance(inbox, reporter, measured, log))
	if err != nil {
		return err
	}
	if damage != "" {
		loaded.Damage = append(loaded.Damage, damage)
	}
	told := func(f report.Facts) { reporter.Report(f); keeper.Saw(f) }
	converger := converge.New(converge.Config{
		Node: opts.node, Files: opts.files, AgentVersion: version, Store: store, Loaded: loaded,
		APIServer: reachable, Rules: opts.rules, Persister: opts.persister(), Metrics: measured,
		FRR:   opts.routing(statements),
		Inbox: inbox, Report: told, Log: log,
	})
	var all sync.WaitGroup
	if err := show(ctx, &all, measured.Set, opts, log); err != nil {
		return err
	}
	all.Go(func() { watch.Watch(ctx, client, opts.node, sink{inbox, reporter, keeper}, log) })
	all.Go(func() { reporter.Run(ctx) })
	all.Go(func() { converger.Run(ctx) })
	all.Go(func() { cables.Run(ctx) })
	all.Go(func() {
		cables.Follow(ctx, func(v neighbors.View) { reporter.Heard(v); keeper.Heard(v.Neighbors) })
	})
	all.Go(func() { keeper.Run(ctx) })
	all.Wait()
	log.Info("agent ended; what is in force on the switch stays")
	return nil
}

// show makes the metrics visible to whom the options say.
func show(ctx context.Context, all *sync.WaitGroup, set *metrics.Set, opts options, log *slog.Logger) error {
	if opts.metricsTo != "" {
		all.Go(func() { set.WriteFile(ctx, opts.metricsTo, log) })
	}
	if opts.metricsOn == "" {
		return nil
	}
	listener, err := metrics.Listen(opts.metricsOn)
	if err != nil {
		return fmt.Errorf("--metrics-bind-address: %w", err)
	}
	all.Go(func() {
		if err := set.Serve(ctx, listener); err != nil {
			log.Error("metrics are no longer served", "error", err)
		}
	})
	return nil
}

// sink hands what is seen to those who need it.
type sink struct {
	inbox    *converge.Inbox
	reporter *report.Reporter
	keeper   *maintenance.Keeper
}

func (s sink) SetConfig(config *v1alpha1.SwitchConfig) {
	if config != nil {
		s.reporter.SawConfig(config)
	}
	s.keeper.SetConfig(config)
	s.inbox.SetConfig(config)
}

func (s sink) SetSwitch(self *v1alpha1.Switch) {
	if self != nil {
		s.reporter.SawSwitch(self)
	}
	s.keeper.SetSwitch(self)
	s.inbox.SetSwitch(self)
}
