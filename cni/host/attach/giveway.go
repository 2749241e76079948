package attach

import (
	"sync"
	"time"
)

// giveWayAtMost bounds how long a deletion gives way, so that it comes to its turn on a
// node on which pods start all the time.
const giveWayAtMost = 500 * time.Millisecond

// rush counts the ADDs that are being answered. The kernel makes and deletes one device
// after the other, and for an ADD somebody waits.
type rush struct {
	mu     sync.Mutex
	adding int
	over   chan struct{} // closed when there is none any more
}

// begin counts an ADD until end is called, once or more.
func (r *rush) begin() (end func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.adding++; r.adding == 1 {
		r.over = make(chan struct{})
	}
	return sync.OnceFunc(func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.adding--; r.adding == 0 {
			close(r.over)
		}
	})
}

// giveWay waits until no ADD is being answered.
func (r *rush) giveWay() {
	timer := time.NewTimer(giveWayAtMost)
	defer timer.Stop()
	for {
		r.mu.Lock()
		adding, over := r.adding, r.over
		r.mu.Unlock()
		if adding == 0 {
			return
		}
		select {
		case <-over:
		case <-timer.C:
			return
		}
	}
}
