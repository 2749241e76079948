package docker_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/switchlet/switchlet/sonic/docker"
	"github.com/switchlet/switchlet/sonic/docker/dockertest"
)

const container = dockertest.Container

// What "docker exec -i" does, on a real daemon.
func TestExec(t *testing.T) {
	d := dockertest.Start(t)
	d.StartFRR(t)
	engine := docker.New(d.Socket)
	for _, test := range []struct {
		name  string
		argv  []string
		stdin string
		want  docker.Output
	}{
		{"both outputs and a status", []string{"sh", "-c", "echo out; echo problem >&2; exit 3"}, "", docker.Output{Stdout: "out\n", Stderr: "problem\n", Status: 3}},
		{"input and its end", []string{"cat"}, "one\ntwo\n", docker.Output{Stdout: "one\ntwo\n"}},
		{"large input", []string{"cat"}, strings.Repeat("0123456789abcde\n", 1<<16), docker.Output{Stdout: strings.Repeat("0123456789abcde\n", 1<<16)}},
		{"input that nobody reads", []string{"sh", "-c", "exit 1"}, strings.Repeat("much\n", 1<<18), docker.Output{Status: 1}},
		{"no input", []string{"cat"}, "", docker.Output{}},
		{"killed", []string{"sh", "-c", "kill -9 $$"}, "", docker.Output{Status: 137}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := engine.Exec(t.Context(), container, test.argv, test.stdin)
			if err != nil || got != test.want {
				t.Errorf("got status %d, %.100q, %.100q, %v", got.Status, got.Stdout, got.Stderr, err)
			}
		})
	}
	t.Run("vtysh", func(t *testing.T) {
		begin := time.Now()
		got, err := engine.Exec(t.Context(), container, []string{"vtysh", "-c", "show version"}, "")
		if err != nil || got.Status != 0 || !strings.Contains(got.Stdout, "FRRouting") {
			t.Errorf("got %+v, %v", got, err)
		}
		t.Logf("took %v", time.Since(begin))
	})
	t.Run("failures", func(t *testing.T) { failures(t, d, engine) })
}

// Each failure says what was to be run, where, and what is wrong, and nothing of
// the program's arguments.
func failures(t *testing.T, d *dockertest.Daemon, engine *docker.Engine) {
	fails := func(what, container, program string, want ...string) {
		t.Helper()
		got, err := engine.Exec(t.Context(), container, []string{program, "password"}, "password\n")
		if err == nil {
			t.Fatalf("%s: got %+v", what, got)
		}
		for _, text := range append(want, program, "container "+container, d.Socket) {
			if !strings.Contains(err.Error(), text) || strings.Contains(err.Error(), "password") {
				t.Errorf("%s: %v\nwant %q", what, err, text)
			}
		}
		t.Log(err)
	}
	fails("no such container", "bgp0", "vtysh", "No such container: bgp0")
	fails("a name that is a path", "../version", "vtysh", "ersion")
	fails("no such program", container, "vtysh0", "could not be started", "executable file not found")

	d.Docker(t, "pause", container)
	fails("paused", container, "vtysh", "is paused")
	d.Docker(t, "unpause", container)
	d.Docker(t, "stop", "--time", "0", container)
	fails("stopped", container, "vtysh", "is not running")
	d.Docker(t, "start", container)
	d.WaitForFRR(t)
	if got, err := engine.Exec(t.Context(), container, []string{"vtysh", "-c", "show version"}, ""); err != nil || got.Status != 0 {
		t.Errorf("started again: %+v, %v", got, err)
	}
}

// A container that is killed ends what runs in it. A context that is done ends
// the wait, and nothing else.
func TestExecEnds(t *testing.T) {
	d := dockertest.Start(t)
	d.StartFRR(t)
	engine := docker.New(d.Socket)
	t.Run("context", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		begin := time.Now()
		_, err := engine.Exec(ctx, container, []string{"sleep", "60"}, "")
		if err == nil || !strings.Contains(err.Error(), "deadline exceeded") || time.Since(begin) > 5*time.Second {
			t.Errorf("%v after %v", err, time.Since(begin))
		}
		if got, err := engine.Exec(t.Context(), container, []string{"vtysh", "-c", "show version"}, ""); err != nil || got.Status != 0 {
			t.Errorf("FRR afterwards: %+v, %v", got, err)
		}
	})
	t.Run("container", func(t *testing.T) {
		type result struct {
			out docker.Output
			err error
		}
		ended := make(chan result, 1)
		go func() {
			out, err := engine.Exec(t.Context(), container, []string{"sh", "-c", "echo > /tmp/runs; exec sleep 60"}, "")
			ended <- result{out, err}
		}()
		for running := false; !running; {
			out, err := engine.Exec(t.Context(), container, []string{"sh", "-c", "test -e /tmp/runs"}, "")
			running = err == nil && out.Status == 0
		}
		d.Docker(t, "kill", container)
		got := <-ended
		if got.err == nil && got.out.Status == 0 {
			t.Errorf("it went well: %+v", got.out)
		}
		t.Logf("%+v, %v", got.out, got.err)
	})
}
