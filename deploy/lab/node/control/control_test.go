package control_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/switchlet/switchlet/deploy/lab/node/control"
)

// serve is a client of a server that ends with the test.
func serve(t *testing.T) control.Client {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "s")
	ctx, cancel := context.WithCancel(t.Context())
	done, booted := make(chan error, 1), make(chan struct{})
	close(booted)
	go func() { done <- control.Serve(ctx, socket, booted, slog.New(slog.DiscardHandler)) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	eventually(t, "the server listens", func() bool {
		connection, err := net.Dial("unix", socket)
		return err == nil && connection.Close() == nil
	})
	return control.NewClient(socket)
}

func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !condition(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within 20 s: %s", what)
		}
	}
}

func TestExec(t *testing.T) {
	client := serve(t)
	for _, test := range []struct {
		name, command, in, out, err string
		code                        int
	}{
		{name: "what it prints", command: "echo a; echo b >&2", out: "a\n", err: "b\n"},
		{name: "its exit code", command: "exit 7", code: 7},
		{name: "what it is told", command: "cat", in: "hello", out: "hello"},
		{name: "it need not listen", command: "true", in: strings.Repeat("x", 1<<20)},
		{name: "a signal, as a shell has it", command: "kill -9 $$", code: 137},
		{name: "much", command: "head -c 300000 /dev/zero | tr '\\0' x", out: strings.Repeat("x", 300000)},
	} {
		t.Run(test.name, func(t *testing.T) {
			var out, errors bytes.Buffer
			code, err := client.Exec(t.Context(), control.Streams{In: strings.NewReader(test.in), Out: &out, Err: &errors}, "sh", "-c", test.command)
			if err != nil {
				t.Fatal(err)
			}
			if code != test.code || out.String() != test.out || errors.String() != test.err {
				t.Errorf("%s: code %d, stdout %.50q, stderr %q, want %d, %.50q, %q", test.command, code, out.String(), errors.String(), test.code, test.out, test.err)
			}
		})
	}
}

func TestExecOfAProgramThatIsNotThere(t *testing.T) {
	var errors bytes.Buffer
	code, err := serve(t).Exec(t.Context(), control.Streams{Out: io.Discard, Err: &errors}, "no-such-program")
	if err != nil || code != 127 || !strings.Contains(errors.String(), "no-such-program") {
		t.Errorf("code %d, %v, stderr %q, want 127 and its name", code, err, errors.String())
	}
}

// A command does not outlive the one who wanted it.
func TestExecEndsWithItsCaller(t *testing.T) {
	client := serve(t)
	file := filepath.Join(t.TempDir(), "alive")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error, 1)
	reader, writer := io.Pipe()
	defer writer.Close()
	go func() {
		_, err := client.Exec(ctx, control.Streams{In: reader, Out: io.Discard, Err: io.Discard}, "sh", "-c", "touch "+file+"; cat; rm "+file)
		done <- err
	}()
	eventually(t, "the command runs", func() bool { _, err := os.Stat(file); return err == nil })
	cancel()
	if err := <-done; err == nil {
		t.Error("Exec() of a command that was given up is nil")
	}
	eventually(t, "nothing of it is left", func() bool { return !running(t, file) })
}

// running says whether a process has this text in its command line.
func running(t *testing.T, text string) bool {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		line, _ := os.ReadFile(file) // empty if it is gone
		if bytes.Contains(line, []byte(text)) {
			return true
		}
	}
	return false
}

// A program runs until it is stopped, is started again when it is killed, and finds
// the files that it was given.
func TestProgram(t *testing.T) {
	client, dir := serve(t), t.TempDir()
	log, file := filepath.Join(dir, "log"), filepath.Join(dir, "sub/token")
	name := "prog" + filepath.Base(filepath.Dir(dir))[:6] // a name that no other process has
	path := filepath.Join(dir, name)
	sleep, err := os.ReadFile("/bin/sleep")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, sleep, 0o755); err != nil {
		t.Fatal(err)
	}
	lines := func() string {
		text, _ := os.ReadFile(log) // empty until it is there
		return string(text)
	}
	// It says which process it is, and becomes the one of the name.
	program := control.Program{
		Path: "/bin/sh", Args: []string{"-c", "cat " + file + "; echo $GREETING; exec " + path + " 600"},
		Env: []string{"GREETING=hello"}, Files: map[string]string{file: "secret "}, Log: log,
	}
	if err := client.Run(t.Context(), "p", program); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it runs", func() bool { return lines() == "secret hello\n" && running(t, path) })
	eventually(t, "it can be killed", func() bool { return client.Signal(t.Context(), name, "KILL") == nil })
	eventually(t, "it runs again", func() bool { return lines() == "secret hello\nsecret hello\n" })
	if err := client.Stop(t.Context(), "p"); err != nil {
		t.Fatal(err)
	}
	if running(t, path) {
		t.Error("a program runs that was stopped")
	}
	if err := client.Stop(t.Context(), "p"); err != nil {
		t.Errorf("Stop() of a program that does not run: %v", err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%s: %v, %v, want a file for root alone", file, info, err)
	}
}

func TestSignalSaysWhatIsWrong(t *testing.T) {
	client := serve(t)
	if err := client.Signal(t.Context(), "no-such-name", "KILL"); err == nil || !strings.Contains(err.Error(), "no process is called no-such-name") {
		t.Errorf("Signal() to nobody = %v", err)
	}
	if err := client.Signal(t.Context(), "x", "LOUD"); err == nil || !strings.Contains(err.Error(), `no signal "LOUD"`) {
		t.Errorf("Signal(LOUD) = %v", err)
	}
}
