package controlplane

import (
	"context"
	"log/slog"

	"github.com/switchlet/switchlet/deploy/lab/process"
)

// Keep starts each program of the control plane again whenever it has ended,
// until ctx is done. It is for a lab that runs for hours, in which nobody
// calls StopAPIServer or Stop.
func (c *ControlPlane) Keep(ctx context.Context, log *slog.Logger) {
	go process.Keep(ctx, log, c.etcd, func(ctx context.Context) (*process.Process, error) {
		err := c.startEtcd(ctx)
		return c.etcd, err
	})
	go process.Keep(ctx, log, c.apiServer, func(ctx context.Context) (*process.Process, error) {
		err := c.StartAPIServer(ctx)
		return c.apiServer, err
	})
	if c.controllerManager != nil {
		go process.Keep(ctx, log, c.controllerManager, func(context.Context) (*process.Process, error) {
			err := c.startControllerManager()
			return c.controllerManager, err
		})
	}
	if c.scheduler != nil {
		go process.Keep(ctx, log, c.scheduler, func(context.Context) (*process.Process, error) {
			err := c.startScheduler()
			return c.scheduler, err
		})
	}
}
