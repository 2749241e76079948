package main

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"k8s.io/client-go/tools/clientcmd"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/cni/host/attach"
	"github.com/switchlet/switchlet/cni/host/hostconfig"
	"github.com/switchlet/switchlet/cni/host/journal"
	"github.com/switchlet/switchlet/cni/host/link"
	"github.com/switchlet/switchlet/cni/host/object"
	"github.com/switchlet/switchlet/cni/host/serve"
	"github.com/switchlet/switchlet/cni/host/uplink"
)

// follow starts the agent's part as the agent does: networks are those of the HostConfig
// at the API server.
func (h *cniHost) follow(ctx context.Context, kubeconfig string) error {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return err
	}
	client, err := object.NewClient(config)
	if err != nil {
		return err
	}
	var kernel *link.Kernel
	if err := inNamespace(h.host, func() (err error) {
		kernel, err = link.Open(link.Config{Proc: "/proc", Sys: "/sys"})
		return err
	}); err != nil {
		return err
	}
	store, _, err := journal.Open(filepath.Join(h.dir, "state"))
	if err != nil {
		return errors.Join(err, kernel.Close())
	}
	log := slog.New(slog.DiscardHandler)
	var reporter *hostconfig.Reporter
	service := attach.New(attach.Config{
		Journal: store, Pods: kernel, Host: &devices{Kernel: kernel, host: h.host, far: h.far, instead: map[string]uplink.Device{}},
		Wait: 10 * time.Second, Node: boundHost, Changed: func() { reporter.Changed() }, Log: log,
	})
	reporter = hostconfig.NewReporter(client, boundHost, service.Report, log)
	follower := hostconfig.NewFollower(hostconfig.NewDisk(filepath.Join(h.dir, "state")), service.Set, log)
	server, err := serve.Listen(filepath.Join(h.dir, "s"), service.Do, log)
	if err != nil {
		return errors.Join(err, kernel.Close())
	}
	ctx, cancel := context.WithCancel(ctx)
	var all sync.WaitGroup
	all.Go(func() { server.Run(ctx) })
	all.Go(func() { reporter.Run(ctx) })
	all.Go(func() {
		hostconfig.Watch(ctx, client, boundHost, func(c *v1alpha1.HostConfig) { reporter.Saw(c); follower.Saw(c); reporter.Changed() }, log)
	})
	h.end = func() error { cancel(); all.Wait(); service.Close(); return kernel.Close() }
	return nil
}
