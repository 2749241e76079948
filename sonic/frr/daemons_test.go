package frr

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/switchlet/switchlet/deploy/lab/labtest"
)

// release is an FRR that runs on this machine.
type release struct {
	// argv is what runs one of its programs.
	argv func(program string, args ...string) []string
	// daemons in the order in which SONiC's supervisor starts them.
	daemons []string
}

// onEach runs a test with each release that SONiC's ones are between.
func onEach(t *testing.T, test func(*testing.T, release)) {
	t.Run("frr8", func(t *testing.T) { test(t, eight(t)) })
	t.Run("frr10", func(t *testing.T) { test(t, ten(t)) })
}

// eight is Debian 12's, which is installed.
func eight(t testing.TB) release {
	t.Helper()
	labtest.Program(t, "vtysh", "frr")
	return release{
		argv:    func(program string, args ...string) []string { return append([]string{program}, args...) },
		daemons: []string{"zebra", "bfdd", "staticd", "bgpd"},
	}
}

// ten has mgmtd, which zebra and staticd have their configuration from.
func ten(t testing.TB) release {
	t.Helper()
	return release{argv: labtest.FRR10(t).Argv, daemons: []string{"mgmtd", "zebra", "bfdd", "staticd", "bgpd"}}
}

// router is the real FRR, alone in a network namespace.
type router struct {
	release
	namespace string // also FRR's name for what it keeps apart
	dir       string // of the sockets
}

// start starts FRR's daemons; they end with the test. Interfaces are pairs of veth that
// stay in the namespace.
func (f release) start(t testing.TB, interfaces ...string) *router {
	t.Helper()
	if os.Geteuid() != 0 {
		labtest.Missing(t, "FRR's daemons and network namespaces need root")
	}
	labtest.Program(t, "ip", "iproute2")
	labtest.Program(t, "nsenter", "util-linux")
	dir := runDir(t)
	r := &router{release: f, namespace: filepath.Base(dir), dir: dir}
	ip(t, "netns", "add", r.namespace)
	t.Cleanup(func() { ip(t, "netns", "delete", r.namespace) })
	ip(t, "-n", r.namespace, "link", "set", "lo", "up")
	for _, name := range interfaces {
		ip(t, "-n", r.namespace, "link", "add", name, "type", "veth", "peer", "name", name+"p")
		ip(t, "-n", r.namespace, "link", "set", name, "up")
		ip(t, "-n", r.namespace, "link", "set", name+"p", "up")
	}
	for _, daemon := range f.daemons {
		r.run(t, daemon)
	}
	return r
}

// runDir is a folder of FRR's user where its daemons have what they run with.
func runDir(t testing.TB) string {
	t.Helper()
	frr, err := user.Lookup("frr")
	if err != nil {
		labtest.Missing(t, "%v: apt-get install frr", err)
	}
	const all = "/run/frr"
	if err := os.MkdirAll(all, 0o755); err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp(all, "switchlet-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	uid, err1 := strconv.Atoi(frr.Uid)
	gid, err2 := strconv.Atoi(frr.Gid)
	if err := errors.Join(err1, err2, os.Chmod(dir, 0o755), os.Chown(dir, uid, gid)); err != nil {
		t.Fatal(err)
	}
	return dir
}

func ip(t testing.TB, args ...string) {
	t.Helper()
	if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
		t.Fatalf("ip %v: %v: %s", args, err, out)
	}
}

// run starts a daemon and waits until it answers.
func (r *router) run(t testing.TB, daemon string) {
	t.Helper()
	var said bytes.Buffer
	argv := r.argv(filepath.Join("/usr/lib/frr", daemon), "-N", r.namespace, "--log", "file:"+filepath.Join(r.dir, daemon+".log"), "-P", "0")
	cmd := exec.Command("nsenter", append([]string{"--net=/run/netns/" + r.namespace}, argv...)...)
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	deadline := time.Now().Add(10 * time.Second)
	for {
		_, err := Sockets{Dir: r.dir}.Show(t.Context(), daemon, "show version")
		if err == nil {
			t.Cleanup(func() { r.stop(t, daemon, cmd, ended) })
			return
		}
		select {
		case err := <-ended:
			t.Fatalf("%s ended: %v: %s", daemon, err, said.String())
		case <-time.After(10 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			_ = cmd.Process.Kill()
			<-ended
			t.Fatalf("%s does not answer: %v", daemon, err)
		}
	}
}

// stop ends a daemon. One that ended by itself crashed.
func (r *router) stop(t testing.TB, daemon string, cmd *exec.Cmd, ended chan error) {
	select {
	case err := <-ended:
		log, _ := os.ReadFile(filepath.Join(r.dir, daemon+".log"))
		t.Errorf("%s ended before the test: %v\n%s", daemon, err, log)
		return
	default:
	}
	_ = cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-ended:
	case <-time.After(5 * time.Second):
		_ = cmd.Process.Kill()
		<-ended
	}
}

// vtysh is a shell by FRR's own one.
func (r *router) vtysh() Vtysh {
	return Vtysh{Exec: r.exec, Options: []string{"--vty_socket", r.dir}}
}

// exec is an Exec where the release is.
func (r *router) exec(ctx context.Context, argv []string, stdin string) (Output, error) {
	return run(ctx, r.argv(argv[0], argv[1:]...), stdin)
}

// run is an Exec on this machine, without a terminal as in SONiC's container.
func run(ctx context.Context, argv []string, stdin string) (Output, error) {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env = append(os.Environ(), "TERM=")
	var out, problems bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader([]byte(stdin)), &out, &problems
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		err = nil
	}
	return Output{Stdout: out.String(), Stderr: problems.String(), Status: cmd.ProcessState.ExitCode()}, err
}

func discard() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }
