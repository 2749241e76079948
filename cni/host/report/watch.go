package report

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strconv"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/rest"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

// resource is that of Hosts.
const resource = "hosts"

// watchTime is how long one request lasts at least, and at most twice that, so
// that a thousand hosts do not ask anew in step.
const watchTime = 10 * time.Minute

// Watch hands over the Host of a node, now and after every change, and nil once
// it is deleted, until ctx is done.
func Watch(ctx context.Context, client rest.Interface, node string, saw func(*v1alpha1.Host), log *slog.Logger) {
	w := watcher{client: client, node: node, saw: saw, log: log}
	for pause := minPause; ; pause = min(2*pause, maxPause) {
		err := w.once(ctx)
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			pause = minPause
			continue
		}
		w.note(err)
		if !wait(ctx, pause/2+rand.N(pause/2)) {
			return
		}
	}
}

type watcher struct {
	client rest.Interface
	node   string
	saw    func(*v1alpha1.Host)
	log    *slog.Logger
	away   bool // the API server could not be asked when last tried
}

// once is one request. A watch without a version begins with the object, if
// there is one. That it ends after some time is no error.
func (w *watcher) once(ctx context.Context) error {
	seconds := int((watchTime + rand.N(watchTime)) / time.Second)
	events, err := w.client.Get().Resource(resource).
		Param("watch", "true").Param("fieldSelector", "metadata.name="+w.node).
		Param("timeoutSeconds", strconv.Itoa(seconds)).Watch(ctx)
	if err != nil {
		return fmt.Errorf("watch Host %s: %w", w.node, err)
	}
	defer events.Stop()
	started := time.Now()
	for event := range events.ResultChan() {
		if event.Type == watch.Error {
			return fmt.Errorf("watch Host %s: %w", w.node, apierrors.FromObject(event.Object))
		}
		w.note(nil)
		if host, ok := event.Object.(*v1alpha1.Host); ok && host.Name == w.node {
			if event.Type == watch.Deleted {
				host = nil
			}
			w.saw(host)
		}
	}
	if time.Since(started) < maxPause {
		return fmt.Errorf("watch Host %s: %w", w.node, errEnded)
	}
	return nil
}

// note logs when the API server goes away and when it is back.
func (w *watcher) note(err error) {
	switch {
	case err != nil && !w.away:
		w.log.Warn("the API server is away, trying again", "error", err)
	case err == nil && w.away:
		w.log.Info("the API server is back")
	}
	w.away = err != nil
}

// errEnded says that the API server closed a watch at once.
var errEnded = errors.New("the API server ended it")
