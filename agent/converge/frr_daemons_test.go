package converge_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/switchlet/switchlet/agent/converge"
	"github.com/switchlet/switchlet/agent/render"
	"github.com/switchlet/switchlet/agent/report"
	"github.com/switchlet/switchlet/agent/state"
	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/deploy/lab/labtest"
	"github.com/switchlet/switchlet/sonic/frr"
)

// daemons are the real FRR in a network namespace of its own.
type daemons struct {
	t              *testing.T
	dir, namespace string
	running        map[string]*daemon
}

type daemon struct {
	cmd   *exec.Cmd
	ended chan error
}

func startFRR(t *testing.T) *daemons {
	t.Helper()
	if os.Geteuid() != 0 {
		labtest.Missing(t, "FRR's daemons and network namespaces need root")
	}
	labtest.Program(t, "ip", "iproute2")
	labtest.Program(t, "nsenter", "util-linux")
	dir, err := os.MkdirTemp("", "frr") // the path of a socket has to be short
	if err != nil {
		t.Fatal(err)
	}
	d := &daemons{t: t, dir: dir, namespace: "switchlet-" + filepath.Base(dir), running: map[string]*daemon{}}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	d.give()
	d.ip("netns", "add", d.namespace)
	t.Cleanup(func() { d.ip("netns", "delete", d.namespace) })
	t.Cleanup(func() {
		for name := range d.running {
			d.stop(name)
		}
	})
	for _, name := range []string{"zebra", "bgpd"} {
		d.start(name)
	}
	return d
}

// give the folder to FRR's user.
func (d *daemons) give() {
	d.t.Helper()
	owner, err := user.Lookup("frr")
	if err != nil {
		labtest.Missing(d.t, "%v: apt-get install frr", err)
	}
	uid, err1 := strconv.Atoi(owner.Uid)
	gid, err2 := strconv.Atoi(owner.Gid)
	if err := errors.Join(err1, err2, os.Chmod(d.dir, 0o755), os.Chown(d.dir, uid, gid)); err != nil {
		d.t.Fatal(err)
	}
}

func (d *daemons) ip(args ...string) {
	if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
		d.t.Errorf("ip %v: %v: %s", args, err, out)
	}
}

