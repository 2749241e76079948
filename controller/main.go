// Command controller compiles VPCs into one finished configuration for each
// switch. Run any number of copies: one of them leads, the others stand by.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/manager/signals"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/controller/approve"
	"github.com/switchlet/switchlet/controller/reconcile"
)

// version is set by the linker.
var version = "dev"

// config is what the command line says.
type config struct {
	kubeconfig, metrics, health, namespace, services string
	elect                                            bool
	level                                            slog.Level
}

func main() {
	cfg, err := parse(os.Args[1:])
	if errors.Is(err, flag.ErrHelp) {
		return
	} else if err != nil {
		os.Exit(2)
	}
	if err := run(signals.SetupSignalHandler(), cfg); err != nil {
		slog.Error("controller ends", "error", err)
		os.Exit(1)
	}
}

// parse reads the flags. It prints what is wrong with them itself.
func parse(args []string) (config, error) {
	var c config
	f := flag.NewFlagSet("controller "+version, flag.ContinueOnError)
	f.StringVar(&c.kubeconfig, "kubeconfig", "", "path of a kubeconfig; empty: the service account of the pod")
	f.StringVar(&c.metrics, "metrics-bind-address", ":8080", "address of the Prometheus metrics; 0 for none")
	f.StringVar(&c.health, "health-probe-bind-address", ":8081", "address of /healthz and /readyz; 0 for none")
	f.BoolVar(&c.elect, "leader-elect", false, "have one of several copies lead")
	f.StringVar(&c.namespace, "leader-elect-namespace", "", "namespace of the lease; empty: that of the pod")
	f.StringVar(&c.services, "release-namespace", "switchlet-system", "namespace of the DaemonSets and Jobs that NOSReleases are made into")
	f.TextVar(&c.level, "log-level", slog.LevelInfo, "debug, info, warn or error")
	return c, f.Parse(args)
}

// run works until ctx ends. Work that has begun is finished then, and the lease
// is given back, so that another copy can lead at once.
func run(ctx context.Context, cfg config) error {
	handler := slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: cfg.level})
	slog.SetDefault(slog.New(handler))
	ctrl.SetLogger(logr.FromSlogHandler(handler))
	klog.SetSlogLogger(slog.New(handler)) // what client-go says

	client, err := restConfig(cfg.kubeconfig)
	if err != nil {
		return fmt.Errorf("find the API server: %w", err)
	}
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		return err
	}
	grace := 10 * time.Second
	mgr, err := ctrl.NewManager(client, ctrl.Options{
		Scheme:                        scheme,
		Cache:                         reconcile.CacheOptions(),
		Metrics:                       server.Options{BindAddress: cfg.metrics},
		HealthProbeBindAddress:        cfg.health,
		LeaderElection:                cfg.elect,
		LeaderElectionID:              "switchlet-controller",
		LeaderElectionNamespace:       cfg.namespace,
		LeaderElectionReleaseOnCancel: true,
		GracefulShutdownTimeout:       &grace,
	})
	if err != nil {
		return fmt.Errorf("connect to the API server: %w", err)
	}
	if err := errors.Join(mgr.AddHealthzCheck("ping", healthz.Ping), mgr.AddReadyzCheck("ping", healthz.Ping)); err != nil {
		return err
	}
	if err := errors.Join(reconcile.Setup(ctx, mgr), reconcile.SetupRelease(mgr, cfg.services), approve.Setup(mgr)); err != nil {
		return err
	}
	slog.Info("controller starts", "version", version, "server", client.Host)
	return mgr.Start(ctx)
}

// restConfig finds the API server. Its own rate limit stays off: the API
// server's priority and fairness is the one that knows its load.
func restConfig(path string) (*rest.Config, error) {
	rules := &clientcmd.ClientConfigLoadingRules{ExplicitPath: path}
	c, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, nil).ClientConfig()
	if err != nil {
		return nil, err
	}
	c.QPS = -1
	c.UserAgent = "switchlet-controller/" + version
	return c, nil
}
