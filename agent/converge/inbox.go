package converge

import (
	"sync"

	"github.com/switchlet/switchlet/agent/state"
	"github.com/switchlet/switchlet/api/v1alpha1"
)

// Inbox holds the newest word of the API server. It may be used by any number
// of goroutines.
type Inbox struct {
	wake chan struct{}

	mu         sync.Mutex
	config     *v1alpha1.SwitchConfig
	self       *v1alpha1.Switch
	configGone bool
	overlay    Overlay
}

// NewInbox is an empty inbox.
func NewInbox() *Inbox { return &Inbox{wake: make(chan struct{}, 1)} }

// SetConfig takes the SwitchConfig, or nil when it was deleted. One whose spec is
// known, such as after every report of its status, is no news: it gets the spec
// that is there, so that a large one is not in memory twice.
func (in *Inbox) SetConfig(config *v1alpha1.SwitchConfig) {
	in.mu.Lock()
	known := config != nil && in.config != nil && sameSpec(in.config, config)
	if known {
		config.Spec = in.config.Spec
	} else {
		in.config, in.configGone = config, config == nil
	}
	in.mu.Unlock()
	if !known {
		in.signal()
	}
}

// sameSpec reports whether the API server says that nobody has touched the spec
// in between.
func sameSpec(a, b *v1alpha1.SwitchConfig) bool {
	return a.UID == b.UID && a.Generation == b.Generation && a.Spec.Revision == b.Spec.Revision
}

// SetSwitch takes the Switch, or nil when it was deleted.
func (in *Inbox) SetSwitch(self *v1alpha1.Switch) {
	in.mu.Lock()
	in.self = self
	in.mu.Unlock()
	in.signal()
}

// SetOverlay takes what draining puts over the spec. It is in force until another
// one comes, whatever the API server says.
func (in *Inbox) SetOverlay(o Overlay) {
	in.mu.Lock()
	known := in.overlay.equal(o)
	in.overlay = o
	in.mu.Unlock()
	if !known {
		in.signal()
	}
}

func (in *Inbox) signal() {
	select {
	case in.wake <- struct{}{}:
	default:
	}
}

// desired is what the switch should be, as far as is known.
type desired struct {
	// config is nil while the API server has not been reached, when there is no
	// SwitchConfig, and as long as the Switch is not known: that may say that
	// nothing is to be changed.
	config *v1alpha1.SwitchConfig
	// configGone: the SwitchConfig was deleted.
	configGone bool
	// switchGeneration is 0 while the Switch is not known.
	switchGeneration int64
	paused           bool
	drift            v1alpha1.DriftPolicy
	overlay          Overlay
}

// read is what the API server says, completed by what is on disk.
func (in *Inbox) read(good *state.LastGood) desired {
	in.mu.Lock()
	defer in.mu.Unlock()
	d := desired{configGone: in.configGone, overlay: in.overlay}
	switch {
	case in.self != nil:
		d.config = in.config
		d.switchGeneration, d.paused, d.drift = in.self.Generation, in.self.Spec.Paused, in.self.Spec.Drift
	case good != nil:
		d.paused, d.drift = good.Paused, good.Drift
	}
	return d
}

// compiled reports whether there is a spec in the API that the controller has
// compiled.
func (d desired) compiled() bool { return d.config != nil && d.config.Spec.Revision != "" }

// generations are that of the SwitchConfig, and that of it which is in force.
func (d desired) generations(good *state.LastGood) (observed, applied int64) {
	if d.config == nil {
		return 0, 0
	}
	if good != nil && good.UID == d.config.UID {
		applied = good.Generation
	}
	return d.config.Generation, applied
}
