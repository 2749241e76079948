package report

import (
	"log/slog"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/cni/host/neighbors"
	"github.com/switchlet/switchlet/cni/host/object"
)

// Reporter writes the status of a Host.
type Reporter struct {
	*object.Writer
	node string

	mu    sync.Mutex
	facts Facts
}

// settle lets NICs that come together be told together.
const settle = 200 * time.Millisecond

// New is a reporter for the Host of a node. The client is one of object.NewClient.
func New(client rest.Interface, node string, log *slog.Logger) *Reporter {
	r := &Reporter{node: node}
	r.Writer = object.NewWriter(host(client, node), r.status, settle, log)
	return r
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

// SawHost takes the Host as it is at the API server, nil if there is none.
func (r *Reporter) SawHost(h *v1alpha1.Host) {
	var seen object.Seen
	if h != nil {
		seen = object.Seen{UID: h.UID, Generation: h.Generation, Conditions: h.Status.Conditions}
	}
	r.Saw(seen)
}

func (r *Reporter) set(change func()) {
	r.mu.Lock()
	change()
	r.mu.Unlock()
	r.Changed()
}

// status is what there is to write, once the NICs have been looked at.
func (r *Reporter) status(seen object.Seen, now time.Time) (any, []metav1.Condition) {
	r.mu.Lock()
	facts := r.facts
	r.mu.Unlock()
	if facts.NICs == nil && facts.Unseen == nil {
		return nil, nil
	}
	s := facts.Status(r.node, seen.Generation, seen.Conditions, now)
	return s, s.Conditions
}
