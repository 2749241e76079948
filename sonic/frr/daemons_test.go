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

// router is the real FRR, alone in a network namespace.
type router struct {
	namespace string
	dir       string // of the sockets
}

// startFRR starts FRR's daemons; they end with the test. Interfaces are pairs
// of veth that stay in the namespace.
func startFRR(t testing.TB, interfaces ...string) *router {
	t.Helper()
	if os.Geteuid() != 0 {
		labtest.Missing(t, "FRR's daemons and network namespaces need root")
	}
	labtest.Program(t, "vtysh", "frr")
	labtest.Program(t, "ip", "iproute2")
	labtest.Program(t, "nsenter", "util-linux")
	dir := socketDir(t)
	r := &router{namespace: "switchlet-" + filepath.Base(dir), dir: dir}
	ip(t, "netns", "add", r.namespace)
	t.Cleanup(func() { ip(t, "netns", "delete", r.namespace) })
	ip(t, "-n", r.namespace, "link", "set", "lo", "up")
	for _, name := range interfaces {
		ip(t, "-n", r.namespace, "link", "add", name, "type", "veth", "peer", "name", name+"p")
		ip(t, "-n", r.namespace, "link", "set", name, "up")
		ip(t, "-n", r.namespace, "link", "set", name+"p", "up")
	}
	for _, daemon := range []string{"zebra", "bfdd", "staticd", "bgpd"} {
		r.start(t, daemon)
	}
	return r
}

// socketDir is a folder of FRR's user. The path of a socket has to be short.
func socketDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "frr")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	frr, err := user.Lookup("frr")
	if err != nil {
		labtest.Missing(t, "%v: apt-get install frr", err)
	}
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

// start starts a daemon and waits until it answers.
func (r *router) start(t testing.TB, daemon string) {
	t.Helper()
	path := filepath.Join("/usr/lib/frr", daemon)
	if _, err := os.Stat(path); err != nil {
		labtest.Missing(t, "%v: apt-get install frr", err)
	}
	file := func(kind string) string { return filepath.Join(r.dir, daemon+kind) }
	if err := os.WriteFile(file(".conf"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	cmd := exec.Command("nsenter", "--net=/run/netns/"+r.namespace, path, "--vty_socket", r.dir,
		"-i", file(".pid"), "-z", filepath.Join(r.dir, "zserv.api"), "-f", file(".conf"), "--log", "file:"+file(".log"), "-P", "0")
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
	return Vtysh{Exec: run, Options: []string{"--vty_socket", r.dir}}
}

// run is an Exec on this machine.
func run(ctx context.Context, argv []string, stdin string) (Output, error) {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
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
