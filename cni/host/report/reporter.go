package report

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
	"github.com/switchlet/switchlet/cni/host/neighbors"
)

// fieldOwner is the agent's name in server-side apply.
const fieldOwner = "switchlet-host-agent"

const (
	// settle is the time from a change to its update, which takes along what else
	// changes meanwhile, and apart the time between updates at least.
	settle = 200 * time.Millisecond
	apart  = time.Second
	// Pauses between attempts while the API server is away or refuses.
	minPause = 100 * time.Millisecond
	maxPause = 10 * time.Second
	timeout  = 10 * time.Second
)

// Reporter writes the status of a Host.
type Reporter struct {
	node   string
	client rest.Interface
	log    *slog.Logger
	wake   chan struct{}

	mu    sync.Mutex
	facts Facts
	host  host
}

// host is the object as it was last seen; without a uid there is none.
type host struct {
	uid        types.UID
	generation int64
	conditions []metav1.Condition
}

// New is a reporter for the Host of a node. The client is one of NewClient.
func New(client rest.Interface, node string, log *slog.Logger) *Reporter {
	return &Reporter{node: node, client: client, log: log, wake: make(chan struct{}, 1)}
}

// SetNICs takes the NICs, or why they are not known; those before stay then. It
// never waits, like the others of its kind.
func (r *Reporter) SetNICs(nics []v1alpha1.HostNIC, unseen error) {
	r.set(func() {
		if r.facts.Unseen = unseen; unseen == nil {
			r.facts.NICs = nics
		}
	})
}

// SetNeighbors takes who is at the other ends of the cables.
func (r *Reporter) SetNeighbors(view neighbors.View) { r.set(func() { r.facts.View = view }) }

// SawHost takes the Host as it is at the API server, so that conditions that
// stay the same keep their times over a restart, and a new object is written to
// although nothing has changed; nil if there is none.
func (r *Reporter) SawHost(h *v1alpha1.Host) {
	r.set(func() {
		if r.host = (host{}); h != nil {
			r.host = host{h.UID, h.Generation, h.Status.Conditions}
		}
	})
}

func (r *Reporter) set(change func()) {
	r.mu.Lock()
	change()
	r.mu.Unlock()
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// take is what there is to write, if the NICs have been looked at and there is a
// Host to write to.
func (r *Reporter) take() (Facts, host, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	looked := r.facts.NICs != nil || r.facts.Unseen != nil
	return r.facts, r.host, looked && r.host.uid != ""
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

// write writes what is new, if anything.
func (r *Reporter) write(ctx context.Context, last *written) error {
	facts, host, ok := r.take()
	if !ok {
		return nil
	}
	previous := host.conditions
	if host.uid == last.uid {
		previous = last.conditions
	}
	now := time.Now()
	status := facts.Status(r.node, host.generation, previous, now)
	body, err := json.Marshal(map[string]any{
		"apiVersion": v1alpha1.GroupVersion().String(), "kind": "Host",
		"metadata": map[string]any{"name": r.node}, "status": status,
	})
	if err != nil {
		return fmt.Errorf("status of Host %s: %w", r.node, err)
	}
	if host.uid == last.uid && bytes.Equal(body, last.body) {
		return nil
	}
	if err := r.apply(ctx, body); err != nil {
		return r.gone(host, err)
	}
	*last = written{host.uid, body, status.Conditions, now}
	return nil
}

func (r *Reporter) apply(ctx context.Context, body []byte) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	err := r.client.Patch(types.ApplyPatchType).Resource(resource).Name(r.node).SubResource("status").
		Param("fieldManager", fieldOwner).Param("force", "true").Body(body).Do(ctx).Error()
	if err != nil {
		return fmt.Errorf("status of Host %s: %w", r.node, err)
	}
	return nil
}

// gone turns the error that there is no such Host into waiting for the next: the
// watch tells of it.
func (r *Reporter) gone(was host, err error) error {
	if !apierrors.IsNotFound(err) {
		return err
	}
	r.log.Info("the Host is not there; waiting for the controller to make it", "host", r.node)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.host.uid == was.uid {
		r.host = host{}
	}
	return nil
}

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
