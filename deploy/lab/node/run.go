package node

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"github.com/switchlet/switchlet/deploy/lab/box"
	"github.com/switchlet/switchlet/deploy/lab/daemons"
	"github.com/switchlet/switchlet/deploy/lab/dataplane"
	"github.com/switchlet/switchlet/deploy/lab/lldpd"
	"github.com/switchlet/switchlet/deploy/lab/lldpservice"
	"github.com/switchlet/switchlet/deploy/lab/network"
	"github.com/switchlet/switchlet/deploy/lab/node/control"
	"github.com/switchlet/switchlet/deploy/lab/process"
	"github.com/switchlet/switchlet/deploy/lab/routing"
	"github.com/switchlet/switchlet/deploy/lab/swss"
)

const (
	daemonsSocket = "/run/swss.sock"
	// PortsJournal is where a switch that forwards notes what its ports carry, a
	// dataplane.Moment for each change.
	PortsJournal = "/var/log/ports.json"
	startTimeout = 2 * time.Minute
	// daemonDelay is how long the daemons and, after them, orchagent take: on a
	// switch a marker comes after 0.1 to 0.2 s.
	daemonDelay = 50 * time.Millisecond
)

// Run is the inside of a node: it starts what a node runs, and keeps it running
// until it is killed.
func Run(ctx context.Context, spec string, log *slog.Logger) error {
	var s Spec
	if err := json.Unmarshal([]byte(spec), &s); err != nil {
		return err
	}
	if err := s.run(ctx, log); err != nil {
		return fmt.Errorf("node %s: %w", s.Name, err)
	}
	return nil
}

func (s Spec) run(ctx context.Context, log *slog.Logger) error {
	begin := time.Now()
	if s.Network {
		if err := errors.Join(network.Up("lo"), network.Up(network.NodeLink, s.Address)); err != nil {
			return err
		}
	}
	booted := make(chan struct{})
	go func() {
		if err := control.Serve(ctx, control.Socket, booted, log); err != nil {
			log.Error("nobody can do anything here from outside any more", "error", err)
		}
	}()
	if s.Switch > 0 {
		if err := s.startSwitch(ctx, log); err != nil {
			return err
		}
	}
	close(booted)
	log.Info("booted", "after", time.Since(begin).Round(time.Millisecond), "cpu", cpuTime(unix.RUSAGE_SELF), "programs", cpuTime(unix.RUSAGE_CHILDREN))
	if s.Kubelet {
		return s.runKubelet(ctx, log)
	}
	<-ctx.Done()
	return ctx.Err()
}

// cpuTime is what this process, or those that it has started and that have ended, have
// taken of the processor.
func cpuTime(who int) time.Duration {
	var usage unix.Rusage
	if err := unix.Getrusage(who, &usage); err != nil {
		return -1 // it is only said in a log
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano()).Round(time.Millisecond)
}

// runKubelet runs containerd and, once the one outside has said so, the kubelet.
func (s Spec) runKubelet(ctx context.Context, log *slog.Logger) error {
	containerd, err := s.startContainerd(ctx)
	if err != nil {
		return err
	}
	go process.Keep(ctx, log, containerd, s.startContainerd)
	if err := s.importImages(ctx); err != nil {
		return err
	}
	if _, err := bufio.NewReaderSize(os.Stdin, 16).ReadByte(); err != nil {
		return fmt.Errorf("wait for the control plane: %w", err)
	}
	kubelet, err := s.startKubelet(ctx)
	if err != nil {
		return err
	}
	process.Keep(ctx, log, kubelet, s.startKubelet)
	return nil
}

