package forwarding

import (
	"context"
	"log/slog"
	"sync"
	"testing"
)

// journal keeps what a data plane says that it changed.
type journal struct {
	testing.TB
	mu      sync.Mutex
	changed []string
}

func (j *journal) Enabled(context.Context, slog.Level) bool { return true }
func (j *journal) WithAttrs([]slog.Attr) slog.Handler       { return j }
func (j *journal) WithGroup(string) slog.Handler            { return j }

func (j *journal) Handle(_ context.Context, r slog.Record) error {
	text := r.Message
	r.Attrs(func(a slog.Attr) bool { text += " " + a.String(); return true })
	j.mu.Lock()
	defer j.mu.Unlock()
	if r.Level == slog.LevelDebug {
		j.changed = append(j.changed, text)
	}
	if r.Level > slog.LevelDebug || testing.Verbose() {
		j.Log(r.Time.Format("04:05.000 ") + text)
	}
	return nil
}

func (j *journal) changes() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(j.changed)
}

func (j *journal) last() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.changed[len(j.changed)-1]
}
