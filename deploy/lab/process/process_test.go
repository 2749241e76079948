package process_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/switchlet/switchlet/deploy/lab/process"
)

func start(t *testing.T, script string) *process.Process {
	t.Helper()
	p, err := process.Start(process.Program{
		Name: "script", Path: "sh", Args: []string{"-c", script}, Log: filepath.Join(t.TempDir(), "logs", "script.log"),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Kill(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// logSays is a probe: ready once the log contains the text.
func logSays(p *process.Process, text string) func(context.Context) error {
	return func(context.Context) error {
		log, err := os.ReadFile(p.Log())
		if err == nil && !strings.Contains(string(log), text) {
			err = errors.New("the log does not say " + text)
		}
		return err
	}
}

func TestStopLetsTheProgramEndByItself(t *testing.T) {
	p := start(t, `trap 'echo goodbye; exit 0' TERM; echo ready; while :; do sleep 0.01; done`)
	if err := p.WaitReady(t.Context(), logSays(p, "ready")); err != nil {
		t.Fatal(err)
	}
	if err := p.Stop(10 * time.Second); err != nil {
		t.Fatal(err)
	}
	if got, want := process.Tail(p.Log(), 1), "goodbye"; got != want {
		t.Errorf("last line of the log = %q, want %q", got, want)
	}
	if err := p.Err(); err != nil {
		t.Errorf("Err() = %v, want nil: exit code 0", err)
	}
}

func TestStopKillsWhatDoesNotListen(t *testing.T) {
	p := start(t, `trap '' TERM; echo ready; while :; do sleep 0.01; done`)
	if err := p.WaitReady(t.Context(), logSays(p, "ready")); err != nil {
		t.Fatal(err)
	}
	err := p.Stop(50 * time.Millisecond)
	if err == nil || !strings.Contains(err.Error(), "was killed") {
		t.Errorf("Stop() = %v, want an error that says it was killed", err)
	}
	select {
	case <-p.Done():
	default:
		t.Error("the program still runs after Stop")
	}
}

func TestWaitReadyFailsAtOnceWhenTheProgramEnds(t *testing.T) {
	p := start(t, `echo no such option >&2; exit 3`)
	err := p.WaitReady(t.Context(), func(context.Context) error { return errors.New("not yet") })
	for _, want := range []string{"exit status 3", "no such option", p.Log()} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("WaitReady() = %v, want an error with %q", err, want)
		}
	}
}

func TestWaitReadySaysWhatTheLastProbeSaid(t *testing.T) {
	p := start(t, `exec sleep 60`)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err := p.WaitReady(ctx, func(context.Context) error { return errors.New("port is closed") })
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "port is closed") {
		t.Errorf("WaitReady() = %v, want the deadline and the last probe", err)
	}
}

func TestStartNamesWhatIsMissing(t *testing.T) {
	_, err := process.Start(process.Program{
		Name: "redis-server", Path: "/no/such/redis-server", Log: filepath.Join(t.TempDir(), "log"),
	})
	if err == nil || !strings.Contains(err.Error(), "start redis-server") {
		t.Errorf("Start() = %v, want an error that names redis-server", err)
	}
}
