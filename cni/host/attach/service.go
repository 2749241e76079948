package attach

import (
	"context"
	"log/slog"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/cni/host/journal"
	"github.com/switchlet/switchlet/cni/host/link"
	"github.com/switchlet/switchlet/cni/host/networks"
	"github.com/switchlet/switchlet/cni/host/request"
	"github.com/switchlet/switchlet/cni/host/uplink"
)

// Pods makes interfaces of pods.
type Pods interface {
	Attach(ns *os.File, i link.Interface) (mtu int, err error)
	Detach(ns *os.File, i link.Interface) error
	Check(ns *os.File, i link.Interface) error
	Repair(ns *os.File, i link.Interface) error
}

// Host is the host's own devices.
type Host interface {
	Devices() ([]uplink.Device, error)
	Do(uplink.Step) error
	Function(device string) (link.Function, error)
}

// Config is what a Service needs.
type Config struct {
	Journal *journal.Store
	Pods    Pods
	Host    Host
	// Wait is how long an ADD waits for its network.
	Wait time.Duration
	// Node is the name of the host.
	Node string
	// Boot tells starts of the kernel apart.
	Boot string
	// Changed is called when what Report says may have changed. It must not wait.
	Changed func()
	Log     *slog.Logger
}

// Service attaches pods.
type Service struct {
	cfg  Config
	busy keys
	// background are deletions of interfaces that nobody waits for, one at a time:
	// the kernel does one at a time as well, and ADDs are to come in between.
	background sync.WaitGroup
	deleting   sync.Mutex
	rush       rush
	upkeep     sync.Mutex // of the host's devices

	// choosing is held while an address is chosen, and alone while the networks are
	// exchanged: once others have been told which slices are in use, no address
	// comes from another.
	choosing sync.RWMutex

	rerouted chan struct{} // tells that pods are to get other routes

	mu      sync.Mutex
	changed chan struct{} // closed when current changes
	current current
	bridges map[int32]time.Time // since when networks need one
	pods    problems
}

// current is what the service works with.
type current struct {
	set networks.Set
	// applied is the last revision of which all devices are there that can be, and no
	// others any more: the controller gives what the host has let go of to somebody else.
	applied string
	// invalid are the problems of the spec, uplinks those of the host's devices.
	invalid, uplinks []v1alpha1.Problem
	failed           map[int32]error          // networks whose devices could not be made
	devices          map[string]uplink.Device // of the host, by name
	err              error                    // why no network can be had
}

// New is a service without networks.
func New(cfg Config) *Service {
	return &Service{
		cfg: cfg, busy: keys{held: map[request.Key]chan struct{}{}},
		rerouted: make(chan struct{}, 1), changed: make(chan struct{}), bridges: map[int32]time.Time{}, pods: problems{},
	}
}

// Close waits for what goes on in the background.
func (s *Service) Close() { s.background.Wait() }

// Set takes over the networks of a spec. Its devices are made before pods are
// attached to them.
func (s *Service) Set(set networks.Set, invalid []v1alpha1.Problem) {
	s.upkeep.Lock()
	before, _ := s.now()
	next := s.devices(set, before.applied)
	s.choosing.Lock()
	s.mu.Lock()
	next.invalid = invalid
	s.publish(next)
	s.mu.Unlock()
	s.choosing.Unlock()
	s.upkeep.Unlock()
	s.cfg.Changed()
	if rerouted(before.set, set) {
		select {
		case s.rerouted <- struct{}{}:
		default:
		}
	}
}

// rerouted reports whether pods of some network have other routes now.
func rerouted(before, after networks.Set) bool {
	return slices.ContainsFunc(after.All(), func(n *networks.Network) bool {
		was := before.Get(n.VNI)
		return was != nil && !slices.Equal(slices.Concat(was.Routes, was.Default()), slices.Concat(n.Routes, n.Default()))
	})
}

// publish replaces what the service works with. The caller holds mu.
func (s *Service) publish(next current) {
	s.current = next
	close(s.changed)
	s.changed = make(chan struct{})
}

// now is what the service works with, and what is closed when that changes.
func (s *Service) now() (current, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.current, s.changed
}

// keys are those that something is being done for.
type keys struct {
	mu   sync.Mutex
	held map[request.Key]chan struct{}
}

// lock waits until nobody else has the key.
func (k *keys) lock(ctx context.Context, key request.Key) error {
	for {
		k.mu.Lock()
		wait, taken := k.held[key]
		if !taken {
			k.held[key] = make(chan struct{})
			k.mu.Unlock()
			return nil
		}
		k.mu.Unlock()
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-wait:
		}
	}
}

func (k *keys) unlock(key request.Key) {
	k.mu.Lock()
	defer k.mu.Unlock()
	close(k.held[key])
	delete(k.held, key)
}