// start starts a daemon without any configuration, and waits until it answers.
func (d *daemons) start(name string) {
	d.t.Helper()
	path := filepath.Join("/usr/lib/frr", name)
	if _, err := os.Stat(path); err != nil {
		labtest.Missing(d.t, "%v: apt-get install frr", err)
	}
	file := func(kind string) string { return filepath.Join(d.dir, name+kind) }
	if err := os.WriteFile(file(".conf"), nil, 0o644); err != nil {
		d.t.Fatal(err)
	}
	var said bytes.Buffer
	started := &daemon{ended: make(chan error, 1), cmd: exec.Command("nsenter", "--net=/run/netns/"+d.namespace, path, "--vty_socket", d.dir,
		"-i", file(".pid"), "-z", filepath.Join(d.dir, "zserv.api"), "-f", file(".conf"), "--log", "file:"+file(".log"), "-P", "0")}
	started.cmd.Stdout, started.cmd.Stderr = &said, &said
	if err := started.cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	go func() { started.ended <- started.cmd.Wait() }()
	d.running[name] = started
	for deadline := time.Now().Add(10 * time.Second); ; {
		_, err := frr.Sockets{Dir: d.dir}.Show(d.t.Context(), name, "show version")
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			d.t.Fatalf("%s does not answer: %v: %s", name, err, said.String())
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// stop ends a daemon; what it had is gone.
func (d *daemons) stop(name string) {
	stopped := d.running[name]
	delete(d.running, name)
	_ = stopped.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-stopped.ended:
	case <-time.After(5 * time.Second):
		_ = stopped.cmd.Process.Kill()
		<-stopped.ended
	}
}

// say is somebody else who configures FRR.
func (d *daemons) say(commands ...frr.Command) {
	d.t.Helper()
	answers, err := frr.Sockets{Dir: d.dir}.Configure(d.t.Context(), commands)
	if err != nil || len(answers) > 0 {
		d.t.Fatalf("%v, %v", answers, err)
	}
}

func (d *daemons) tree() (frr.Tree, error) {
	text, err := frr.Sockets{Dir: d.dir}.Running(d.t.Context())
	if err != nil {
		return nil, err
	}
	return frr.Parse(text)
}

// watched is a shell that shows each command before it is carried out.
type watched struct {
	frr.Shell
	seen func(string)
}

func (w watched) Configure(ctx context.Context, commands []frr.Command) ([]frr.Answer, error) {
	for _, c := range commands {
		w.seen(c.String())
	}
	return w.Shell.Configure(ctx, commands)
}

// onSwitch is a rig with the real FRR.
type onSwitch struct {
	*rig
	frr  *daemons
	gone atomic.Int32 // L3 VNIs that were taken out of FRR
}

func newOnSwitch(t *testing.T) *onSwitch {
	t.Helper()
	r := &onSwitch{rig: newRig(t), frr: startFRR(t)}
	find := converge.FindShell(converge.Ways{Sockets: r.frr.dir})
	statements, _, err := state.OpenStatements(r.box.StateDir())
	if err != nil {
		t.Fatal(err)
	}
	r.config.FRR = converge.FRR{Statements: statements, Recheck: 100 * time.Millisecond, Shell: func() (frr.Shell, string) {
		shell, by := find()
		if shell == nil {
			return nil, ""
		}
		return watched{shell, r.inOrder}, by
	}}
	return r
}

// inOrder sees that a VRF leaves FRR while CONFIG_DB still has it, and comes to
// FRR only then.
func (r *onSwitch) inOrder(command string) {
	vrf, _, _ := strings.Cut(strings.TrimPrefix(command, "vrf "), " / ")
	leaves := strings.HasSuffix(command, " / no vni "+strings.TrimPrefix(vrf, "Vrf"))
	if !leaves && !strings.HasSuffix(command, " / vni "+strings.TrimPrefix(vrf, "Vrf")) {
		return
	}
	if r.operator.Exists(context.Background(), "VRF|"+vrf).Val() != 1 {
		r.t.Errorf("%q while VRF|%s is not in CONFIG_DB", command, vrf)
	}
	if leaves {
		r.gone.Add(1)
	}
}

// has waits until FRR has the spec's statements, and apart from them the others'.
func (r *onSwitch) has(what string, others frr.Tree, spec v1alpha1.SwitchConfigSpec) {
	r.t.Helper()
	want := ""
	if spec.BGP != nil {
		want = wantFRR(r.t, spec)
	}
	r.eventually(what, func() error {
		tree, err := r.frr.tree()
		if err != nil {
			return err
		}
		if diff := cmp.Diff(words(want, sortedTree(others)), words(sortedTree(tree))); diff != "" {
			return fmt.Errorf("FRR's statements (-want +got):\n%s", diff)
		}
		return nil
	})
}

// words are the lines of some texts, each once.
func words(texts ...string) map[string]bool {
	all := map[string]bool{}
	for _, text := range texts {
		for line := range strings.Lines(text) {
			all[strings.TrimSpace(line)] = true
		}
	}
	return all
}

// The whole way, with the real FRR: tenants come and go, bgpd restarts, a
// statement is refused, and what others said is there all the time.
func TestTenantsOnTheRealFRR(t *testing.T) {
	r := newOnSwitch(t)
	r.frr.say(
		frr.Command{Line: "route-map RM_SET_SRC permit 10"},
		frr.Command{Context: []string{"route-map RM_SET_SRC permit 10"}, Line: "set src 10.1.0.32"},
		frr.Command{Line: "ip protocol bgp route-map RM_SET_SRC"},
		frr.Command{Context: []string{"vrf Vrf-mine"}, Line: "vni 20004"})
	others, err := r.frr.tree()
	r.must(err)
	r.start()
	begin := time.Now()
	r.told(routed("r1", 1, 2, 3))
	t.Logf("three tenants in %v", time.Since(begin))
	r.has("three tenants", others, routed("r1", 1, 2, 3))

	begin = time.Now()
	r.told(routed("r2", 1, 3))
	t.Logf("one less in %v", time.Since(begin))
	r.has("two are left", others, routed("r2", 1, 3))
	if n := r.gone.Load(); n != 1 {
		t.Errorf("%d L3 VNIs were taken out", n)
	}

	r.frr.stop("bgpd")
	r.until("the condition says so", func(f report.Facts) bool { return f.Routed.Reason == "FRRUnreachable" && f.Programmed.OK })
	r.frr.start("bgpd")
	begin = time.Now()
	r.has("bgpd is told again", others, routed("r2", 1, 3))
	t.Logf("bgpd has everything again %v after its start", time.Since(begin))
	r.until("the condition says so", func(f report.Facts) bool { return f.Routed.OK })

	r.write(routed("r3", 1, 3, 4, 5)) // Vrf-mine has 20004
	f := r.until("the VPC has a problem", hasProblem(v1alpha1.KindVPC, "vni 20004"))
	for _, p := range f.Problems {
		if p.Owner.Name != "vpc4" || p.Reason != render.ReasonRefusedByFRR {
			t.Errorf("problem %+v", p)
		}
		t.Log(p.Message)
	}
	r.has("the others are in force", others, routed("r3", 1, 3, 5))
	r.eventually("its rows are gone", func() error {
		if rows := r.rows(); rows["VRF|Vrf20004"] != nil || rows["VRF|Vrf20005"] == nil {
			return fmt.Errorf("%v", rows)
		}
		return nil
	})

	r.apply(nothing("r4"))
	r.has("only the others' statements are left", others, nothing("r4"))
	r.becomes("only the rows made by hand are left", r.before)
}
