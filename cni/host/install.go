package main

import (
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/switchlet/switchlet/cni/host/install"
)

// installCommand is the first argument of a host agent that only puts the CNI
// plugin into its place: `host-agent install --to /opt/cni/bin`.
const installCommand = "install"

// installOptions are the command line after installCommand.
type installOptions struct{ from, to string }

// parseInstall reads the command line; beside is the folder that the plugin is in
// if nothing else is said.
func parseInstall(args []string, beside string) (installOptions, error) {
	var o installOptions
	flags := flag.NewFlagSet("host-agent "+installCommand, flag.ContinueOnError)
	flags.StringVar(&o.to, "to", "", "folder in which the container runtime looks for CNI plugins, /opt/cni/bin on most nodes")
	flags.StringVar(&o.from, "from", filepath.Join(beside, "switchlet"), "the plugin")
	if err := flags.Parse(args); err != nil {
		return installOptions{}, err
	}
	if flags.NArg() > 0 {
		return installOptions{}, fmt.Errorf("unknown argument %q: there are flags only, see --help", flags.Arg(0))
	}
	if o.to == "" {
		return installOptions{}, errors.New("--to is empty: give the folder in which the container runtime looks for CNI plugins")
	}
	return o, nil
}

// mainInstall returns the exit code.
func mainInstall(args []string, log *slog.Logger) int {
	program, err := os.Executable()
	if err != nil {
		fmt.Fprintln(os.Stderr, "host-agent:", err)
		return 1
	}
	o, err := parseInstall(args, filepath.Dir(program))
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "host-agent "+installCommand+":", err)
		return 2
	}
	changed, err := install.Program(o.from, o.to)
	if err != nil {
		log.Error("CNI plugin not installed", "error", err)
		return 1
	}
	log.Info("CNI plugin installed", "version", version, "folder", o.to, "changed", changed)
	return 0
}
