package main

import (
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/switchlet/switchlet/cni/host/install"
	"github.com/switchlet/switchlet/cni/host/nics"
	"github.com/switchlet/switchlet/cni/protocol"
)

// options are the command line.
type options struct {
	node       string
	kubeconfig string
	stateDir   string
	rules      nics.Rules
	interval   time.Duration
	cniSocket  string
	cniWait    time.Duration
	cniConfig  string
	cniNetwork install.Subnet
	proc       string
	logLevel   slog.Level
}

func parse(args []string, node string) (options, error) {
	o := options{rules: nics.Rules{Sysfs: nics.DefaultSysfs}}
	flags := flag.NewFlagSet("host-agent", flag.ContinueOnError)
	flags.StringVar(&o.node, "node", node, "name of this host's Node and Host, by which it is known in LLDP too (environment: NODE_NAME)")
	flags.StringVar(&o.kubeconfig, "kubeconfig", "", "kubeconfig file; without one, that of the pod")
	flags.StringVar(&o.stateDir, "state-dir", "/var/lib/switchlet", "folder on the host's disk for the neighbours that are known")
	flags.DurationVar(&o.interval, "lldp-interval", 30*time.Second, "time between two LLDP frames on a NIC; neighbours believe them for four times as long")
	names := flags.String("nics", "", "patterns of names, such as 'ens*,eth[01]': the NICs are the interfaces with these names, ends of veth pairs too, instead of all that are hardware")
	flags.StringVar(&o.cniSocket, "cni-socket", "", "unix socket for the CNI plugin, "+protocol.Socket+" where the plugin looks for it; without one no pods are attached")
	flags.DurationVar(&o.cniWait, "cni-wait", 10*time.Second, "how long an ADD of the CNI plugin waits for a network that is not ready, before the runtime is told to try again")
	flags.StringVar(&o.cniConfig, "cni-config", "", "folder in which the container runtime looks for its network, /etc/cni/net.d on most nodes: --cni-network becomes that of all pods that ask for none; without one another plugin is needed for it")
	network := flags.String("cni-network", "", "subnet for --cni-config: NAMESPACE/VPC/SUBNET")
	flags.StringVar(&o.proc, "proc", "/proc", "folder of the host's /proc, writable below sys/net")
	flags.TextVar(&o.logLevel, "log-level", slog.LevelInfo, "debug, info, warn or error")
	if err := flags.Parse(args); err != nil {
		return options{}, err
	}
	if flags.NArg() > 0 {
		return options{}, fmt.Errorf("unknown argument %q: there are flags only, see --help", flags.Arg(0))
	}
	if o.node == "" {
		return options{}, errors.New("--node is empty: give the name of the host's Node, or set NODE_NAME")
	}
	var err error
	if o.cniNetwork, err = parseSubnet(*network, o.cniConfig, o.cniSocket); err != nil {
		return options{}, err
	}
	if o.rules.Names, err = nics.ParseNames(*names); err != nil {
		return options{}, fmt.Errorf("--nics: %w", err)
	}
	return o, nil
}

// parseSubnet reads --cni-network, which goes with --cni-config.
func parseSubnet(text, folder, socket string) (install.Subnet, error) {
	switch {
	case folder == "" && text == "":
		return install.Subnet{}, nil
	case folder == "":
		return install.Subnet{}, errors.New("--cni-network without --cni-config: give the folder as well, or neither")
	case socket == "":
		return install.Subnet{}, errors.New("--cni-config without --cni-socket: nobody would attach the pods")
	}
	words := strings.Split(text, "/")
	if len(words) != 3 || slices.Contains(words, "") {
		return install.Subnet{}, fmt.Errorf("--cni-network is %q: it has to be NAMESPACE/VPC/SUBNET", text)
	}
	return install.Subnet{Namespace: words[0], VPC: words[1], Subnet: words[2]}, nil
}
