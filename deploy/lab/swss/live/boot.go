package live

import (
	"errors"

	"github.com/redis/go-redis/v9"

	"github.com/switchlet/switchlet/deploy/lab/swss"
)

// boot stops the daemons, removes their rows, and starts them on what CONFIG_DB
// has, if it is loaded and they are to run.
func (se *session) boot() error {
	se.s.daemons.Stop()
	se.s.daemons.Writes()
	if err := se.forward(); err != nil {
		return err
	}
	if err := se.clear(); err != nil {
		return err
	}
	value, err := se.s.rdb.Get(se.ctx, initialized).Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		return err
	}
	if value != "1" || se.s.stopped {
		return nil // it will be set, or Start called
	}
	keys, err := se.keys(configDB, nil)
	if err != nil {
		return err
	}
	if se.s.started && se.s.anew != nil {
		se.s.anew()
	}
	se.s.started = true
	return se.s.daemons.Start(keys)
}

// read reads rows of CONFIG_DB at one moment, and waits for the events of
// before that moment.
func (s *Service) read(keys []string) ([]swss.Row, error) {
	se := s.session
	if se == nil {
		return nil, errLost
	}
	s.fences++
	fence := s.fences
	answers := make([]*redis.MapStringStringCmd, len(keys))
	_, err := s.rdb.TxPipelined(se.ctx, func(p redis.Pipeliner) error {
		for i, key := range keys {
			answers[i] = p.HGetAll(se.ctx, key)
		}
		p.Publish(se.ctx, s.fence, fence)
		return nil
	})
	if err != nil && !redis.HasErrorPrefix(err, "WRONGTYPE") {
		return nil, err
	}
	for se.seen < fence {
		message, ok := <-se.messages
		if !ok {
			return nil, errLost
		}
		se.hear(message)
	}
	rows := make([]swss.Row, len(keys))
	for i := range answers {
		if row := answers[i].Val(); len(row) > 0 {
			rows[i] = row
		}
	}
	return rows, nil
}
