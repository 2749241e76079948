package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"k8s.io/client-go/rest"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/cni/host/attach"
	"github.com/switchlet/switchlet/cni/host/hostconfig"
	"github.com/switchlet/switchlet/cni/host/journal"
	"github.com/switchlet/switchlet/cni/host/link"
	"github.com/switchlet/switchlet/cni/host/pods"
	"github.com/switchlet/switchlet/cni/host/serve"
)

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
	all.Wait()
	return nil
}
