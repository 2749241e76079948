package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"k8s.io/client-go/rest"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/cni/host/attach"
	"github.com/switchlet/switchlet/cni/host/hostconfig"
	"github.com/switchlet/switchlet/cni/host/install"
	"github.com/switchlet/switchlet/cni/host/journal"
	"github.com/switchlet/switchlet/cni/host/link"
	"github.com/switchlet/switchlet/cni/host/pause"
	"github.com/switchlet/switchlet/cni/host/pods"
	"github.com/switchlet/switchlet/cni/host/request"
	"github.com/switchlet/switchlet/cni/host/serve"
)

// namespaces is where container runtimes have the network namespaces of pods.
const namespaces = "/run/netns"

// runPlugin does what the CNI plugin asks for, until ctx is done. client is one of
// the API group of v1alpha1.
func runPlugin(ctx context.Context, opts options, config *rest.Config, client rest.Interface, log *slog.Logger) error {
	boot, err := os.ReadFile(filepath.Join(opts.proc, "sys/kernel/random/boot_id"))
	if err != nil {
		return fmt.Errorf("--proc: %w", err)
	}
	store, damage, err := journal.Open(opts.stateDir)
	if err != nil {
		return fmt.Errorf("--state-dir: %w", err)
	}
	for _, text := range damage {
		log.Error("journal of attachments", "damage", text)
	}
	kernel, err := link.Open(link.Config{Proc: opts.proc, Sys: "/sys"})
	if err != nil {
		return err
	}
	defer kernel.Close()
	names, err := pods.NewClient(config)
	if err != nil {
		return err
	}
	var reporter *hostconfig.Reporter
	service := attach.New(attach.Config{
		Journal: store, Pods: kernel, Host: kernel, Wait: opts.cniWait, Node: opts.node, Boot: strings.TrimSpace(string(boot)),
		Changed: func() { reporter.Changed() }, Log: log,
	})
	defer service.Close()
	if err := service.Recover(namespaces, kernel.Find); err != nil {
		log.Warn("pods whose interfaces were not looked for", "error", err)
	}
	reporter = hostconfig.NewReporter(client, opts.node, service.Report, log)
	follower := hostconfig.NewFollower(hostconfig.NewDisk(opts.stateDir), service.Set, log)
	follower.Start()
	server, err := serve.Listen(opts.cniSocket, service.Do, log)
	if err != nil {
		return fmt.Errorf("--cni-socket: %w", err)
	}
	var all sync.WaitGroup
	all.Go(func() { server.Run(ctx) })
	all.Go(func() { service.Run(ctx, kernel.Changes(ctx, log), pods.New(names, opts.node).List) })
	all.Go(func() { reporter.Run(ctx) })
	all.Go(func() {
		hostconfig.Watch(ctx, client, opts.node, func(c *v1alpha1.HostConfig) { reporter.Saw(c); follower.Saw(c); reporter.Changed() }, log)
	})
	if opts.cniConfig != "" {
		all.Go(func() { offer(ctx, opts, service, log) })
	}
	all.Wait()
	return nil
}

// offer makes a subnet the network of the node's pods once there is one: before that
// a runtime has no network, and its node is not Ready. It stays when the agent goes.
func offer(ctx context.Context, opts options, service *attach.Service, log *slog.Logger) {
	n := opts.cniNetwork
	if service.Await(ctx, request.Request{VPCNamespace: n.Namespace, VPC: n.VPC, Subnet: n.Subnet}) != nil {
		return
	}
	for {
		changed, err := install.Network(n, opts.cniConfig)
		if err == nil {
			log.Info("network of the node's pods", "subnet", n, "folder", opts.cniConfig, "changed", changed)
			return
		}
		log.Error("--cni-config, trying again", "error", err)
		if !pause.For(ctx, offerAgain) {
			return
		}
	}
}

// offerAgain is the time between attempts to write into a folder of the runtime.
const offerAgain = 10 * time.Second
