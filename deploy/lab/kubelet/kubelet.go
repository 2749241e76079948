// Package kubelet is what the cluster takes for the kubelets of nodes that have none:
// it makes their Node objects and keeps them Ready, and runs what the pods on them are,
// as plain programs with the pods' arguments, environment and tokens. There are no
// images and no containers: a pod's image says by its name which program it is.
//
// It is for switches and hosts in User-Mode Linux, where kubelet and containerd cost
// more than everything else.
package kubelet

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/switchlet/switchlet/deploy/lab/node/control"
)

// Node is a node without a kubelet.
type Node struct {
	Name    string
	Address netip.Addr
	// Labels of the Node object, and the key of its taint (NoSchedule), or empty.
	Labels map[string]string
	Taint  string
	// Control is how to do things in it.
	Control Control
	// Booted, if not nil, is closed when the node can be made.
	Booted <-chan struct{}
}

// Control starts and stops programs in a node: control.Client is one.
type Control interface {
	Run(ctx context.Context, name string, p control.Program) error
	Stop(ctx context.Context, name string) error
}

// Config says who is whose kubelet.
type Config struct {
	// Kubeconfig is the file of an administrator.
	Kubeconfig string
	// Service is the address under which pods know the API server, port 443, and CA
	// the certificate of its authority, PEM.
	Service netip.Addr
	CA      []byte
	// Programs is the folder on the nodes with the programs.
	Programs string
	Nodes    []Node
	Log      *slog.Logger
}

// retryAfter is the pause after something failed: the API server may be away.
const retryAfter = time.Second

// kubelets are those of all nodes.
type kubelets struct {
	cfg    Config
	client client.WithWatch
	nodes  map[string]Node
}

// Run runs until ctx is done.
func Run(ctx context.Context, cfg Config) error {
	config, err := clientcmd.BuildConfigFromFlags("", cfg.Kubeconfig)
	if err != nil {
		return fmt.Errorf("kubelets: %w", err)
	}
	c, err := newClient(config)
	if err != nil {
		return fmt.Errorf("kubelets: %w", err)
	}
	k := &kubelets{cfg: cfg, client: c, nodes: map[string]Node{}}
	for _, n := range cfg.Nodes {
		k.nodes[n.Name] = n
	}
	for _, n := range cfg.Nodes {
		go k.keep(ctx, n)
	}
	k.runPods(ctx)
	return ctx.Err()
}

func newClient(config *rest.Config) (client.WithWatch, error) {
	config.QPS = -1
	scheme := runtime.NewScheme()
	err := errors.Join(corev1.AddToScheme(scheme), coordinationv1.AddToScheme(scheme), authenticationv1.AddToScheme(scheme))
	if err != nil {
		return nil, err
	}
	return client.NewWithWatch(config, client.Options{Scheme: scheme})
}

// until tries until it works.
func (k *kubelets) until(ctx context.Context, what string, do func(context.Context) error) error {
	for {
		err := do(ctx)
		if err == nil {
			return nil
		}
		k.cfg.Log.Warn(what+"; trying again", "error", err)
		select {
		case <-time.After(retryAfter):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
