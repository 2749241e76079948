package lldpservice

import (
	"bufio"
	"context"
	"log/slog"
	"os/exec"
	"slices"
	"sync"
	"time"

	"github.com/switchlet/switchlet/deploy/lab/lldpcli"
	"github.com/switchlet/switchlet/deploy/lab/lldpsyncd"
)

const (
	// askAnyway is how old an answer of lldpd may be although nothing changed.
	askAnyway = time.Minute
	// watchAgain is the pause before lldpcli is started again that has ended.
	watchAgain = 2 * time.Second
)

// remembered is what lldpd last said, which is asked again only when something has
// changed: to ask costs a start of lldpcli.
type remembered struct {
	source lldpsyncd.Source
	now    func() time.Time

	mu        sync.Mutex
	neighbors []lldpcli.Interface
	asked     time.Time // zero to ask again
	chassis   lldpcli.Chassis
	known     time.Time // likewise of the chassis
}

// watchNeighbors is a source that lldpcli tells, until ctx is done, when neighbours
// come, change or go.
func watchNeighbors(ctx context.Context, source lldpsyncd.Source, log *slog.Logger) *remembered {
	r := &remembered{source: source, now: time.Now}
	go func() {
		for ctx.Err() == nil {
			if err := r.watch(ctx); err != nil && ctx.Err() == nil {
				log.Warn("lldpcli watch ended and is started again", "error", err)
			}
			select {
			case <-time.After(watchAgain):
			case <-ctx.Done():
			}
		}
	}()
	return r
}

// watch takes whatever lldpcli prints for a change.
func (r *remembered) watch(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, "lldpcli", "-f", "keyvalue", "watch", "summary")
	output, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	r.forget()
	for lines := bufio.NewScanner(output); lines.Scan(); {
		r.forget()
	}
	r.forget()
	return cmd.Wait()
}

func (r *remembered) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked, r.known = time.Time{}, time.Time{}
}

// Neighbors are those that lldpd last said, as old as they are by now.
func (r *remembered) Neighbors(ctx context.Context) ([]lldpcli.Interface, error) {
	r.mu.Lock()
	aged, asked := slices.Clone(r.neighbors), r.asked
	r.mu.Unlock()
	now := r.now()
	if now.Sub(asked) > askAnyway {
		return r.askNeighbors(ctx, now)
	}
	for i := range aged {
		aged[i].Age += now.Sub(asked).Truncate(time.Second)
	}
	return aged, nil
}

// askNeighbors asks lldpd. What changes while it answers is asked for next time.
func (r *remembered) askNeighbors(ctx context.Context, now time.Time) ([]lldpcli.Interface, error) {
	r.mu.Lock()
	r.asked = now
	r.mu.Unlock()
	neighbors, err := r.source.Neighbors(ctx)
	if err != nil {
		r.forget()
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.neighbors = neighbors
	return neighbors, nil
}

// Chassis is what lldpd last said of this switch.
func (r *remembered) Chassis(ctx context.Context) (lldpcli.Chassis, error) {
	r.mu.Lock()
	chassis, known := r.chassis, r.known
	r.mu.Unlock()
	now := r.now()
	if now.Sub(known) <= askAnyway {
		return chassis, nil
	}
	chassis, err := r.source.Chassis(ctx)
	if err != nil {
		return chassis, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.chassis, r.known = chassis, now
	return chassis, nil
}
