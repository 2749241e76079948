package metrics

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// minPause is how long after a file was written it is written again at the
// earliest: Prometheus looks every 15 s or more seldom.
const minPause = 5 * time.Second

// WriteFile keeps a file current until ctx is done: one that node_exporter's
// textfile collector reads, so its name has to end in .prom. It is written when
// anything has changed.
func (s *Set) WriteFile(ctx context.Context, name string, log *slog.Logger) {
	s.writeFile(ctx, name, minPause, log)
}

func (s *Set) writeFile(ctx context.Context, name string, pause time.Duration, log *slog.Logger) {
	failed := false
	for {
		err := replace(name, s.Text())
		if err != nil && !failed {
			log.Warn("the metrics cannot be written; it is tried again", "file", name, "error", err)
		} else if err == nil && failed {
			log.Info("the metrics can be written again", "file", name)
		}
		failed = err != nil
		if ctx.Err() != nil {
			return // with what was last in the file
		}
		wait(ctx, pause)
		if failed {
			continue
		}
		select {
		case <-s.changed:
		case <-ctx.Done():
		}
	}
}

func wait(ctx context.Context, pause time.Duration) {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// replace writes a file so that a reader sees the old or the new text, whole.
// After a power cut it may be gone: it is written anew at the start.
func replace(name string, text []byte) error {
	temporary := filepath.Join(filepath.Dir(name), "."+filepath.Base(name)+".new")
	if err := os.WriteFile(temporary, text, 0o644); err != nil {
		return err
	}
	return os.Rename(temporary, name)
}

// timeouts of the server: a scrape is a short question with a short answer.
const httpTimeout = 10 * time.Second

// Listen opens the address at which Serve answers, such as 127.0.0.1:9470.
func Listen(address string) (net.Listener, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("metrics: %w", err)
	}
	return listener, nil
}

// Serve answers GET /metrics until ctx is done.
func (s *Set) Serve(ctx context.Context, listener net.Listener) error {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", s)
	server := &http.Server{
		Handler: mux, ReadTimeout: httpTimeout, WriteTimeout: httpTimeout, IdleTimeout: time.Minute, MaxHeaderBytes: 1 << 14,
	}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	err := server.Serve(listener)
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("serve the metrics at %s: %w", listener.Addr(), err)
}

// ServeHTTP answers with all metrics.
func (s *Set) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	_, _ = w.Write(s.Text()) // whoever asked may be gone
}
