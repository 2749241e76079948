package box

import (
	"context"
	"sync"

	"github.com/switchlet/switchlet/deploy/lab/swss/live"
)

// Daemons are the stand-in for SONiC's daemons, with their faults and the record
// of writers' mistakes, as long as the box lives; nil with Config.NoDaemons.
func (b *Box) Daemons() *live.Service { return b.daemons }

// startDaemons starts them before there is a Redis: they wait for it, now and
// after every loss.
func (b *Box) startDaemons() (err error) {
	if b.cfg.NoDaemons {
		b.endDaemons = func() error { return nil }
		return nil
	}
	b.daemons, err = live.New(live.Config{
		DatabaseConfig: b.DatabaseConfig(), Daemons: b.cfg.Daemons, Log: b.cfg.DaemonsLog,
	})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- b.daemons.Run(ctx) }()
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
