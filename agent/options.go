package main

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"

	"github.com/switchlet/switchlet/agent/converge"
	"github.com/switchlet/switchlet/agent/maintenance"
	"github.com/switchlet/switchlet/agent/metrics"
	"github.com/switchlet/switchlet/agent/persist"
	"github.com/switchlet/switchlet/agent/probe"
	"github.com/switchlet/switchlet/agent/report"
	"github.com/switchlet/switchlet/agent/state"
	"github.com/switchlet/switchlet/images/store"
	"github.com/switchlet/switchlet/sonic/redis"
)

// options are the command line.
type options struct {
	node       string
	kubeconfig string
	stateDir   string
	files      converge.Files
	configFile string
	metricsTo  string // a file
	metricsOn  string // an address
	frr        converge.Ways
	frrExec    string // a command that runs vtysh
	frrFile    string
	rules      probe.Rules
	ownLLDP    bool
	containerd string // its socket
	imagesDir  string // a folder on the disk of images
	drainLimit uint64
	logLevel   slog.Level
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
	flags.StringVar(&o.frr.Sockets, "frr-vty-dir", "/var/run/frr", "folder of the sockets of FRR's daemons, used while bgpd's is there")
	flags.StringVar(&o.frr.Layers, "docker-layers", "/run/overlay2", "folder of Docker's overlay2, in which FRR's sockets are those of the container that has them")
	flags.StringVar(&o.frrExec, "frr-exec", "", "command that runs FRR's vtysh, used without the sockets, such as 'docker exec -i bgp vtysh'; empty for none")
	flags.StringVar(&o.frr.Docker, "docker-socket", "/var/run/docker.sock", "socket of Docker's daemon, used without the above to run vtysh in FRR's container; empty to leave it alone")
	flags.StringVar(&o.frr.Container, "frr-container", "bgp", "name of FRR's container")
	flags.StringVar(&o.frrFile, "frr-conf-file", "/etc/sonic/frr/frr.conf", "what FRR reads when it starts, kept up to date in docker_routing_config_mode split-unified; empty to leave it alone")
	flags.DurationVar(&o.rules.Window, "confirm-window", 0, "how long a change is on trial before it counts as good (default 10s)")
	flags.StringVar(&o.metricsTo, "metrics-file", "", "file for metrics, NAME.prom, as node_exporter's textfile collector reads them")
	flags.StringVar(&o.metricsOn, "metrics-bind-address", "", "address to serve metrics on, such as 127.0.0.1:9350; without it no port is open")
	flags.BoolVar(&o.ownLLDP, "lldp-own-frames", true, "send and hear LLDP frames where SONiC's lldp service is absent, which takes CAP_NET_RAW")
	flags.StringVar(&o.containerd, "containerd-socket", "/run/switchlet/containerd.sock", "socket of the kubelet's containerd, by which images of a release are fetched if it is there")
	flags.StringVar(&o.imagesDir, "images-dir", "", "folder on the disk that containerd keeps images on, to see how much room is left (default: --state-dir)")
	flags.Uint64Var(&o.drainLimit, "drain-bits-per-second", 0, "what a port of a drained switch may carry and count as free of traffic (default 1000000)")
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
	o.frr.Vtysh, o.imagesDir = strings.Fields(o.frrExec), cmp.Or(o.imagesDir, o.stateDir)
	return o, nil
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

// routing is how to reach FRR.
func (o options) routing(statements *state.Statements) converge.FRR {
	return converge.FRR{Shell: converge.FindShell(o.frr), Statements: statements, File: o.frrFile}
}

// maintenance is how spec.maintenance is answered.
func (o options) maintenance(inbox *converge.Inbox, reporter *report.Reporter, measured *metrics.Agent, log *slog.Logger) maintenance.Config {
	return maintenance.Config{
		File: filepath.Join(o.stateDir, "maintenance"), DatabaseConfig: o.files.DatabaseConfig, Shell: converge.FindShell(o.frr),
		Images: store.New(store.Config{Socket: o.containerd, Root: o.imagesDir}), Socket: o.containerd,
		Overlay: func(routes, ports bool, spare []string) {
			inbox.SetOverlay(converge.Overlay{Routes: routes, Ports: ports, Spare: spare})
		},
		Answer: reporter.Answer, Limit: o.drainLimit, Metrics: measured, Log: log,
	}
}
