// Package plug makes endpoints real: each is a network namespace of its own with one
// link, made of the host's NIC as a pod's would be. A tagged endpoint has a VLAN
// device, another one a macvlan device. An endpoint that is a pod is there already.
package plug

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"reflect"
	"slices"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/switchlet/switchlet/deploy/lab/matrix"
)

// Plugs are the endpoints that are there.
type Plugs struct {
	log *slog.Logger

	mu    sync.Mutex
	rooms map[matrix.ID]*Room
}

// New has no endpoints yet.
func New(log *slog.Logger) *Plugs { return &Plugs{log: log, rooms: map[matrix.ID]*Room{}} }

// Set makes the endpoints what is wanted, and leaves those alone that are as they have
// to be. One that cannot be made does not keep others from being made.
func (p *Plugs) Set(want []matrix.Endpoint) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	wanted := map[matrix.ID]matrix.Endpoint{}
	for _, e := range want {
		if err := e.Check(); err != nil {
			return err
		}
		if other, twice := wanted[e.ID()]; twice {
			return fmt.Errorf("endpoint %s is there twice, with VLAN %d and %d", &e, other.VLAN, e.VLAN)
		}
		wanted[e.ID()] = e
	}
	var failed []error
	for id, room := range p.rooms { // first: two may want the same VLAN of a NIC
		if e, ok := wanted[id]; !ok || !room.is(&e) {
			p.log.Info("unplugged", "endpoint", room.Endpoint.String())
			failed = append(failed, room.close())
			delete(p.rooms, id)
		}
	}
	for _, e := range want {
		if p.rooms[e.ID()] != nil {
			continue
		}
		room, err := open(e)
		if err != nil {
			failed = append(failed, fmt.Errorf("endpoint %s: %w", &e, err))
			continue
		}
		p.rooms[e.ID()] = room
		p.log.Info("plugged in", "endpoint", e.String(), "vlan", e.VLAN, "addresses", e.Addresses)
	}
	return errors.Join(failed...)
}

// Rooms are the endpoints that are there, sorted.
func (p *Plugs) Rooms() []*Room {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.SortedFunc(maps.Values(p.rooms), func(a, b *Room) int { return a.Endpoint.Compare(&b.Endpoint) })
}

// Close takes all endpoints away.
func (p *Plugs) Close() error { return p.Set(nil) }

// is says whether the room is that of an endpoint, with a link that is still there.
func (r *Room) is(e *matrix.Endpoint) bool {
	host, err := inode(e.Namespace)
	return err == nil && host == r.host && r.alike(e) && r.alive()
}

// alike compares all but the namespace's path: several may lead to the same one.
func (r *Room) alike(e *matrix.Endpoint) bool {
	a, b := r.Endpoint, *e
	a.Namespace, a.Switch, a.Port = b.Namespace, b.Switch, b.Port
	if b.MTU == 0 {
		a.MTU = 0 // it is the interface's own
	}
	return reflect.DeepEqual(a, b)
}

// place is the identity of a network namespace.
type place struct{ dev, inode uint64 }

func inode(path string) (place, error) {
	var stat unix.Stat_t
	if err := unix.Stat(path, &stat); err != nil {
		return place{}, &os.PathError{Op: "stat", Path: path, Err: err}
	}
	return place{stat.Dev, stat.Ino}, nil
}
