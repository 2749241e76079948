package process

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"
)

// poll is how often a condition is looked at: often enough not to be noticed.
const poll = 20 * time.Millisecond

// WaitReady waits until probe returns nil. It fails as soon as the program has
// ended, with the end of its log, or when ctx is done, with what the last probe
// said.
func (p *Process) WaitReady(ctx context.Context, probe func(context.Context) error) error {
	for {
		begin := time.Now()
		err := probe(ctx)
		if err == nil {
			return nil
		}
		select {
		// A probe that takes long must not starve what it waits for.
		case <-time.After(max(poll, 2*time.Since(begin))):
		case <-p.done:
			return fmt.Errorf("%s ended while it was starting (%s); the end of its log %s:\n%s",
				p.name, ending(p.err), p.log, Tail(p.log, 15))
		case <-ctx.Done():
			return fmt.Errorf("%s is not ready: %w; the end of its log %s:\n%s",
				p.name, errors.Join(err, context.Cause(ctx)), p.log, Tail(p.log, 15))
		}
	}
}

// Answers is a probe: whether somebody answers at a Unix socket. The file alone may be
// that of a program that has ended.
func Answers(socket string) func(context.Context) error {
	return func(ctx context.Context) error {
		connection, err := new(net.Dialer).DialContext(ctx, "unix", socket)
		if err != nil {
			return err
		}
		return connection.Close()
	}
}

func ending(err error) string {
	if err == nil {
		return "exit code 0"
	}
	return err.Error()
}

// Tail returns the last lines of a log file, for a message to a person.
func Tail(file string, lines int) string {
	const most = 64 << 10
	if info, err := os.Stat(file); err == nil && !info.Mode().IsRegular() {
		return "(it goes to " + file + ")" // a terminal has no end
	}
	f, err := os.Open(file)
	if err != nil {
		return err.Error()
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.Size() > most {
		if _, err := f.Seek(-most, io.SeekEnd); err != nil {
			return err.Error()
		}
	}
	text, err := io.ReadAll(io.LimitReader(f, most))
	if err != nil {
		return err.Error()
	}
	all := strings.Split(strings.TrimRight(string(text), "\n"), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
