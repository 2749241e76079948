package report

import (
	"context"
	"log/slog"

	"k8s.io/client-go/rest"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/cni/host/object"
)

// Watch hands over the Host of a node, now and after every change, and nil once
// it is deleted, until ctx is done.
func Watch(ctx context.Context, client rest.Interface, node string, saw func(*v1alpha1.Host), log *slog.Logger) {
	s := server{log: log}
	object.Watch(ctx, host(client, node), saw, s.heard)
}

// host is that of a node.
func host(client rest.Interface, node string) object.Ref {
	return object.Ref{Client: client, Kind: "Host", Resource: "hosts", Name: node}
}

// server is the API server as the agent sees it.
type server struct {
	log  *slog.Logger
	away bool // it could not be asked when last tried
}

// heard logs when the API server goes away and when it is back.
func (s *server) heard(err error) {
	switch {
	case err != nil && !s.away:
		s.log.Warn("the API server is away, trying again", "error", err)
	case err == nil && s.away:
		s.log.Info("the API server is back")
	}
	s.away = err != nil
}
