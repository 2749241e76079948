package dataplane

import (
	"cmp"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/switchlet/switchlet/deploy/lab/swss"
)

// Config says which switch forwards.
type Config struct {
	// Namespace is the path of the switch's network namespace. Default: the
	// process's own.
	Namespace string
	// MAC is the switch's address, that of all its ports. Required.
	MAC net.HardwareAddr
	// Log, if not nil, is told what changes.
	Log *slog.Logger
	// Journal, if not nil, gets a line for each Moment.
	Journal io.Writer
}

// Plane is the data plane of a switch. Its methods may be called by several
// goroutines.
type Plane struct {
	kernel *kernel
	mac    string
	log    *slog.Logger
	// addressed are the addresses that were made.
	addressed chan []Step

	mu     sync.Mutex // of what follows, and of the devices
	want   Devices
	closed bool
}

// Open opens the data plane: it separates the VRFs-to-be from the default one and
// forwards nothing yet. Devices of an earlier one go with the first Set.
func Open(cfg Config) (*Plane, error) {
	if len(cfg.MAC) != 6 {
		return nil, fmt.Errorf("data plane: MAC is %q: it must be that of the switch", cfg.MAC)
	}
	k, err := openKernel(cfg.Namespace)
	if err != nil {
		return nil, fmt.Errorf("data plane: %w", err)
	}
	k.journal = newJournal(cfg.Journal)
	err = k.inside(func() error {
		if err := k.separate(); err != nil {
			return err
		}
		return write(general())
	})
	if err != nil {
		k.close()
		return nil, fmt.Errorf("data plane: %w", err)
	}
	return &Plane{kernel: k, addressed: make(chan []Step, 64), mac: cfg.MAC.String(), log: cmp.Or(cfg.Log, slog.New(slog.DiscardHandler)), want: Devices{}}, nil
}

// Close leaves all devices as they are. Set and Run must have returned.
func (p *Plane) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil
	}
	p.closed = true
	return p.kernel.close()
}

// Set makes the switch forward what the rows of its daemons say; when it returns,
// it does. The rows are those of APPL_DB and STATE_DB, by database and key.
func (p *Plane) Set(rows func(db string) map[string]swss.Row) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.want = Wanted(rows(swss.ApplDB), rows(swss.StateDB), p.mac)
	return p.make()
}

// again makes the devices right once more: a cable was plugged in or pulled.
func (p *Plane) again() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.make()
}

func (p *Plane) make() error {
	began := time.Now()
	var steps []Step
	err := p.kernel.inside(func() (err error) {
		steps, err = p.kernel.make(p.want)
		return err
	})
	if made := madeAddresses(steps); len(made) > 0 {
		select {
		case p.addressed <- made:
		default: // nobody runs the plane
		}
	}
	if len(steps) > 0 {
		p.log.Debug("data plane changed", "steps", len(steps), "took", time.Since(began), "commands", commands(steps))
	}
	if err != nil {
		return fmt.Errorf("data plane: %w", err)
	}
	return nil
}

func commands(steps []Step) string {
	var list []string
	for _, step := range steps {
		list = append(list, step.String())
	}
	return strings.Join(list, "; ")
}
