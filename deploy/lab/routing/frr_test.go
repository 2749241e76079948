package routing

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/switchlet/switchlet/deploy/lab/process"
)

// played is FRR whose daemons are other programs. Each that is started can be read from
// started.
func played(t *testing.T, start func(name string) error) (frr *FRR, started chan *process.Process) {
	frr, started = New("leaf1", slog.New(slog.DiscardHandler)), make(chan *process.Process, 10)
	frr.pause, frr.daemons = 0, []string{"zebra", "bgpd"}
	frr.start = func(_ context.Context, name string) (*process.Process, error) {
		if err := start(name); err != nil {
			return nil, err
		}
		p, err := process.Start(process.Program{Name: name, Path: "sleep", Args: []string{"60"}, Log: filepath.Join(t.TempDir(), "log")})
		if err == nil {
			started <- p
			t.Cleanup(func() { _ = p.Kill() })
		}
		return p, err
	}
	return frr, started
}

func always(string) error { return nil }

// keep runs FRR until the test ends, and gives its first two daemons.
func keep(t *testing.T, frr *FRR, started chan *process.Process) (zebra, bgpd *process.Process) {
	t.Helper()
	running, err := frr.startAll(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		frr.keep(ctx, running)
		close(done)
	}()
	t.Cleanup(func() { stop(); <-done })
	return <-started, <-started
}

func names(processes ...*process.Process) (list []string) {
	for _, p := range processes {
		list = append(list, p.Name())
	}
	return list
}

// A daemon that ends takes the other one with it, and zebra is there before bgpd.
func TestDaemonsEndTogether(t *testing.T) {
	for _, killed := range []string{"zebra", "bgpd"} {
		t.Run(killed, func(t *testing.T) {
			frr, started := played(t, always)
			zebra, bgpd := keep(t, frr, started)
			if err := map[string]*process.Process{"zebra": zebra, "bgpd": bgpd}[killed].Kill(); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{"zebra", "bgpd"}, names(<-started, <-started)); diff != "" {
				t.Error(diff)
			}
			<-zebra.Done() // or they run beside the new ones
			<-bgpd.Done()
		})
	}
}

func TestRestart(t *testing.T) {
	frr, started := played(t, always)
	frr.Restart()
	frr.Restart() // is the same one: nobody has taken it up yet
	zebra, bgpd := keep(t, frr, started)
	<-zebra.Done()
	<-bgpd.Done()
	if diff := cmp.Diff([]string{"zebra", "bgpd"}, names(<-started, <-started)); diff != "" {
		t.Error(diff)
	}
}

// A bgpd that does not start leaves no zebra behind, and both are tried again.
func TestStartIsTriedAgain(t *testing.T) {
	var refused atomic.Bool
	frr, started := played(t, func(name string) error {
		if name == "bgpd" && refused.CompareAndSwap(true, false) {
			return errors.New("no room")
		}
		return nil
	})
	zebra, _ := keep(t, frr, started)
	refused.Store(true)
	if err := zebra.Kill(); err != nil {
		t.Fatal(err)
	}
	alone := <-started
	if diff := cmp.Diff([]string{"zebra", "zebra", "bgpd"}, names(alone, <-started, <-started)); diff != "" {
		t.Error(diff)
	}
	<-alone.Done()
}
