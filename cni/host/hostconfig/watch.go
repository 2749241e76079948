package hostconfig

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

// resource is that of HostConfigs.
const resource = "hostconfigs"

const (
	// Pauses between attempts while the API server is away or refuses.
	minPause = 100 * time.Millisecond
	maxPause = 10 * time.Second
	// watchTime is how long one request lasts at least, and at most twice that, so
	// that a thousand hosts do not ask anew in step.
	watchTime = 10 * time.Minute
)

// Watch hands over the HostConfig of a node, now and after every change, and nil
// once it is deleted, until ctx is done.
func Watch(ctx context.Context, client rest.Interface, node string, saw func(*v1alpha1.HostConfig), log *slog.Logger) {
	for pause := minPause; ; pause = min(2*pause, maxPause) {
		err := once(ctx, client, node, saw)
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			pause = minPause
			continue
		}
		log.Debug("the HostConfig is not followed, trying again", "error", err, "pause", pause)
		if !wait(ctx, pause/2+rand.N(pause/2)) {
			return
		}
	}
}

// once is one request. A watch without a version begins with the object, if there
// is one. That it ends after some time is no error.
func once(ctx context.Context, client rest.Interface, node string, saw func(*v1alpha1.HostConfig)) error {
	seconds := int((watchTime + rand.N(watchTime)) / time.Second)
	events, err := client.Get().Resource(resource).
		Param("watch", "true").Param("fieldSelector", "metadata.name="+node).
		Param("timeoutSeconds", strconv.Itoa(seconds)).Watch(ctx)
	if err != nil {
		return fmt.Errorf("watch HostConfig %s: %w", node, err)
	}
	defer events.Stop()
	started := time.Now()
	for event := range events.ResultChan() {
		if event.Type == watch.Error {
			return fmt.Errorf("watch HostConfig %s: %w", node, apierrors.FromObject(event.Object))
		}
		config, ok := event.Object.(*v1alpha1.HostConfig)
		if !ok || config.Name != node {
			continue
		}
		if event.Type == watch.Deleted {
			config = nil
		}
		saw(config)
	}
	if time.Since(started) < maxPause {
		return fmt.Errorf("watch HostConfig %s: %w", node, errEnded)
	}
	return nil
}

// errEnded says that the API server closed a watch at once.
var errEnded = errors.New("the API server ended it")

// wait waits, and reports whether ctx is not done meanwhile.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
