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

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/switchlet/switchlet/agent/converge"
	"github.com/switchlet/switchlet/agent/report"
	"github.com/switchlet/switchlet/agent/state"
	"github.com/switchlet/switchlet/agent/watch"
	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/sonic/redis"
)

// version is set when the program is linked.
var version = "dev"

// options are the command line.
type options struct {
	node       string
	kubeconfig string
	stateDir   string
	files      converge.Files
	logLevel   slog.Level
}

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
		// 2,000 VLANs this takes a quarter off its memory.
		debug.SetGCPercent(25)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: opts.logLevel})).With("node", opts.node)
	if err := run(ctx, opts, log); err != nil {
		log.Error("agent stopped", "error", err)
		os.Exit(1)
	}
}

func parse(args []string, node string) (options, error) {
	var o options
	flags := flag.NewFlagSet("agent", flag.ContinueOnError)
	flags.StringVar(&o.node, "node", node, "name of this switch's Node, Switch and SwitchConfig (environment: NODE_NAME)")
	flags.StringVar(&o.kubeconfig, "kubeconfig", "", "kubeconfig file; without one, that of the pod")
	flags.StringVar(&o.files.DatabaseConfig, "database-config", redis.DefaultConfigFile, "SONiC's database_config.json")
	flags.StringVar(&o.stateDir, "state-dir", "/var/lib/switchlet", "folder on the switch's disk for the last good configuration")
	flags.StringVar(&o.files.YANGDir, "yang-dir", "/usr/local/yang-models", "folder of the switch's YANG models")
	flags.StringVar(&o.files.Version, "sonic-version-file", "/etc/sonic/sonic_version.yml", "SONiC's version")
	flags.TextVar(&o.logLevel, "log-level", slog.LevelInfo, "debug, info, warn or error")
	if err := flags.Parse(args); err != nil {
		return options{}, err
	}
	if flags.NArg() > 0 {
		return options{}, fmt.Errorf("unknown argument %q: there are flags only, see --help", flags.Arg(0))
	}
	if o.node == "" {
		return options{}, errors.New("--node is empty: give the name of the switch's Node, or set NODE_NAME")
	}
	return o, nil
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
	store, loaded, err := state.Open(opts.stateDir)
	if err != nil {
		return err
	}
	inbox, reporter := converge.NewInbox(), report.New(client, opts.node, log)
	converger := converge.New(converge.Config{
		Node: opts.node, Files: opts.files, AgentVersion: version, Store: store, Loaded: loaded,
		Inbox: inbox, Report: reporter.Report, Log: log,
	})
	var all sync.WaitGroup
	all.Go(func() { watch.Watch(ctx, client, opts.node, sink{inbox, reporter}, log) })
	all.Go(func() { reporter.Run(ctx) })
	all.Go(func() { converger.Run(ctx) })
	all.Wait()
	log.Info("agent ended; what is in force on the switch stays")
	return nil
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

// sink hands what is seen to those who need it.
type sink struct {
	inbox    *converge.Inbox
	reporter *report.Reporter
}

func (s sink) SetConfig(config *v1alpha1.SwitchConfig) {
	if config != nil {
		s.reporter.SawConfig(config)
	}
	s.inbox.SetConfig(config)
}

func (s sink) SetSwitch(self *v1alpha1.Switch) {
	if self != nil {
		s.reporter.SawSwitch(self)
	}
	s.inbox.SetSwitch(self)
}
