package report

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"

	"github.com/switchlet/switchlet/agent/neighbors"
	"github.com/switchlet/switchlet/api/v1alpha1"
)

// fieldOwner is the agent's name in server-side apply.
const fieldOwner = "switchlet-agent"

// Pauses between attempts while the API server is away or refuses.
const (
	minPause = 100 * time.Millisecond
	maxPause = 10 * time.Second
	timeout  = 10 * time.Second
)

// settle is how long a change may be on its way before the status says so. Most changes
// take less, and are then told once, when whoever waits for them can go on.
const settle = 250 * time.Millisecond

// Reporter writes the status of a switch's two objects.
type Reporter struct {
	node   string
	client rest.Interface
	log    *slog.Logger
	wake   chan struct{}

	mu    sync.Mutex
	news  *Facts // not written yet
	heard neighbors.View
	seen  map[string]seen
	// maintenance and drained are what is said of them now.
	maintenance *v1alpha1.MaintenanceStatus
	drained     State
}

// seen is an object as it was last read from the API server.
type seen struct {
	uid        types.UID
	conditions []metav1.Condition
}

// New is a reporter for the objects of a node. The client is one of the group
// and version of v1alpha1.
func New(client rest.Interface, node string, log *slog.Logger) *Reporter {
	return &Reporter{node: node, client: client, log: log, wake: make(chan struct{}, 1), seen: map[string]seen{}}
}

// Report hands over the newest facts. It never waits.
func (r *Reporter) Report(f Facts) {
	r.mu.Lock()
	r.news = &f
	r.mu.Unlock()
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// Heard hands over what is heard by LLDP now. It never waits.
func (r *Reporter) Heard(v neighbors.View) {
	r.mu.Lock()
	r.heard = v
	r.mu.Unlock()
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// Answer hands over what is said to spec.maintenance now, nil if nothing is asked,
// and whether the switch is drained. It never waits. Nobody may change the answer.
func (r *Reporter) Answer(m *v1alpha1.MaintenanceStatus, drained State) {
	r.mu.Lock()
	r.maintenance, r.drained = m, drained
	r.mu.Unlock()
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// SawConfig and SawSwitch tell how an object was when it was last read, so that
// conditions that stay the same keep their times over a restart, and a new
// object is written to although nothing has changed.
func (r *Reporter) SawConfig(c *v1alpha1.SwitchConfig) {
	r.saw(configResource, c.UID, c.Status.Conditions)
}

// SawSwitch is SawConfig for the Switch.
func (r *Reporter) SawSwitch(s *v1alpha1.Switch) {
	r.saw(switchResource, s.UID, s.Status.Conditions)
}

func (r *Reporter) saw(resource string, uid types.UID, conditions []metav1.Condition) {
	r.mu.Lock()
	r.seen[resource] = seen{uid, conditions}
	r.mu.Unlock()
}

func (r *Reporter) take() (*Facts, map[string]seen) {
	r.mu.Lock()
	defer r.mu.Unlock()
	objects := make(map[string]seen, len(r.seen))
	for resource, object := range r.seen {
		objects[resource] = object
	}
	if r.news == nil {
		return nil, objects
	}
	news := *r.news
	news.Cabling, news.Maintenance, news.Drained = r.heard, r.maintenance, r.drained
	return &news, objects
}

// Run writes until ctx is done.
func (r *Reporter) Run(ctx context.Context) {
	config := &object{resource: configResource, kind: "SwitchConfig"}
	self := &object{resource: switchResource, kind: "Switch"}
	pause := minPause
	var underway time.Time // since when a change is; zero if none is
	for {
		facts, objects := r.take()
		var failed error
		var retry <-chan time.Time
		if early := held(facts, &underway, time.Now()); early > 0 {
			retry = time.After(early)
		} else if facts != nil {
			failed = r.write(ctx, *facts, objects, config, self)
		}
		if failed != nil {
			r.log.Info("status not written, trying again", "error", failed, "pause", pause)
			retry = time.After(pause/2 + rand.N(pause/2))
			pause = min(2*pause, maxPause)
		} else {
			pause = minPause
		}
		select {
		case <-ctx.Done():
			return
		case <-r.wake:
		case <-retry:
		}
	}
}

// held is for how long facts are not worth writing yet, because a change is underway and
// something better is about to be known.
func held(facts *Facts, underway *time.Time, now time.Time) time.Duration {
	switch {
	case facts == nil || !facts.underway():
		*underway = time.Time{}
		return 0
	case underway.IsZero():
		*underway = now
	}
	return underway.Add(settle).Sub(now)
}

// write writes both objects; the SwitchConfig first, because people wait for it.
func (r *Reporter) write(ctx context.Context, f Facts, objects map[string]seen, config, self *object) error {
	now := time.Now()
	var failed error
	if f.Generation > 0 {
		status := ConfigStatus(f, config.conditions(objects[config.resource]), now)
		failed = r.apply(ctx, config, objects[config.resource].uid, status.Conditions, status)
	}
	if f.SwitchGeneration > 0 {
		status := SwitchStatus(f, self.conditions(objects[self.resource]), now)
		failed = errors.Join(failed, r.apply(ctx, self, objects[self.resource].uid, status.Conditions, status))
	}
	return failed
}

const (
	configResource = "switchconfigs"
	switchResource = "switches"
)

// object is what was last written to one of the two objects.
type object struct {
	resource, kind string
	uid            types.UID
	body           []byte
	written        []metav1.Condition
}

// conditions as they are at the API server: those written, or those read if the
// object is another one by now.
func (o *object) conditions(s seen) []metav1.Condition {
	if o.body != nil && o.uid == s.uid {
		return o.written
	}
	return s.conditions
}

func (r *Reporter) apply(ctx context.Context, o *object, uid types.UID, conditions []metav1.Condition, status any) error {
	body, err := json.Marshal(map[string]any{
		"apiVersion": v1alpha1.GroupVersion().String(), "kind": o.kind,
		"metadata": map[string]any{"name": r.node}, "status": status,
	})
	if err != nil {
		return fmt.Errorf("status of %s %s: %w", o.kind, r.node, err)
	}
	if uid == o.uid && bytes.Equal(body, o.body) {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	err = r.client.Patch(types.ApplyPatchType).Resource(o.resource).Name(r.node).SubResource("status").
		Param("fieldManager", fieldOwner).Param("force", "true").Body(body).Do(ctx).Error()
	if err != nil {
		return fmt.Errorf("status of %s %s: %w", o.kind, r.node, err)
	}
	o.uid, o.body, o.written = uid, body, conditions
	return nil
}
