package serve

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/switchlet/switchlet/deploy/lab/matrix"
	"github.com/switchlet/switchlet/deploy/lab/matrix/watch"
)

// ErrRestless says that flows go on losing packets.
var ErrRestless = errors.New("packets are still lost")

// lookEvery is the time between two looks at the flows of a watch.
const lookEvery = 200 * time.Millisecond

// Calm waits until the flows of a watch that count have all come, and lost nothing for the
// time quiet. The error is ErrRestless if that is not so within limit.
func (c *Client) Calm(ctx context.Context, quiet, limit time.Duration, counts func(watch.Flow) bool) error {
	type direction struct {
		pair matrix.Pair
		ipv6 bool
	}
	begin, since := time.Now(), time.Now()
	before := map[direction]uint64{}
	for time.Since(since) < quiet {
		report, err := c.Report(ctx)
		if err != nil {
			return err
		}
		for _, f := range report.Flows {
			key := direction{f.Pair, f.IPv6}
			lost, seen := before[key]
			before[key] = f.Lost
			if counts(f) && (!seen || f.Lost > lost || f.Received == 0) {
				since = time.Now()
			}
		}
		if time.Since(begin) > limit {
			return fmt.Errorf("%w after %v\n%s", ErrRestless, limit, report.Text())
		}
		select {
		case <-time.After(lookEvery):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}
