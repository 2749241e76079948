// Package dockertest gives tests a real Docker daemon, with the real FRR in a
// container as it is in SONiC's bgp container.
package dockertest

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/switchlet/switchlet/deploy/lab/labtest"
)

// Daemon is a Docker daemon of Debian's package docker.io, with its containers in
// namespaces of processes, mounts and network of their own: when its first
// process ends the kernel ends all others, and nothing of theirs is left.
type Daemon struct {
	// Socket is the daemon's.
	Socket string
	// Layers is where the machine sees the folder of overlay2: in NAME/merged is
	// the root of a container that runs.
	Layers string

	dir, parent string // parent of the containers' cgroups
	cmd         *exec.Cmd
	said        bytes.Buffer
}

// prepare makes the mounts that dockerd needs in its own namespaces. Its data is
// in memory, where overlayfs works whatever the machine's own file system is.
const prepare = `set -e
mount --make-rprivate /
mount -t proc proc /proc
mount -t tmpfs tmpfs "$0/data"
ip link set lo up
exec dockerd "$@"`

// Start starts a daemon that ends with the test.
func Start(t testing.TB) *Daemon {
	t.Helper()
	if os.Geteuid() != 0 {
		labtest.Missing(t, "Docker's daemon needs root")
	}
	labtest.Program(t, "dockerd", "docker.io")
	labtest.Program(t, "docker", "docker.io")
	labtest.Program(t, "ip", "iproute2")
	dir, err := os.MkdirTemp("", "dk") // the path of a socket has to be short
	if err != nil {
		t.Fatal(err)
	}
	d := &Daemon{Socket: filepath.Join(dir, "docker.sock"), dir: dir, parent: "/switchlet-" + filepath.Base(dir)}
	t.Cleanup(func() { d.end(t) })
	d.start(t)
	d.Layers = filepath.Join(os.TempDir(), "l"+strconv.Itoa(d.cmd.Process.Pid)) // short too
	inside := "/proc/" + strconv.Itoa(d.cmd.Process.Pid) + "/root" + filepath.Join(dir, "data/overlay2")
	if err := os.Symlink(inside, d.Layers); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Remove(d.Layers) })
	return d
}

func (d *Daemon) start(t testing.TB) {
	t.Helper()
	path := func(name string) string { return filepath.Join(d.dir, name) }
	for _, dir := range []string{"data", "exec"} {
		if err := os.Mkdir(path(dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	d.cmd = exec.Command("sh", "-c", prepare, d.dir,
		"--host", "unix://"+d.Socket, "--data-root", path("data"), "--exec-root", path("exec"), "--pidfile", path("pid"),
		"--storage-driver", "overlay2", "--cgroup-parent", d.parent, "--oom-score-adjust", "0",
		"--log-level", "error", "--bridge", "none", "--iptables=false", "--ip6tables=false", "--ip-forward=false", "--ip-masq=false")
	d.cmd.Stdout, d.cmd.Stderr = &d.said, &d.said
	d.cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNS | syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL,
	}
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(30 * time.Second); ; {
		out, err := d.docker("version")
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			_ = d.cmd.Process.Kill()
			_ = d.cmd.Wait()
			t.Fatalf("dockerd does not answer: %v: %s\n%s", err, out, d.said.String())
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// end ends all of it and removes what it left on the machine.
func (d *Daemon) end(t testing.TB) {
	if d.cmd != nil && d.cmd.ProcessState == nil {
		_ = d.cmd.Process.Kill()
		_ = d.cmd.Wait()
	}
	if t.Failed() {
		t.Logf("dockerd said:\n%s", d.said.String())
	}
	if err := errors.Join(os.RemoveAll(d.dir), d.removeCgroups()); err != nil {
		t.Error(err)
	}
}

// removeCgroups removes the empty groups of containers that were killed.
func (d *Daemon) removeCgroups() error {
	tops, err := filepath.Glob("/sys/fs/cgroup/*" + d.parent)
	if err != nil {
		return err
	}
	var errs []error
	for _, top := range append(tops, "/sys/fs/cgroup"+d.parent) {
		var groups []string
		_ = filepath.WalkDir(top, func(path string, entry fs.DirEntry, err error) error {
			if err == nil && entry.IsDir() {
				groups = append(groups, path)
			}
			return nil
		})
		for i := range groups { // the innermost first
			errs = append(errs, os.Remove(groups[len(groups)-1-i]))
		}
	}
	return errors.Join(errs...)
}

// Docker runs Docker's own client.
func (d *Daemon) Docker(t testing.TB, args ...string) string {
	t.Helper()
	out, err := d.docker(args...)
	if err != nil {
		t.Fatalf("docker %s: %v: %s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(out)
}

func (d *Daemon) docker(args ...string) (string, error) {
	out, err := exec.Command("docker", append([]string{"--host", "unix://" + d.Socket}, args...)...).CombinedOutput()
	return string(out), err
}
