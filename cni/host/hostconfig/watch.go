package hostconfig

import (
	"context"
	"log/slog"

	"k8s.io/client-go/rest"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/cni/host/object"
)

// Watch hands over the HostConfig of a node, now and after every change, and nil
// once it is deleted, until ctx is done. That the API server is away is told by
// whoever follows the Host.
func Watch(ctx context.Context, client rest.Interface, node string, saw func(*v1alpha1.HostConfig), log *slog.Logger) {
	object.Watch(ctx, hostConfig(client, node), saw, func(err error) {
		if err != nil {
			log.Debug("the HostConfig is not followed, trying again", "error", err)
		}
	})
}

// hostConfig is that of a node.
func hostConfig(client rest.Interface, node string) object.Ref {
	return object.Ref{Client: client, Kind: "HostConfig", Resource: "hostconfigs", Name: node}
}
