package main_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/switchlet/switchlet/deploy/lab/state"
	"github.com/switchlet/switchlet/lldp/frame"
)

// timeline is what happened in a lab, and when.
type timeline struct {
	mu     sync.Mutex
	events []happened
}

type happened struct {
	at   time.Time
	what string
}

// timeline begins to note what the API server says of cables, and what a host hears.
func (l lab) timeline(t *testing.T, host string) *timeline {
	t.Helper()
	tl := &timeline{}
	const heard = `{.status.neighbors[*].port} <- {.status.neighbors[*].systemName} {.status.neighbors[*].portID}, stale: {.status.neighbors[?(@.stale==true)].port}`
	for kind, path := range map[string]string{
		"hosts":         heard,
		"switches":      heard,
		"links":         `{.status.state}`,
		"switchconfigs": `{.spec.segments[*].ports[*].name}`,
	} {
		tl.watch(t, l, kind, path)
	}
	tl.listen(t, l, host)
	return tl
}

func (tl *timeline) add(what string) {
	tl.mu.Lock()
	defer tl.mu.Unlock()
	tl.events = append(tl.events, happened{time.Now(), what})
}

// since are the events from a moment on, with the time that has passed since then.
func (tl *timeline) since(begin time.Time) string {
	tl.mu.Lock()
	defer tl.mu.Unlock()
	var text strings.Builder
	for _, e := range tl.events {
		if !e.at.Before(begin) {
			fmt.Fprintf(&text, "%8s %s\n", e.at.Sub(begin).Round(10*time.Millisecond), e.what)
		}
	}
	return text.String()
}

// first is when something was noted after a moment; zero if it was not.
func (tl *timeline) first(after time.Time, what string) time.Time {
	tl.mu.Lock()
	defer tl.mu.Unlock()
	for _, e := range tl.events {
		if e.at.After(after) && e.what == what {
			return e.at
		}
	}
	return time.Time{}
}

// watch notes each change of the objects of a kind.
func (tl *timeline) watch(t *testing.T, l lab, kind, path string) {
	t.Helper()
	script := `eval "$("$0" env --name "$1")" && exec kubectl get ` + kind + ` --watch -o 'jsonpath=` + kind + ` {.metadata.name}: ` + path + `{"\n"}'`
	cmd := exec.CommandContext(t.Context(), "sh", "-c", script, l.program, l.name)
	output, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Wait() }) // its context is done by now
	last := map[string]string{}
	go func() {
		for lines := bufio.NewScanner(output); lines.Scan(); {
			name, _, _ := strings.Cut(lines.Text(), ":")
			if last[name] != lines.Text() {
				last[name] = lines.Text()
				tl.add(lines.Text())
			}
		}
	}()
}

// listen notes who a host hears by LLDP: "host1 hears leaf1 etp1".
func (tl *timeline) listen(t *testing.T, l lab, host string) {
	t.Helper()
	record, err := state.Load(l.name)
	if err != nil {
		t.Fatal(err)
	}
	node, err := record.Node(host)
	if err != nil {
		t.Fatal(err)
	}
	fd, err := listenIn(record.Namespace(node))
	if err != nil {
		t.Fatalf("listen on %s: %v", host, err)
	}
	done := make(chan struct{})
	t.Cleanup(func() {
		_ = unix.Shutdown(fd, unix.SHUT_RDWR)
		<-done
		unix.Close(fd)
	})
	go func() {
		defer close(done)
		raw := make([]byte, 2048)
		for t.Context().Err() == nil {
			n, err := unix.Read(fd, raw) // which ends after a while
			if f, decodeErr := frame.Decode(raw[min(14, max(n, 0)):max(n, 0)]); err == nil && n > 14 && decodeErr == nil {
				tl.add(fmt.Sprintf("%s hears %s %s", host, f.SystemName, f.PortID.ID))
			}
		}
	}()
}

// listenIn opens a socket for LLDP on all links of a network namespace. A read ends
// after a tenth of a second.
func listenIn(namespace string) (fd int, err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // and never unlocked: the thread ends in that namespace
		var file *os.File
		if file, err = os.Open(namespace); err != nil {
			return
		}
		defer file.Close()
		if err = unix.Setns(int(file.Fd()), unix.CLONE_NEWNET); err != nil {
			return
		}
		const lldp = 0xcc88 // 0x88cc in network byte order
		if fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, lldp); err != nil {
			return
		}
		err = unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Usec: 100_000})
	}()
	<-done
	return fd, err
}
