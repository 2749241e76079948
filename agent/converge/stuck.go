package converge

import (
	"context"
	"time"

	"github.com/switchlet/switchlet/sonic"
)

// stuck are rows whose deletion a daemon has not followed in time, and when to
// try again.
type stuck struct {
	rows     sonic.Stuck
	until    map[sonic.Key]time.Time
	failures map[sonic.Key]int
	retry    time.Duration // the first pause
}

const (
	// retryPart of the patience is the first pause before something that a
	// daemon did not follow is tried again.
	retryPart = 2
	// maxRetry is the longest of them.
	maxRetry = 10 * time.Minute
)

// retryPause grows with the number of failures.
func retryPause(first time.Duration, failures int) time.Duration {
	return jitter(min(first<<min(failures, 16), maxRetry))
}

// add leaves alone the rows whose markers did not come. before has the rows as
// they were.
func (s *stuck) add(missing []sonic.Marker, before sonic.DB, now time.Time) {
	if s.rows == nil {
		s.rows, s.until, s.failures = sonic.Stuck{}, map[sonic.Key]time.Time{}, map[sonic.Key]int{}
	}
	for _, marker := range missing {
		key := marker.Row
		if _, known := s.rows[key]; known {
			continue
		}
		s.rows[key] = sonic.StuckRow{Fields: before[key], Marker: marker}
		s.until[key] = now.Add(retryPause(s.retry, s.failures[key]))
		s.failures[key]++
	}
}

// hold leaves alone a row that one of somebody else's refers to.
func (s *stuck) hold(key, user sonic.Key, fields sonic.Fields, now time.Time) {
	if s.rows == nil {
		s.rows, s.until, s.failures = sonic.Stuck{}, map[sonic.Key]time.Time{}, map[sonic.Key]int{}
	}
	s.rows[key] = sonic.StuckRow{Fields: fields, User: user}
	s.until[key] = now.Add(retryPause(s.retry, s.failures[key]))
	s.failures[key]++
}

// release drops the rows that daemons have let go of by now, and those that it
// is time to try again.
func (s *stuck) release(ctx context.Context, markers marking, now time.Time) error {
	if len(s.rows) == 0 {
		return nil
	}
	var all []sonic.Marker
	held := map[sonic.Key]bool{}
	for key, row := range s.rows {
		if row.User == (sonic.Key{}) {
			all = append(all, row.Marker)
		} else {
			held[key] = true
		}
	}
	missing, err := markers.Missing(ctx, all)
	if err != nil {
		return err
	}
	for _, marker := range missing {
		held[marker.Row] = true
	}
	for key := range s.rows {
		switch {
		case !held[key]:
			delete(s.failures, key)
		case now.Before(s.until[key]):
			continue
		}
		delete(s.rows, key)
		delete(s.until, key)
	}
	return nil
}

// marking looks for markers.
type marking interface {
	Missing(ctx context.Context, markers []sonic.Marker) ([]sonic.Marker, error)
}

// next is when to try again; zero if nothing is stuck.
func (s *stuck) next() time.Time { return earliest(s.until) }

// earliest of some times; zero if there is none.
func earliest[K comparable](times map[K]time.Time) time.Time {
	var first time.Time
	for _, t := range times {
		if first.IsZero() || t.Before(first) {
			first = t
		}
	}
	return first
}
