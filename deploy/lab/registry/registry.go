// Package registry is the lab's registry of images, from which switches fetch those of a
// release. It keeps them in memory, and has neither TLS nor passwords: only the lab and
// its machine reach it.
package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"time"

	"github.com/google/go-containerregistry/pkg/registry"

	"github.com/switchlet/switchlet/deploy/lab/network"
)

// port of the registry, on the address of the control plane.
const port = 5000

// Address of a lab's registry, by which its images are called.
func Address(plan network.Plan) netip.AddrPort {
	return netip.AddrPortFrom(plan.ControlPlane().Addr(), port)
}

// Serve answers until ctx is done.
func Serve(ctx context.Context, listener net.Listener) error {
	quiet := registry.Logger(log.New(io.Discard, "", 0)) // each request would be a line
	server := &http.Server{Handler: registry.New(quiet), ReadHeaderTimeout: 10 * time.Second}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("registry at %s: %w", listener.Addr(), err)
	}
	return nil
}
