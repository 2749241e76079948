package main_test

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/switchlet/switchlet/deploy/lab/labtest"
	"github.com/switchlet/switchlet/deploy/lab/repo"
	"github.com/switchlet/switchlet/deploy/lab/state"
)

// TestMain gives the tests a folder of labs of their own: they do not touch the
// lab of the same name that somebody else has.
func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "labs")
	if err == nil {
		err = os.Setenv("SWITCHLET_LAB_DIR", dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	if err := os.RemoveAll(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// lab is the program under test, and a lab of it.
type lab struct {
	program, programs, name string
	cgroups                 []string // that the machine had before
}

// containerdCgroups are where a containerd puts containers by itself.
func containerdCgroups(t *testing.T) []string {
	t.Helper()
	found, err := filepath.Glob("/sys/fs/cgroup/*/k8s.io")
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// newLab builds the program. The lab is down when the test ends. With product
// the nodes run the real agent and controller, else programs that only wait.
func newLab(t *testing.T, name string, product bool) lab {
	t.Helper()
	if testing.Short() {
		t.Skip("starts whole labs")
	}
	if os.Geteuid() != 0 {
		labtest.Missing(t, "a lab needs root")
	}
	labtest.Program(t, "containerd", "containerd")
	labtest.Program(t, "redis-server", "redis-server")
	labtest.Kubernetes(t)

	dir := t.TempDir()
	l := lab{program: filepath.Join(dir, "lab"), programs: dir, name: name, cgroups: containerdCgroups(t)}
	build(t, "./deploy/lab", l.program)
	for program, source := range map[string]string{"agent": "./agent", "host-agent": "./cni/host", "switchlet": "./cni", "controller": "./controller"} {
		if !product {
			source = "./images/pause"
		}
		build(t, source, filepath.Join(dir, program))
	}
	t.Cleanup(func() { l.must(t, "down") })
	return l
}

func build(t *testing.T, source, program string) {
	t.Helper()
	root, err := repo.Root()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", program, source)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", source, err, output)
	}
}

func (l lab) command(command string, args ...string) *exec.Cmd {
	line := []string{command, "--name", l.name}
	if command == "up" || command == "demo" {
		line = append(line, "--programs", l.programs)
	}
	return exec.Command(l.program, append(line, args...)...)
}

func (l lab) run(command string, args ...string) (string, error) {
	output, err := l.command(command, args...).CombinedOutput()
	return string(output), err
}

func (l lab) must(t *testing.T, command string, args ...string) string {
	t.Helper()
	output, err := l.run(command, args...)
	if err != nil {
		t.Fatalf("lab %s: %v\n%s", command, err, output)
	}
	return output
}

// start starts a command and returns once it has said something.
func (l lab) start(t *testing.T, until, command string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := l.command(command, args...)
	output := &watcher{until: until, seen: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = output, output
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-output.seen:
	case <-time.After(2 * time.Minute):
		t.Fatalf("lab %s did not say %q, but:\n%s", command, until, output)
	}
	return cmd
}

// watcher keeps what a command says and tells when it has said something.
type watcher struct {
	mu    sync.Mutex
	text  bytes.Buffer
	until string
	once  sync.Once
	seen  chan struct{}
}

func (w *watcher) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.text.Write(p)
	if strings.Contains(w.text.String(), w.until) {
		w.once.Do(func() { close(w.seen) })
	}
	return len(p), nil
}

func (w *watcher) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}

// trace is what a lab may leave behind.
type trace struct {
	record     state.Lab
	namespaces map[string]bool
	cgroups    []string
}

// trace looks at a lab that runs.
func (l lab) trace(t *testing.T) trace {
	t.Helper()
	record, err := state.Load(l.name)
	if err != nil {
		t.Fatal(err)
	}
	tr := trace{record: record, namespaces: map[string]bool{}, cgroups: l.cgroups}
	for _, kind := range []string{"net", "mnt", "pid"} {
		name, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/%s", record.Process.Pid, kind))
		if err != nil {
			t.Fatal(err)
		}
		tr.namespaces[name] = true
	}
	return tr
}

// gone checks that nothing is left.
func (tr trace) gone(t *testing.T) {
	t.Helper()
	// The lab's first process is dead; whoever inherited it buries it soon.
	eventually(t, "no process is left", func() bool { return len(tr.processes(t)) == 0 })
	if _, err := net.InterfaceByName(tr.record.HostLink()); err == nil {
		t.Errorf("link %s is left", tr.record.HostLink())
	}
	if _, err := os.Stat(tr.record.Dir); !os.IsNotExist(err) {
		t.Errorf("folder %s is left (%v)", tr.record.Dir, err)
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(mounts, []byte(tr.record.Dir)) {
		t.Errorf("mounts are left below %s", tr.record.Dir)
	}
	if diff := cmp.Diff(tr.cgroups, containerdCgroups(t)); diff != "" {
		t.Errorf("containerd's cgroups (-before +after):\n%s", diff)
	}
	for _, pattern := range []string{"/sys/fs/cgroup", "/sys/fs/cgroup/*"} {
		if left, _ := filepath.Glob(pattern + tr.record.Cgroup()); len(left) > 0 {
			t.Errorf("cgroups left: %v", left)
		}
	}
}

// processes are those in the lab's namespaces, or with its folder in their
// command line.
func (tr trace) processes(t *testing.T) []string {
	t.Helper()
	folders, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		t.Fatal(err)
	}
	var left []string
	for _, folder := range folders {
		line, _ := os.ReadFile(folder + "/cmdline") // empty if it is gone
		inside := bytes.Contains(line, []byte(tr.record.Dir+"/"))
		for _, kind := range []string{"net", "mnt", "pid"} {
			name, _ := os.Readlink(folder + "/ns/" + kind)
			inside = inside || tr.namespaces[name]
		}
		if inside {
			left = append(left, folder+" "+strings.ReplaceAll(string(line), "\x00", " "))
		}
	}
	return left
}

// eventually waits for a condition.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !condition(); {
		if time.Now().After(deadline) {
			t.Fatalf("not within a minute: %s", what)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// kubectl runs kubectl with what `lab env` prints, as a shell would.
func (l lab) kubectl(t *testing.T, args string) string {
	t.Helper()
	script := `eval "$("$0" env --name "$1")" && kubectl ` + args
	output, err := exec.CommandContext(t.Context(), "sh", "-c", script, l.program, l.name).CombinedOutput()
	if err != nil {
		t.Fatalf("kubectl %s: %v\n%s", args, err, output)
	}
	return string(output)
}
