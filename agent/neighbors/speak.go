package neighbors

import (
	"context"
	"maps"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

// self is what the agent sends of the switch: what SONiC's lldp service would.
type self struct {
	system system
	ports  map[string]port
}

func (s self) equal(other self) bool {
	return s.system == other.system && maps.Equal(s.ports, other.ports)
}

// speaker sends and hears frames.
type speaker interface {
	// Run does until ctx is done, and takes back then what was said.
	Run(ctx context.Context) error
	// Changed has a value when somebody else is heard than before.
	Changed() <-chan struct{}
	// heard are those who are heard now.
	heard() []v1alpha1.LLDPNeighbor
}

// speaking is a speaker at work. A nil one hears nobody.
type speaking struct {
	speaker
	self self
	stop context.CancelFunc
	done chan struct{}
	err  error // once it is done
}

// wanted is what the agent is to send; nil for nothing.
func (w *Watcher) wanted() *self {
	if !w.speaks() {
		return nil
	}
	return &self{system: w.seen.own, ports: w.seen.ports}
}

// speak makes the agent send what it is to send.
func (w *Watcher) speak(ctx context.Context, wanted *self) {
	if w.own != nil && (wanted == nil || !w.own.self.equal(*wanted)) {
		w.own.stop()
		<-w.own.done
		w.own = nil
	}
	if w.own != nil || wanted == nil {
		return
	}
	speaker, err := w.cfg.speak(*wanted)
	if err != nil {
		w.complainOwn(err)
		return
	}
	ctx, stop := context.WithCancel(ctx)
	w.own = &speaking{speaker: speaker, self: *wanted, stop: stop, done: make(chan struct{})}
	go func(own *speaking) {
		defer close(own.done)
		own.err = own.Run(ctx)
	}(w.own)
}

// complainOwn logs, once, what keeps from speaking. It is tried again with the
// next look.
func (w *Watcher) complainOwn(err error) {
	if w.ownSaid.anew(err) {
		w.cfg.Log.Warn("LLDP frames are not sent, trying again", "error", err)
	}
}

func (s *speaking) heard() []v1alpha1.LLDPNeighbor {
	if s == nil {
		return nil
	}
	return s.speaker.heard()
}

func (s *speaking) changed() <-chan struct{} {
	if s == nil {
		return nil
	}
	return s.Changed()
}

func (s *speaking) ended() <-chan struct{} {
	if s == nil {
		return nil
	}
	return s.done
}
