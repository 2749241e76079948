package object

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/switchlet/switchlet/cni/host/pause"
)

// watchTime is how long one request lasts at least, and at most twice that, so
// that a thousand hosts do not ask anew in step.
const watchTime = 10 * time.Minute

// Kind of object, such as *v1alpha1.Host.
type Kind interface {
	runtime.Object
	metav1.Object
}

// Watch hands over the object, now and after every change, and nil once it is
// deleted, until ctx is done. heard is told of every attempt that fails, and with nil
// of everything that comes.
func Watch[O Kind](ctx context.Context, ref Ref, saw func(O), heard func(error)) {
	for wait := minPause; ; wait = min(2*wait, maxPause) {
		err := once(ctx, ref, saw, heard)
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			wait = minPause
			continue
		}
		heard(err)
		if !pause.For(ctx, wait/2+rand.N(wait/2)) {
			return
		}
	}
}

// errEnded says that the API server closed a watch at once.
var errEnded = errors.New("the API server ended it")

// once is one request. A watch without a version begins with the object, if there
// is one. That it ends after some time is no error.
func once[O Kind](ctx context.Context, ref Ref, saw func(O), heard func(error)) error {
	seconds := int((watchTime + rand.N(watchTime)) / time.Second)
	events, err := ref.Client.Get().Resource(ref.Resource).
		Param("watch", "true").Param("fieldSelector", "metadata.name="+ref.Name).
		Param("timeoutSeconds", strconv.Itoa(seconds)).Watch(ctx)
	if err != nil {
		return fmt.Errorf("watch %s: %w", ref, err)
	}
	defer events.Stop()
	started := time.Now()
	for event := range events.ResultChan() {
		if event.Type == watch.Error {
			return fmt.Errorf("watch %s: %w", ref, apierrors.FromObject(event.Object))
		}
		heard(nil)
		object, ok := event.Object.(O)
		if !ok || object.GetName() != ref.Name {
			continue
		}
		if event.Type == watch.Deleted {
			var none O
			object = none
		}
		saw(object)
	}
	if time.Since(started) < maxPause {
		return fmt.Errorf("watch %s: %w", ref, errEnded)
	}
	return nil
}
