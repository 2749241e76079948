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
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/switchlet/switchlet/agent/converge"
	"github.com/switchlet/switchlet/agent/metrics"
	"github.com/switchlet/switchlet/agent/persist"
	"github.com/switchlet/switchlet/agent/probe"
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
	configFile string
	metricsTo  string // a file
	metricsOn  string // an address
	frrDir     string // of FRR's sockets
	frrExec    string // a command that runs vtysh
	frrFile    string
	rules      probe.Rules
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
	flags.StringVar(&o.files.IETFDir, "ietf-yang-dir", "/usr/share/yang/modules/libyang", "folder of the IETF modules that the models import, where they are not beside them")
	flags.StringVar(&o.files.Version, "sonic-version-file", "/etc/sonic/sonic_version.yml", "SONiC's version")
	flags.StringVar(&o.configFile, "config-db-file", "/etc/sonic/config_db.json", "SONiC's saved configuration, into which the agent's rows are put; empty to leave it alone")
	flags.StringVar(&o.frrDir, "frr-vty-dir", "/var/run/frr", "folder of the sockets of FRR's daemons, used while bgpd's is there")
	flags.StringVar(&o.frrExec, "frr-exec", "", "command that runs FRR's vtysh, used without the sockets, such as 'docker exec -i bgp vtysh'; empty for none")
	flags.StringVar(&o.frrFile, "frr-conf-file", "/etc/sonic/frr/frr.conf", "what FRR reads when it starts, kept up to date in docker_routing_config_mode split-unified; empty to leave it alone")
	flags.DurationVar(&o.rules.Window, "confirm-window", 0, "how long a change is on trial before it counts as good (default 10s)")
	flags.StringVar(&o.metricsTo, "metrics-file", "", "file for metrics, NAME.prom, as node_exporter's textfile collector reads them")
	flags.StringVar(&o.metricsOn, "metrics-bind-address", "", "address to serve metrics on, such as 127.0.0.1:9350; without it no port is open")
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
	inbox, reporter, measured := converge.NewInbox(), report.New(client, opts.node, log), metrics.NewAgent()
	converger := converge.New(converge.Config{
		Node: opts.node, Files: opts.files, AgentVersion: version, Store: store, Loaded: loaded,
		APIServer: reachable, Rules: opts.rules, Persister: opts.persister(), Metrics: measured,
		FRR:   opts.frr(statements),
		Inbox: inbox, Report: reporter.Report, Log: log,
	})
	var all sync.WaitGroup
	if err := show(ctx, &all, measured.Set, opts, log); err != nil {
		return err
	}
	all.Go(func() { watch.Watch(ctx, client, opts.node, sink{inbox, reporter}, log) })
	all.Go(func() { reporter.Run(ctx) })
	all.Go(func() { converger.Run(ctx) })
	all.Wait()
	log.Info("agent ended; what is in force on the switch stays")
	return nil
}

// apiServer is how to find out whether the API server can be reached.
func apiServer(config *rest.Config) (func(context.Context) error, error) {
	settings, err := rest.TLSConfigFor(config)
	if err != nil {
		return nil, fmt.Errorf("TLS of the API server: %w", err)
	}
	return probe.HTTPS(config.Host, settings), nil
}

// persister saves rows in SONiC's file, unless it is to be left alone.
func (o options) persister() *persist.Persister {
	if o.configFile == "" {
		return nil
	}
	return persist.New(persist.Config{
		File: o.configFile, LockFile: filepath.Join(filepath.Dir(o.configFile), "reload.lock"), StateDir: o.stateDir,
	})
}

// frr is how to reach FRR.
func (o options) frr(statements *state.Statements) converge.FRR {
	return converge.FRR{Shell: converge.FindShell(o.frrDir, strings.Fields(o.frrExec)), Statements: statements, File: o.frrFile}
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
