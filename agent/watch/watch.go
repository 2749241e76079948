// Package watch follows exactly two objects of the API: the SwitchConfig and
// the Switch of one node. It works from the moment the API server can be
// reached, goes on after every interruption, and says when it cannot tell
// whether it is up to date.
//
// It stands on client-go's reflector alone: a cache of controller-runtime would
// bring the types of every Kubernetes API into an agent that has to fit into
// 40 MiB.
package watch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/go-logr/logr"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	apiwatch "k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

// NewClient is a client of the API group of v1alpha1.
func NewClient(config *rest.Config) (rest.Interface, error) {
	scheme := runtime.NewScheme()
	metav1.AddToGroupVersion(scheme, metav1.Unversioned)
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		return nil, err
	}
	version := v1alpha1.GroupVersion()
	config = rest.CopyConfig(config)
	config.GroupVersion, config.APIPath = &version, "/apis"
	config.NegotiatedSerializer = serializer.NewCodecFactory(scheme).WithoutConversion()
	config.ContentType = runtime.ContentTypeJSON
	config.QPS = -1 // two objects: there is nothing to throttle
	client, err := rest.RESTClientFor(config)
	if err != nil {
		return nil, fmt.Errorf("client of the API server: %w", err)
	}
	return client, nil
}

// Sink takes what is seen. A nil object says that there is none.
type Sink interface {
	// SetConfig takes the SwitchConfig.
	SetConfig(*v1alpha1.SwitchConfig)
	// SetSwitch takes the Switch.
	SetSwitch(*v1alpha1.Switch)
}

// Watch hands both objects of a node to the sink, now and after every change,
// until ctx is done.
func Watch(ctx context.Context, client rest.Interface, node string, sink Sink, log *slog.Logger) {
	w := &watcher{client: client, node: node, log: log}
	var both sync.WaitGroup
	both.Go(func() {
		w.follow(ctx, "switchconfigs", &v1alpha1.SwitchConfig{}, func(object any) {
			config, _ := object.(*v1alpha1.SwitchConfig)
			sink.SetConfig(config)
		})
	})
	both.Go(func() {
		w.follow(ctx, "switches", &v1alpha1.Switch{}, func(object any) {
			self, _ := object.(*v1alpha1.Switch)
			sink.SetSwitch(self)
		})
	})
	both.Wait()
}

type watcher struct {
	client rest.Interface
	node   string
	log    *slog.Logger
	away   atomic.Bool // the API server could not be reached when last tried
}

// follow watches one object. deliver gets the object, or nil when it is deleted.
func (w *watcher) follow(ctx context.Context, resource string, example runtime.Object, deliver func(any)) {
	quiet := logr.Discard() // the reflector would report every attempt
	_, informer := cache.NewInformerWithOptions(cache.InformerOptions{
		Logger:        &quiet,
		ListerWatcher: w.source(resource),
		ObjectType:    example,
		Transform:     slim,
		Handler: cache.ResourceEventHandlerFuncs{
			AddFunc:    deliver,
			UpdateFunc: func(_, object any) { deliver(object) },
			DeleteFunc: func(any) { deliver(nil) },
		},
	})
	informer.RunWithContext(klog.NewContext(ctx, quiet))
}

// source lists and watches the one object, and notes whether that works.
func (w *watcher) source(resource string) cache.ListerWatcher {
	selector := fields.OneTermEqualSelector(metav1.ObjectNameField, w.node)
	source := cache.NewListWatchFromClient(w.client, resource, metav1.NamespaceNone, selector)
	return &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
			list, err := source.ListWithContext(ctx, options)
			w.note(err)
			return list, err
		},
		WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (apiwatch.Interface, error) {
			events, err := source.WatchWithContext(ctx, options)
			w.note(err)
			return events, err
		},
	}
}

// note logs when the API server goes away and when it is back.
func (w *watcher) note(err error) {
	if apierrors.IsInvalid(err) || errors.Is(err, context.Canceled) {
		return // an older API server that has to be asked in another way; or the end
	}
	switch {
	case err != nil && !w.away.Swap(true):
		w.log.Warn("the API server is away: the last good configuration stays in force", "error", err)
	case err == nil && w.away.Swap(false):
		w.log.Info("the API server is back")
	}
}

// slim drops what nobody reads before the object is kept.
func slim(object any) (any, error) {
	if m, ok := object.(metav1.Object); ok {
		m.SetManagedFields(nil)
		m.SetAnnotations(nil)
	}
	return object, nil
}
