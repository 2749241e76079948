package forwarding

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
	"github.com/switchlet/switchlet/sonic/frr"
)

// router is FRR on a switch.
type router struct {
	dir    string // of its sockets
	daemon []*process.Process
}

// startFRR starts zebra and bgpd, as SONiC's bgp container has them, in a network
// namespace. They end with the test.
func startFRR(t testing.TB, namespace string) *router {
	t.Helper()
	labtest.Program(t, "vtysh", "frr")
	r := &router{dir: socketDir(t)}
	for _, name := range []string{"zebra", "bgpd"} {
		file := func(kind string) string { return filepath.Join(r.dir, name+kind) }
		if err := os.WriteFile(file(".conf"), nil, 0o644); err != nil {
			t.Fatal(err)
		}
		var p *process.Process
		nettest.In(t, namespace, func() (err error) {
			p, err = process.Start(process.Program{
				Name: name, Path: filepath.Join("/usr/lib/frr", name), Log: file(".log"),
				Args: []string{"--vty_socket", r.dir, "-i", file(".pid"), "-z", filepath.Join(r.dir, "zserv.api"), "-f", file(".conf"), "--log", "stdout", "-P", "0"},
			})
			return err
		})
		t.Cleanup(func() { p.Kill() })
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		err := p.WaitReady(ctx, func(ctx context.Context) error {
			_, err := frr.Sockets{Dir: r.dir}.Show(ctx, name, "show version")
			return err
		})
		if err != nil {
			t.Fatalf("%v\n%s", err, process.Tail(file(".log"), 20))
		}
		r.daemon = append(r.daemon, p)
	}
	return r
}

// stop ends FRR as its container does.
func (r *router) stop(t testing.TB) {
	t.Helper()
	for _, p := range r.daemon {
		if err := p.Stop(10 * time.Second); err != nil {
			t.Error(err)
		}
	}
}

// socketDir is a folder of FRR's user. The path of a socket has to be short.
func socketDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "frr")
	if err != nil {
		t.Fatal(err)
	}
	u, err := user.Lookup("frr")
	if err != nil {
		labtest.Missing(t, "%v: apt-get install frr", err)
	}
	uid, err1 := strconv.Atoi(u.Uid)
	gid, err2 := strconv.Atoi(u.Gid)
	if err := errors.Join(err1, err2, os.Chmod(dir, 0o755), os.Chown(dir, uid, gid)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// ask is a daemon's answer to a show command.
func (r *router) ask(ctx context.Context, daemon, command string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	return frr.Sockets{Dir: r.dir}.Show(ctx, daemon, command)
}

// show logs what the router knows.
func (r *router) show(t testing.TB) {
	for _, question := range []struct{ daemon, command string }{
		{"bgpd", "show bgp summary"}, {"bgpd", "show bgp l2vpn evpn"}, {"zebra", "show evpn vni detail"},
		{"zebra", "show ip route vrf all"}, {"zebra", "show ipv6 route vrf all"}, {"zebra", "show evpn rmac vni all"},
		{"zebra", "show evpn arp-cache vni all"},
	} {
		answer, err := r.ask(context.WithoutCancel(t.Context()), question.daemon, question.command)
		t.Logf("%s: %v\n%s", question.command, err, answer)
	}
}
