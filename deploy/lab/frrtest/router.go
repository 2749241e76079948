package frrtest

import (
	"context"
	"errors"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/switchlet/switchlet/deploy/lab/labtest"
	"github.com/switchlet/switchlet/deploy/lab/nettest"
	"github.com/switchlet/switchlet/deploy/lab/process"
)

const (
	// startTimeout is for a daemon in User-Mode Linux on a machine with other work.
	startTimeout = time.Minute
	stopTimeout  = 10 * time.Second
)

// Router is the FRR of one switch.
type Router struct {
	Release
	// Dir has the daemons' sockets and logs.
	Dir       string
	namespace string
	running   map[string]*process.Process
}

// Start starts all daemons, without any configuration, in the network namespace of a
// path. They end with the test; one that ends by itself before fails it.
func (f Release) Start(t testing.TB, namespace string) *Router {
	t.Helper()
	if os.Geteuid() != 0 {
		labtest.Missing(t, "FRR's daemons and network namespaces need root")
	}
	r := &Router{Release: f, Dir: runDir(t), namespace: namespace, running: map[string]*process.Process{}}
	t.Cleanup(func() { r.StopAll(t) })
	for _, daemon := range f.Daemons {
		r.Start(t, daemon)
	}
	return r
}

// runDir is a folder of FRR's user where FRR keeps what belongs to one pathspace (-N):
// mgmtd's sockets for the other daemons are at no other place.
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

// Start starts a daemon and waits until it answers.
func (r *Router) Start(t testing.TB, daemon string) {
	t.Helper()
	argv := r.Argv(filepath.Join("/usr/lib/frr", daemon), "-N", filepath.Base(r.Dir), "--log", "stdout", "-P", "0")
	var p *process.Process
	nettest.In(t, r.namespace, func() (err error) {
		p, err = process.Start(process.Program{Name: daemon, Path: argv[0], Args: argv[1:], Log: filepath.Join(r.Dir, daemon+".log")})
		return err
	})
	r.running[daemon] = p
	ctx, cancel := context.WithTimeout(t.Context(), startTimeout)
	defer cancel()
	if err := p.WaitReady(ctx, process.Answers(filepath.Join(r.Dir, daemon+".vty"))); err != nil {
		t.Fatal(err)
	}
}

// Stop ends a daemon; what it had is gone.
func (r *Router) Stop(t testing.TB, daemon string) {
	t.Helper()
	p := r.running[daemon]
	delete(r.running, daemon)
	select {
	case <-p.Done():
		t.Errorf("%s ended before it was stopped: %v\n%s", daemon, p.Err(), process.Tail(p.Log(), 20))
	default:
		if err := p.Stop(stopTimeout); err != nil {
			t.Error(err)
		}
	}
}

// StopAll ends FRR as its container does.
func (r *Router) StopAll(t testing.TB) {
	t.Helper()
	for daemon := range r.running {
		r.Stop(t, daemon)
	}
}
