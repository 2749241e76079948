package reconcile

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// settleTime is how long an object may be on its way before its status says so.
// A change takes less than that as a rule, and its status is then written once.
const settleTime = 250 * time.Millisecond

// settling remembers since when objects are on their way.
type settling struct {
	mu    sync.Mutex
	since map[types.NamespacedName]time.Time
}

func newSettling() *settling { return &settling{since: map[types.NamespacedName]time.Time{}} }

// wait is how long to wait before what there is to say of an object is worth writing: 0
// unless the object is on its way, and only for a short time so far.
func (s *settling) wait(name types.NamespacedName, underway bool) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !underway {
		delete(s.since, name)
		return 0
	}
	if s.since[name].IsZero() {
		s.since[name] = time.Now()
	}
	return max(0, settleTime-time.Since(s.since[name]))
}

// forget drops an object that is gone.
func (s *settling) forget(name types.NamespacedName) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.since, name)
}
