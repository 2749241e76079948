package converge

import (
	"context"
	"time"

	"github.com/switchlet/switchlet/sonic"
)

// await waits for the markers of a stage and returns those that did not come.
// When what was lost is being put back, there is no time for daemons that hang.
func (c *Converger) await(ctx context.Context, stage sonic.Stage) ([]sonic.Marker, error) {
	switch {
	case len(stage.Await) == 0:
		return nil, nil
	case stage.Soft:
		return nil, c.settle(ctx, stage)
	case c.trial.lost != "":
		return c.awaitMarkers(ctx, stage.Await, c.cfg.Patience/settlePart)
	}
	return c.awaitMarkers(ctx, stage.Await, c.cfg.Patience)
}

// settle gives daemons the time to finish what they make of rows. A row that was
// just written gets as long as any marker may take: its marker has not come yet
// when it looks as if it had gone. One that was waited for in vain gets a little,
// and so do all when what was lost is being put back.
func (c *Converger) settle(ctx context.Context, stage sonic.Stage) error {
	reverting := c.trial.lost != ""
	var young, late []sonic.Marker
	for _, marker := range stage.Await {
		if _, missed := c.proof.missed[marker.Row]; missed {
			late = append(late, marker)
		} else {
			young = append(young, marker)
		}
	}
	since := c.proof.since
	if len(stage.Commands) > 0 {
		since = time.Now()
	}
	little := c.cfg.Patience / settlePart
	rest := max(little, time.Until(since.Add(c.cfg.Patience)))
	if reverting {
		rest = little
	}
	for _, wait := range []struct {
		markers  []sonic.Marker
		patience time.Duration
	}{{young, rest}, {late, little}} {
		if _, err := c.awaitMarkers(ctx, wait.markers, wait.patience); err != nil {
			return err
		}
		if !reverting && c.trial.lost != "" {
			return errAgain
		}
	}
	return nil
}

// awaitMarkers returns those of the markers that are missing when none has come
// for the given time, or as soon as what is on trial is lost.
func (c *Converger) awaitMarkers(ctx context.Context, markers []sonic.Marker, patience time.Duration) ([]sonic.Marker, error) {
	if len(markers) == 0 || !c.judged() {
		return c.session.markers.Await(ctx, markers, patience)
	}
	for late := time.Now().Add(patience); ; {
		missing, err := c.session.markers.Missing(ctx, markers)
		if err != nil || len(missing) == 0 {
			return nil, err
		}
		now := time.Now()
		if len(missing) < len(markers) {
			late = now.Add(patience)
		}
		if markers = missing; !now.Before(late) || c.lost(ctx, now) {
			return missing, nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-c.session.markers.Events():
		case <-time.After(min(c.trial.pause, late.Sub(now))):
		}
	}
}
