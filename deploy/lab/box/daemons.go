package box

import (
	"context"
	"sync"

	"github.com/switchlet/switchlet/deploy/lab/swss/live"
)

// Daemons are the stand-in for SONiC's daemons, with their faults and the record
// of writers' mistakes, as long as the box lives; nil with Config.NoDaemons.
func (b *Box) Daemons() *live.Service { return b.daemons }

// startDaemons starts them at the first boot. From then on they wait for Redis
// after every loss.
func (b *Box) startDaemons() error {
	if b.cfg.NoDaemons || b.daemons != nil {
		return nil
	}
	daemons, err := live.New(live.Config{
		DatabaseConfig: b.DatabaseConfig(), Daemons: b.cfg.Daemons, Log: b.cfg.DaemonsLog,
		Plane: b.cfg.Plane, Restarted: b.cfg.DaemonsRestarted,
	})
	if err != nil {
		return err
	}
	b.daemons = daemons
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- daemons.Run(ctx) }()
	b.endDaemons = sync.OnceValue(func() error {
		cancel()
		return <-ended
	})
	return nil
}

// quiet waits until the daemons, if there are any, have come to rest.
func (b *Box) quiet(ctx context.Context) error {
	if b.daemons == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	return b.daemons.Quiet(ctx)
}
