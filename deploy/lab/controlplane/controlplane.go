// Package controlplane runs a real Kubernetes control plane: etcd and
// kube-apiserver, and if wanted kube-controller-manager and kube-scheduler, as
// plain processes that need no rights. Authentication is by client certificate,
// authorization by the Node authorizer and RBAC, with the admission plugin
// NodeRestriction: the rules of a production cluster.
//
//	c, err := controlplane.Start(ctx, controlplane.Config{Dir: dir, Binaries: folder})
//	…
//	defer c.Stop()
//
// The API server is ready about 3 s after the start.
package controlplane

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"github.com/switchlet/switchlet/deploy/lab/process"
)

// startTimeout is what a start may take on a busy machine with slow disks.
const startTimeout = 2 * time.Minute

// ControlPlane is a running control plane.
type ControlPlane struct {
	cfg      Config
	ca       *authority
	probe    *http.Client // an administrator
	etcdPort uint16

	etcd, apiServer, controllerManager, scheduler *process.Process
}

// Start starts the control plane and returns when it is ready.
func Start(ctx context.Context, cfg Config) (_ *ControlPlane, err error) {
	if cfg.Dir == "" || cfg.Binaries == "" {
		return nil, fmt.Errorf("control plane: Dir is %q and Binaries %q: neither may be empty", cfg.Dir, cfg.Binaries)
	}
	c := &ControlPlane{cfg: cfg.withDefaults()}
	if err := c.prepare(); err != nil {
		return nil, fmt.Errorf("control plane: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	if err := c.start(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("control plane: %w", err), c.Stop())
	}
	return c, nil
}

func (c *ControlPlane) start(ctx context.Context) error {
	if err := c.startEtcd(ctx); err != nil {
		return err
	}
	if err := c.StartAPIServer(ctx); err != nil {
		return err
	}
	if c.cfg.ControllerManager {
		if err := c.startControllerManager(); err != nil {
			return err
		}
	}
	if c.cfg.Scheduler {
		return c.startScheduler()
	}
	return nil
}

// URL of the API server.
func (c *ControlPlane) URL() string {
	return "https://" + netip.AddrPortFrom(c.cfg.Address, c.cfg.Port).String()
}

// ServiceAddress is the address of the Service "kubernetes", under which pods
// know the API server.
func (c *ControlPlane) ServiceAddress() netip.Addr {
	return c.cfg.ServiceCIDR.Masked().Addr().Next()
}

// Processes are those that run, or ran until they ended by themselves.
func (c *ControlPlane) Processes() []*process.Process {
	var all []*process.Process
	for _, p := range []*process.Process{c.etcd, c.apiServer, c.controllerManager, c.scheduler} {
		if p != nil {
			all = append(all, p)
		}
	}
	return all
}

// KillAPIServer ends the API server as a power cut would. StartAPIServer
// brings it back.
func (c *ControlPlane) KillAPIServer() error { return c.apiServer.Kill() }

// stopGrace is longer than any of the programs takes.
const stopGrace = 20 * time.Second

// Stop ends everything, the API server before etcd: one that lost its etcd
// takes a minute to end and holds its port meanwhile.
func (c *ControlPlane) Stop() error {
	var errs []error
	for _, p := range []*process.Process{c.scheduler, c.controllerManager, c.apiServer, c.etcd} {
		if p != nil {
			errs = append(errs, p.Stop(stopGrace))
		}
	}
	return errors.Join(errs...)
}

// ready is a probe: whether an HTTPS endpoint answers 200.
func (c *ControlPlane) ready(url string) func(context.Context) error {
	return func(ctx context.Context) error {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		response, err := c.probe.Do(request)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("%s: %s", url, response.Status)
		}
		return nil
	}
}

func (c *ControlPlane) run(name string, args ...string) (*process.Process, error) {
	return process.Start(process.Program{
		Name: name, Path: filepath.Join(c.cfg.Binaries, name), Args: args,
		Log: filepath.Join(c.cfg.Dir, "log", name+".log"),
	})
}

func (c *ControlPlane) etcdDir() (string, error) {
	dir := filepath.Join(c.cfg.Dir, "etcd")
	return dir, os.MkdirAll(dir, 0o700)
}
