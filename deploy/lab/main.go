// Command lab runs Switchlet on one machine: a real Kubernetes control plane,
// and switches that are network namespaces, each with SONiC's Redis, a
// containerd and a kubelet. See README.md beside it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/switchlet/switchlet/deploy/lab/lifecycle"
	"github.com/switchlet/switchlet/deploy/lab/node"
	"github.com/switchlet/switchlet/deploy/lab/rack"
	"github.com/switchlet/switchlet/deploy/lab/sandbox"
	"github.com/switchlet/switchlet/deploy/lab/screen"
	"github.com/switchlet/switchlet/deploy/lab/supervisor"
	"github.com/switchlet/switchlet/deploy/lab/uml"
)

// version is set by the linker.
var version = "dev"

// command is one of the things that lab can do.
type command struct {
	name, args, help string
	run              func(context.Context, *app, []string) error
}

func commands() []command {
	return []command{
		{"demo", "", "start a lab, deploy Switchlet on it and show what it does", demoCommand},
		{"up", "", "start a lab, with nothing deployed on it yet", upCommand},
		{"down", "", "end a lab and remove all of it", downCommand},
		{"status", "", "list the labs", statusCommand},
		{"env", "", "print what a shell needs: eval $(lab env)", envCommand},
		{"rows", "SWITCH", "print the rows in a switch's CONFIG_DB", rowsCommand},
		{"daemons", "SWITCH", "print what SONiC's daemons made of CONFIG_DB, and the mistakes of its writers", daemonsCommand},
		{"cables", "", "list the cables between switches and hosts", cablesCommand},
		{"cable", "move|pull|plug END...", "re-cable a running lab; an END is such as leaf1/Ethernet0 or host1/eth1", cableCommand},
		{"link", "END up|down", "switch the link at an end of a cable on or off", linkCommand},
		{"kill", "NODE PROGRAM [SIGNAL]", "kill a program on a node, or send it another signal; it is started again", killCommand},
		{"reboot", "HOST", "take the power from a host and give it back; only where hosts have kubelets", rebootCommand},
		{"matrix", "[-o table|json] [--watch 30s]", "who reaches whom through the switches, beside who must: exit code 1 on any difference", matrixCommand},
		{"exec", "NODE COMMAND...", "run a command on a node", execCommand},
		{"prepare", "", "install and build what labs and tests need", prepareCommand},
		{"kubernetes", "", "build Kubernetes if need be and print the folder with its programs", kubernetesCommand},
		{"images", "", "build the images from bin/ into bin/images", imagesCommand},
		{"version", "", "print the version", versionCommand},
	}
}

// app is what every command has.
type app struct {
	flags          *flag.FlagSet
	screen         *screen.Screen
	name           string
	leaves, spines int
	hosts          int
	mesh, frr      bool
	cutOff, deploy bool
	forward        lifecycle.Forward
	hostPods       bool
	switchPods     bool
	programs       string
	output         string
	watch          time.Duration
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:]))
}

func run(ctx context.Context, args []string) int {
	if len(args) >= 2 {
		if code, inside := runInside(ctx, args[0], args[1]); inside {
			return code
		}
	}
	if len(args) == 0 {
		usage(os.Stderr)
		return 2
	}
	if args[0] == "help" || args[0] == "-h" || args[0] == "--help" {
		usage(os.Stdout)
		return 0
	}
	for _, c := range commands() {
		if c.name == args[0] {
			return c.start(ctx, args[1:])
		}
	}
	fmt.Fprintf(os.Stderr, "lab: there is no command %q; lab help lists them\n", args[0])
	return 2
}

// runInside is this program as a part of a lab. It says in its log, which is
// stderr, why it ends.
func runInside(ctx context.Context, name, config string) (code int, inside bool) {
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	var err error
	switch name {
	case sandbox.InitCommand:
		code, err = sandbox.Init()
	case supervisor.Command:
		err = supervisor.Run(ctx, config, os.Stdin, os.Stdout, log)
	case node.Command:
		err = node.Run(ctx, config, log)
	case rack.Command:
		err = rack.Run(ctx, config, os.Stdout, log)
	case uml.BootCommand:
		err = uml.Boot(config)
	case uml.InitCommand:
		uml.Init(config)
	default:
		return 0, false
	}
	if err != nil {
		log.Error("ends", "part", name, "error", err)
		code = max(code, 1)
	}
	return code, true
}

func (c command) start(ctx context.Context, args []string) int {
	a := &app{flags: flag.NewFlagSet("lab "+c.name, flag.ContinueOnError), screen: screen.New(os.Stdout, os.Getenv("NO_COLOR") != "")}
	a.flags.StringVar(&a.name, "name", "demo", "name of the lab")
	a.flags.IntVar(&a.leaves, "leaves", 2, "number of leaves (up, demo)")
	a.flags.IntVar(&a.spines, "spines", 1, "number of spines (up, demo)")
	a.flags.IntVar(&a.hosts, "hosts", 2, "number of hosts, each with cables to two leaves (up, demo)")
	a.flags.BoolVar(&a.mesh, "mesh", false, "cables between all leaves; only with --spines 0 (up, demo)")
	a.flags.BoolVar(&a.frr, "frr", true, "FRR on every switch, so that BGP runs over the cables (up, demo)")
	a.forward = lifecycle.Never
	if c.name == "demo" {
		a.flags.BoolVar(&a.cutOff, "cut-off", false, "show a change that cuts a leaf off, and how the leaf takes it back by itself")
	}
	if c.name == "up" {
		a.flags.BoolVar(&a.deploy, "deploy", false, "deploy Switchlet too, and wait until the cables are found and the switches route over them")
	}
	a.flags.Var(&a.forward, "forward", "whether the switches forward: true, in User-Mode Linux if this kernel lacks what that takes; false; or auto, as this kernel can (up, demo)")
	a.flags.BoolVar(&a.hostPods, "host-pods", false, "kubelets on the hosts, also of switches that forward in User-Mode Linux, so that tenants' pods run on them (up, demo)")
	a.flags.BoolVar(&a.switchPods, "switch-pods", false, "kubelets on switches that forward in User-Mode Linux, whose bgp and lldp services are pods of a NOSRelease (up)")
	a.flags.StringVar(&a.programs, "programs", "", "folder with the programs agent, host-agent, controller and switchlet (up, demo, images; default bin/ of the source tree)")
	a.flags.StringVar(&a.output, "o", "table", "how to show it: table or json (matrix)")
	a.flags.DurationVar(&a.watch, "watch", 0, "for how long to send packets all the time, to see what is lost or leaks (matrix)")
	a.flags.Usage = func() {
		fmt.Fprintf(a.flags.Output(), "usage: lab %s [flags] %s\n\n%s\n\nflags:\n", c.name, c.args, c.help)
		a.flags.PrintDefaults()
	}
	err := a.flags.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		return 2
	}
	err = c.run(ctx, a, a.flags.Args())
	if code := exitCode(0); errors.As(err, &code) {
		return int(code)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "lab %s: %v\n", c.name, err)
		return 1
	}
	return 0
}

func usage(out *os.File) {
	fmt.Fprint(out, "lab runs Switchlet on one machine: a Kubernetes cluster whose nodes are SONiC switches.\n\nusage: lab COMMAND [flags] [arguments]\n\n")
	for _, c := range commands() {
		fmt.Fprintf(out, "  %-11s %-16s %s\n", c.name, c.args, c.help)
	}
	fmt.Fprint(out, "\nlab COMMAND -h lists the flags.\n")
}
