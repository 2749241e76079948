package object

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/cni/host/pause"
)

// fieldOwner is the agent's name in server-side apply.
const fieldOwner = "switchlet-host-agent"

const (
	apart   = time.Second // between updates at least
	timeout = 10 * time.Second
)

// Seen is an object as it was last seen; without a UID there is none.
type Seen struct {
	UID        types.UID
	Generation int64
	// Revision of its spec, where it has one.
	Revision string
	// Conditions as they are, so that those that stay the same keep their times.
	Conditions []metav1.Condition
}

// Status is what there is to write to an object, and the conditions in it; nil
// without anything yet.
type Status func(seen Seen, now time.Time) (status any, conditions []metav1.Condition)

// Writer writes the status of one object.
type Writer struct {
	ref    Ref
	status Status
	settle time.Duration
	log    *slog.Logger
	wake   chan struct{}

	mu   sync.Mutex
	seen Seen
}

// NewWriter is one that has not seen its object. It writes so long after a change, to take
// along what else changes meanwhile.
func NewWriter(ref Ref, status Status, settle time.Duration, log *slog.Logger) *Writer {
	return &Writer{ref: ref, status: status, settle: settle, log: log, wake: make(chan struct{}, 1)}
}

// Changed says that there may be something new to write. It never waits.
func (w *Writer) Changed() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// Saw takes the object as it is at the API server, so that a new one is written to
// although nothing has changed.
func (w *Writer) Saw(s Seen) {
	w.mu.Lock()
	w.seen = s
	w.mu.Unlock()
	w.Changed()
}

// Run writes until ctx is done.
func (w *Writer) Run(ctx context.Context) {
	var last written
	wait := minPause
	for {
		err := w.write(ctx, &last)
		if ctx.Err() != nil {
			return
		}
		var again <-chan time.Time
		if err != nil {
			w.log.Info("status not written, trying again", "error", err, "pause", wait)
			again = time.After(wait/2 + rand.N(wait/2))
			wait = min(2*wait, maxPause)
		} else {
			wait = minPause
		}
		select {
		case <-ctx.Done():
			return
		case <-again:
		case <-w.wake:
			if !pause.For(ctx, max(w.settle, time.Until(last.at.Add(apart)))) {
				return
			}
		}
	}
}

// written is what was last written.
type written struct {
	uid        types.UID
	body       []byte
	conditions []metav1.Condition
	at         time.Time
}

// write writes what is new, if anything.
func (w *Writer) write(ctx context.Context, last *written) error {
	w.mu.Lock()
	seen := w.seen
	w.mu.Unlock()
	if seen.UID == "" {
		return nil
	}
	if seen.UID == last.uid {
		seen.Conditions = last.conditions
	}
	now := time.Now()
	status, conditions := w.status(seen, now)
	if status == nil {
		return nil
	}
	body, err := json.Marshal(map[string]any{
		"apiVersion": v1alpha1.GroupVersion().String(), "kind": w.ref.Kind,
		"metadata": map[string]any{"name": w.ref.Name}, "status": status,
	})
	if err != nil {
		return fmt.Errorf("status of %s: %w", w.ref, err)
	}
	if seen.UID == last.uid && bytes.Equal(body, last.body) {
		return nil
	}
	if err := w.apply(ctx, body); err != nil {
		return w.gone(seen, err)
	}
	*last = written{seen.UID, body, conditions, now}
	return nil
}

func (w *Writer) apply(ctx context.Context, body []byte) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	err := w.ref.Client.Patch(types.ApplyPatchType).Resource(w.ref.Resource).Name(w.ref.Name).SubResource("status").
		Param("fieldManager", fieldOwner).Param("force", "true").Body(body).Do(ctx).Error()
	if err != nil {
		return fmt.Errorf("status of %s: %w", w.ref, err)
	}
	return nil
}

// gone turns the error that there is no such object into waiting for the next: the
// watch tells of it.
func (w *Writer) gone(was Seen, err error) error {
	if !apierrors.IsNotFound(err) {
		return err
	}
	w.log.Info("the object is not there; waiting for the controller to make it", "object", w.ref.String())
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.seen.UID == was.UID {
		w.seen = Seen{}
	}
	return nil
}
