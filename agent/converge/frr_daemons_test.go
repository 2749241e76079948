package converge_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/switchlet/switchlet/agent/converge"
	"github.com/switchlet/switchlet/agent/render"
	"github.com/switchlet/switchlet/agent/report"
	"github.com/switchlet/switchlet/agent/state"
	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/deploy/lab/frrtest"
	"github.com/switchlet/switchlet/deploy/lab/nettest"
	"github.com/switchlet/switchlet/sonic/frr"
)

// daemons are the real FRR in a network namespace of its own.
type daemons struct {
	*frrtest.Router
	t *testing.T
}

func startFRR(t *testing.T, release frrtest.Release) *daemons {
	t.Helper()
	return &daemons{release.Only("mgmtd", "zebra", "bgpd").Start(t, nettest.Namespace(t)), t}
}

// say is somebody else who configures FRR.
func (d *daemons) say(commands ...frr.Command) {
	d.t.Helper()
	answers, err := frr.Sockets{Dir: d.Dir}.Configure(d.t.Context(), commands)
	if err != nil || len(answers) > 0 {
		d.t.Fatalf("%v, %v", answers, err)
	}
}

// tree is what any of the daemons has: a bgpd that was started anew lacks what others said.
func (d *daemons) tree() (frr.Tree, error) {
	var all frr.Tree
	for _, daemon := range d.Daemons {
		text, err := frr.Sockets{Dir: d.Dir}.Show(d.t.Context(), daemon, "show running-config")
		if err != nil {
			return nil, err
		}
		tree, err := frr.Parse(text)
		if err != nil {
			return nil, err
		}
		all = frr.Merge(all, tree)
	}
	return all, nil
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

func newOnSwitch(t *testing.T, release frrtest.Release) *onSwitch {
	t.Helper()
	r := &onSwitch{rig: newRig(t), frr: startFRR(t, release)}
	find := converge.FindShell(converge.Ways{Sockets: r.frr.Dir})
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

func TestTenantsOnTheRealFRR(t *testing.T) { frrtest.OnEach(t, testTenantsOnTheRealFRR) }

// The whole way, with the real FRR: tenants come and go, bgpd restarts, a
// statement is refused, and what others said is there all the time.
func testTenantsOnTheRealFRR(t *testing.T, release frrtest.Release) {
	r := newOnSwitch(t, release)
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

	r.frr.Stop(t, "bgpd")
	r.until("the condition says so", func(f report.Facts) bool { return f.Routed.Reason == "FRRUnreachable" && f.Programmed.OK })
	r.frr.Start(t, "bgpd")
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
