package hostconfig

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
	"k8s.io/client-go/rest"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/cni/host/attach"
)

// fieldOwner is the agent's name in server-side apply.
const fieldOwner = "switchlet-host-agent"

const (
	// settle is the time from a change to its update, which takes along what else
	// changes meanwhile, and apart the time between updates at least.
	settle  = 200 * time.Millisecond
	apart   = time.Second
	timeout = 10 * time.Second
)

// Reporter writes the status of a HostConfig, when it has changed.
type Reporter struct {
	client rest.Interface
	node   string
	report func() attach.Report
	log    *slog.Logger
	wake   chan struct{}

	mu     sync.Mutex
	object object
}

// object is the HostConfig as it was last seen; without a uid there is none.
type object struct {
	uid        types.UID
	generation int64
	revision   string
	conditions []metav1.Condition
}

// NewReporter is one for the HostConfig of a node. The client is one of the API
// group of v1alpha1.
func NewReporter(client rest.Interface, node string, report func() attach.Report, log *slog.Logger) *Reporter {
	return &Reporter{client: client, node: node, report: report, log: log, wake: make(chan struct{}, 1)}
}

// Changed says that there may be something new to report. It never waits.
func (r *Reporter) Changed() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// Saw takes the HostConfig as it is at the API server, nil if there is none.
func (r *Reporter) Saw(c *v1alpha1.HostConfig) {
	r.mu.Lock()
	if r.object = (object{}); c != nil {
		r.object = object{c.UID, c.Generation, c.Spec.Revision, c.Status.Conditions}
	}
	r.mu.Unlock()
	r.Changed()
}

// Run writes until ctx is done.
func (r *Reporter) Run(ctx context.Context) {
	var last written
	pause := minPause
	for {
		err := r.write(ctx, &last)
		if ctx.Err() != nil {
			return
		}
		var again <-chan time.Time
		if err != nil {
			r.log.Info("status not written, trying again", "error", err, "pause", pause)
			again = time.After(pause/2 + rand.N(pause/2))
			pause = min(2*pause, maxPause)
		} else {
			pause = minPause
		}
		select {
		case <-ctx.Done():
			return
		case <-again:
		case <-r.wake:
			if !wait(ctx, max(settle, time.Until(last.at.Add(apart)))) {
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

func (r *Reporter) write(ctx context.Context, last *written) error {
	r.mu.Lock()
	seen := r.object
	r.mu.Unlock()
	if seen.uid == "" {
		return nil
	}
	previous := seen.conditions
	if seen.uid == last.uid {
		previous = last.conditions
	}
	now := time.Now()
	status := status(r.report(), seen.revision, seen.generation, previous, now)
	body, err := json.Marshal(map[string]any{
		"apiVersion": v1alpha1.GroupVersion().String(), "kind": "HostConfig",
		"metadata": map[string]any{"name": r.node}, "status": status,
	})
	if err != nil {
		return fmt.Errorf("status of HostConfig %s: %w", r.node, err)
	}
	if seen.uid == last.uid && bytes.Equal(body, last.body) {
		return nil
	}
	if err := r.apply(ctx, body); err != nil {
		if apierrors.IsNotFound(err) {
			return nil // the watch tells of the next
		}
		return err
	}
	*last = written{seen.uid, body, status.Conditions, now}
	return nil
}

func (r *Reporter) apply(ctx context.Context, body []byte) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	err := r.client.Patch(types.ApplyPatchType).Resource(resource).Name(r.node).SubResource("status").
		Param("fieldManager", fieldOwner).Param("force", "true").Body(body).Do(ctx).Error()
	if err != nil {
		return fmt.Errorf("status of HostConfig %s: %w", r.node, err)
	}
	return nil
}