// startSwitch starts what a switch has and an ordinary node has not: a SONiC
// box, with daemons that take as long as SONiC's, a data plane, FRR and lldpd.
func (s Spec) startSwitch(ctx context.Context, log *slog.Logger) error {
	router := s.router(log)
	cfg := box.Config{
		Root: "/", Name: s.Name, Number: s.Switch, Management: s.Address, TCP: true, DaemonsLog: log,
		Daemons: swss.Config{Manager: daemonDelay, Orchagent: daemonDelay, Tick: time.Second},
	}
	if s.Forward {
		journal, err := os.OpenFile(PortsJournal, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
		if err != nil {
			return err
		}
		plane, err := dataplane.Open(dataplane.Config{MAC: s.MAC(), Log: log, Journal: journal})
		if err != nil {
			return errors.Join(err, journal.Close())
		}
		cfg.Plane, cfg.DaemonsRestarted = plane, router.Restart
	}
	sonic, err := box.Start(ctx, cfg)
	if err != nil {
		return err
	}
	go func() {
		if err := daemons.Serve(ctx, daemonsSocket, sonic.Daemons(), log); err != nil {
			log.Error("nobody can ask the daemons any more", "error", err)
		}
	}()
	go process.Keep(ctx, log, sonic.Process(), func(ctx context.Context) (*process.Process, error) {
		err := sonic.Boot(ctx)
		return sonic.Process(), err
	})
	var group errgroup.Group
	if s.FRR {
		group.Go(func() error { return router.Start(ctx) })
	}
	if !s.Services {
		group.Go(func() error { return s.startLLDP(ctx, sonic, log) })
	}
	return group.Wait()
}

// startLLDP starts LLDP, and keeps lldpd running.
func (s Spec) startLLDP(ctx context.Context, sonic *box.Box, log *slog.Logger) error {
	service, err := lldpservice.Start(ctx, lldpservice.Config{
		ConfigDB:    func(ctx context.Context) (lldpd.Rows, error) { return sonic.Snapshot(ctx) },
		Rows:        func(ctx context.Context, keys ...string) (lldpd.Rows, error) { return sonic.Rows(ctx, keys...) },
		Description: sonic.Description(), Redis: sonic.Socket(), Output: "/var/log/lldpd.log", Thrifty: !s.Kubelet, Log: log,
	})
	if err != nil {
		return err
	}
	go process.Keep(ctx, log, service.First, service.Daemon.Start)
	return nil
}

// router is what a node does with FRR.
type router interface {
	Start(ctx context.Context) error
	Restart()
}

// router runs FRR, or leaves that to a pod.
func (s Spec) router(log *slog.Logger) router {
	if s.Services {
		return podded{s.Name, log}
	}
	return routing.New(s.Name, log)
}

// podded is FRR that runs in a pod. The switch itself has only vtysh, for people.
type podded struct {
	name string
	log  *slog.Logger
}

func (p podded) Start(context.Context) error { return routing.Prepare(p.name) }

// Restart ends zebra, and with it the container, which the kubelet starts again.
func (p podded) Restart() {
	if err := control.Signal("zebra", "KILL"); err != nil {
		p.log.Info("no zebra to end", "cause", err) // it is not there yet
	}
}

func (s Spec) startContainerd(ctx context.Context) (*process.Process, error) {
	if err := s.writeFiles(); err != nil {
		return nil, err
	}
	p, err := process.Start(process.Program{
		Name: "containerd", Path: "containerd", Args: []string{"--config", "/etc/containerd/config.toml"},
		Env: s.thrift(), Log: "/var/log/containerd.log",
	})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	err = p.WaitReady(ctx, process.Answers(s.containerdSocket()))
	if err != nil {
		return nil, errors.Join(err, p.Kill())
	}
	return p, nil
}

// thrift has Go's programs collect garbage less often where a processor is what there is
// too little of, and memory is not.
func (s Spec) thrift() []string {
	if s.InMemory {
		return []string{"GOGC=400"}
	}
	return nil
}

// importImages gives containerd the images that the node's pods run.
func (s Spec) importImages(ctx context.Context) error {
	for _, archive := range s.Archives {
		output, err := exec.CommandContext(ctx, "ctr", "--address", s.containerdSocket(), "--namespace", "k8s.io",
			"images", "import", "--snapshotter", s.snapshotter(), filepath.Join("/opt/images", archive)).CombinedOutput()
		if err != nil {
			return fmt.Errorf("import %s: %w: %s", archive, err, strings.TrimSpace(string(output)))
		}
	}
	return nil
}

// startKubelet returns once the kubelet is started; the Node object says when
// it is ready.
func (s Spec) startKubelet(context.Context) (*process.Process, error) {
	var labels []string
	for _, key := range slices.Sorted(maps.Keys(s.Labels)) {
		labels = append(labels, key+"="+s.Labels[key])
	}
	return process.Start(process.Program{
		Name: "kubelet", Path: "/opt/kubernetes/kubelet",
		Args: []string{
			"--config=/etc/kubernetes/kubelet.yaml",
			"--kubeconfig=/etc/kubernetes/kubelet.kubeconfig",
			"--root-dir=/var/lib/kubelet",
			"--hostname-override=" + s.Name,
			"--node-ip=" + s.Address.Addr().String(),
			"--node-labels=" + strings.Join(labels, ","),
			"--housekeeping-interval=1m", // statistics of containers are nobody's here
		},
		Env: s.thrift(), Log: "/var/log/kubelet.log",
	})
}
