package converge_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
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
	"github.com/switchlet/switchlet/sonic/frr"
)

// routedRig is a rig with an FRR.
type routedRig struct {
	*rig
	frr  *fakeFRR
	file string // frr.conf
}

func newRoutedRig(t *testing.T) *routedRig {
	t.Helper()
	r := &routedRig{rig: newRig(t), frr: &fakeFRR{cut: -1}, file: filepath.Join(t.TempDir(), "frr.conf")}
	r.frr.kernel = func(name string) bool { return r.operator.Exists(context.Background(), "VRF|"+name).Val() == 1 }
	r.config.FRR = converge.FRR{Shell: r.frr.shell, File: r.file, Recheck: 50 * time.Millisecond}
	return r
}

// boot starts the agent with what is on the disk of FRR's statements.
func (r *routedRig) boot() {
	r.t.Helper()
	statements, damage, err := state.OpenStatements(r.box.StateDir())
	if err != nil || damage != "" {
		r.t.Fatal(damage, err)
	}
	r.config.FRR.Statements = statements
	r.start()
}

// mode sets how SONiC handles FRR's configuration.
func (r *rig) mode(mode string) {
	r.t.Helper()
	r.hset("DEVICE_METADATA|localhost", "docker_routing_config_mode", mode)
	r.before["DEVICE_METADATA|localhost"]["docker_routing_config_mode"] = mode
}

// routed has BGP and a VPC for each number, with a VRF and a subnet.
func routed(revision string, tenants ...int32) v1alpha1.SwitchConfigSpec {
	s := v1alpha1.SwitchConfigSpec{
		Revision: revision, VTEP: "10.255.0.1", AnycastMAC: "00:00:5e:00:01:01",
		BGP: &v1alpha1.BGPConfig{BGP: v1alpha1.BGP{ASN: 65001, Uplinks: []string{"Ethernet48", "Ethernet52"}}, RouterID: "10.255.0.1"},
	}
	for _, n := range tenants {
		owner := v1alpha1.ObjectReference{Kind: v1alpha1.KindVPC, Namespace: "tenant", Name: fmt.Sprintf("vpc%d", n)}
		s.VRFs = append(s.VRFs, v1alpha1.VRFConfig{VNI: 20000 + n, VLAN: 3000 + n, Owner: owner})
		s.Segments = append(s.Segments, v1alpha1.SegmentConfig{VLAN: 100 + n, VNI: 10100 + n, VRF: 20000 + n,
			Gateways: []string{fmt.Sprintf("10.%d.0.1/24", n)}, Owner: owner, Subnet: "web"})
	}
	return s
}

// told waits until FRR has been told all of a spec.
func (r *rig) told(spec v1alpha1.SwitchConfigSpec) {
	r.t.Helper()
	r.apply(spec)
	r.until("FRR has the spec", func(f report.Facts) bool { return f.Routed.OK && f.Routed.Reason == "Routed" })
}

// wantFRR is what a spec means to FRR, by Switchlet's hand alone.
func wantFRR(t *testing.T, spec v1alpha1.SwitchConfigSpec) string {
	t.Helper()
	cfg, err := render.BGP(&spec, render.Box{Name: "leaf1"}, func(*v1alpha1.VRFConfig) bool { return true })
	if err != nil {
		t.Fatal(err)
	}
	tree, _ := frr.Build(cfg)
	return sortedTree(tree)
}

// sortedTree has a line for each statement, in any order.
func sortedTree(tree frr.Tree) string { return strings.Join(lines(tree, ""), "\n") }

func (r *routedRig) has(what string, spec v1alpha1.SwitchConfigSpec) {
	r.t.Helper()
	want := wantFRR(r.t, spec)
	r.eventually(what, func() error {
		var got string
		r.frr.use(func() { got = sortedTree(r.frr.tree) })
		if diff := cmp.Diff(want, got); diff != "" {
			return fmt.Errorf("FRR's statements (-want +got):\n%s", diff)
		}
		return nil
	})
}

// One plan spans CONFIG_DB and FRR: a tenant comes to CONFIG_DB first, and leaves
// FRR first.
func TestOneOrderForConfigDBAndFRR(t *testing.T) {
	r := newRoutedRig(t)
	var came, left atomic.Int32
	r.frr.seen = func(command string) {
		vrf, _, _ := strings.Cut(strings.TrimPrefix(command, "vrf "), " / ")
		there := r.operator.Exists(t.Context(), "VRF|"+vrf).Val() == 1
		switch {
		case strings.Contains(command, " / vni "):
			came.Add(1)
		case strings.Contains(command, " / no vni "):
			left.Add(1)
		default:
			return
		}
		if !there {
			t.Errorf("%q while VRF|%s is not in CONFIG_DB", command, vrf)
		}
	}
	r.boot()
	r.told(routed("r1", 1, 2, 3))
	r.has("all three", routed("r1", 1, 2, 3))
	r.told(routed("r2", 1, 3))
	r.has("two", routed("r2", 1, 3))
	r.told(routed("r3", 3, 4))
	r.has("two others", routed("r3", 3, 4))
	r.apply(nothing("r4"))
	r.until("nothing is wanted", func(f report.Facts) bool { return f.Routed.Reason == "NotWanted" })
	r.frr.use(func() {
		if text := sortedTree(r.frr.tree); text != "" {
			t.Errorf("FRR still has:\n%s", text)
		}
	})
	r.becomes("CONFIG_DB is as before", r.before)
	if came.Load() != 4 || left.Load() != 4 {
		t.Errorf("%d VRFs came, %d left", came.Load(), left.Load())
	}
}

// Without spec.bgp, FRR is not even looked at.
func TestFRRIsLeftAloneWithoutBGP(t *testing.T) {
	r := newRoutedRig(t)
	r.boot()
	r.apply(spec("r1", 100))
	r.until("it is not wanted", func(f report.Facts) bool { return f.Routed.OK && f.Routed.Reason == "NotWanted" })
	r.frr.use(func() {
		if r.frr.reads > 0 || len(r.frr.sent) > 0 {
			t.Errorf("FRR was asked %d times and told %q", r.frr.reads, r.frr.sent)
		}
	})
	if _, err := os.Stat(r.file); !os.IsNotExist(err) {
		t.Errorf("frr.conf was written: %v", err)
	}
}

// What others said to FRR is there before, meanwhile and afterwards.
func TestForeignStatementsStay(t *testing.T) {
	r := newRoutedRig(t)
	const foreign = "route-map RM_SET_SRC permit 10\n set src 10.1.0.32\nexit\n!\nip protocol bgp route-map RM_SET_SRC\n!\nvrf Vrf-mine\n vni 777\nexit-vrf\n"
	tree, err := frr.Parse(foreign)
	if err != nil {
		t.Fatal(err)
	}
	r.frr.tree = tree
	before := sortedTree(tree)
	r.boot()
	r.told(routed("r1", 1))
	r.eventually("FRR has both", func() error {
		if text := r.frr.text(); !strings.Contains(text, "set src 10.1.0.32") || !strings.Contains(text, "vni 777") || !strings.Contains(text, "vni 20001") {
			return fmt.Errorf("%s", text)
		}
		return nil
	})
	r.apply(nothing("r2"))
	r.eventually("only the others' are left", func() error {
		var left string
		r.frr.use(func() { left = sortedTree(r.frr.tree) })
		if diff := cmp.Diff(before, left); diff != "" {
			return fmt.Errorf("%s", diff)
		}
		return nil
	})
}

// A tenant whose statement FRR refuses leaves CONFIG_DB too; the others go on. It
// is tried again.
func TestRefusedTenant(t *testing.T) {
	r := newRoutedRig(t)
	r.config.Patience = 400 * time.Millisecond // tried again after a part of it
	var refuse atomic.Bool
	refuse.Store(true)
	r.frr.refuse = func(command string) string {
		if refuse.Load() && strings.HasSuffix(command, "Vrf20002 / address-family l2vpn evpn / rd 10.255.0.1:63002") {
			return "% Invalid RD"
		}
		return ""
	}
	r.boot()
	r.write(routed("r1", 1, 2, 3))
	f := r.until("the VPC has a problem", hasProblem(v1alpha1.KindVPC, "% Invalid RD"))
	for _, p := range f.Problems {
		if p.Owner.Name != "vpc2" || p.Reason != render.ReasonRefusedByFRR {
			t.Errorf("problem %+v", p)
		}
	}
	r.eventually("its rows are gone, and the others' are there", func() error {
		rows := r.rows()
		if rows["VRF|Vrf20002"] != nil || rows["VLAN|Vlan102"] != nil || rows["VRF|Vrf20001"] == nil || rows["VLAN_INTERFACE|Vlan103"] == nil {
			return fmt.Errorf("%v", rows)
		}
		return nil
	})
	r.has("FRR has the others", routed("r1", 1, 3))
	refuse.Store(false)
	r.until("no problem is left", func(f report.Facts) bool { return len(f.Problems) == 0 && f.Routed.OK && f.Programmed.OK })
	r.has("FRR has all", routed("r1", 1, 2, 3))
}

// What FRR refuses of the switch's own is its condition, and nobody else's.
func TestRefusedUnderlay(t *testing.T) {
	r := newRoutedRig(t)
	r.config.Patience = 400 * time.Millisecond
	var refuse atomic.Bool
	refuse.Store(true)
	r.frr.refuse = func(command string) string {
		if refuse.Load() && strings.HasSuffix(command, "/ bgp bestpath as-path multipath-relax") {
			return "% Unknown command"
		}
		return ""
	}
	r.boot()
	r.apply(routed("r1", 1))
	f := r.until("the condition says so", func(f report.Facts) bool { return f.Routed.Reason == "Refused" })
	if !strings.Contains(f.Routed.Message, "multipath-relax") || !strings.Contains(f.Routed.Message, "% Unknown command") || len(f.Problems) > 0 {
		t.Errorf("facts are %+v", f)
	}
	refuse.Store(false)
	r.until("it is tried again", func(f report.Facts) bool { return f.Routed.OK })
	r.has("FRR has all", routed("r1", 1))
}

// Somebody else's instance with another ASN stays, and the condition says so.
func TestForeignInstance(t *testing.T) {
	r := newRoutedRig(t)
	r.frr.tree = frr.Tree{{Line: "router bgp 65100", Inside: frr.Tree{{Line: "bgp router-id 10.1.0.32"}}}}
	r.boot()
	r.apply(routed("r1", 1))
	f := r.until("the condition says so", func(f report.Facts) bool { return f.Routed.Reason == "Conflict" })
	if !strings.Contains(f.Routed.Message, "router bgp 65100") || !hasProblem(v1alpha1.KindSwitch, "router bgp 65100")(f) {
		t.Errorf("facts are %+v", f)
	}
	if text := r.frr.text(); !strings.Contains(text, "router bgp 65100\n bgp router-id 10.1.0.32\n") {
		t.Errorf("FRR has:\n%s", text)
	}
}

func TestNoWayToFRR(t *testing.T) {
	r := newRoutedRig(t)
	r.config.FRR.Shell = converge.FindShell(converge.Ways{Sockets: t.TempDir()})
	r.boot()
	r.apply(routed("r1", 1))
	f := r.until("the condition says so", func(f report.Facts) bool { return f.Routed.Reason == "FRRUnreachable" })
	if !strings.Contains(f.Routed.Message, "--frr-vty-dir") || !f.Programmed.OK {
		t.Errorf("facts are %+v", f)
	}
}

// A spec whose BGP is of no use leaves FRR as it is.
func TestUnusableBGPChangesNothing(t *testing.T) {
	r := newRoutedRig(t)
	r.boot()
	r.told(routed("r1", 1))
	bad := routed("r2", 1)
	bad.BGP.RouterID = ""
	r.apply(bad)
	f := r.until("the condition says so", func(f report.Facts) bool { return f.Routed.Reason == "InvalidSpec" })
	if !strings.Contains(f.Routed.Message, "spec.bgp.routerID is empty") || !strings.Contains(f.Routed.Message, "The underlay stays as it is") {
		t.Errorf("Routed is %+v", f.Routed)
	}
	r.has("FRR still has r1", routed("r1", 1))
	r.frr.use(func() { r.frr.tree = nil })
	r.has("also when it restarts", routed("r1", 1))
	more := routed("r3", 1, 2)
	more.BGP.ASN = 0
	r.apply(more)
	r.has("tenants come and go", routed("r3", 1, 2))
	r.end()
	r.boot()
	r.has("also after a restart of the agent", routed("r3", 1, 2))
}

// While the Switch is paused FRR is not changed.
func TestPausedFRR(t *testing.T) {
	r := newRoutedRig(t)
	r.boot()
	r.told(routed("r1", 1))
	r.pause(true)
	r.until("paused", func(f report.Facts) bool { return f.SwitchGeneration > 0 })
	changed := routed("r2", 1)
	changed.BGP.Uplinks = changed.BGP.Uplinks[:1]
	r.write(changed)
	r.until("the condition says so", func(f report.Facts) bool { return f.Routed.Reason == "Paused" })
	r.has("FRR still has r1", routed("r1", 1))
	r.pause(false)
	r.has("FRR has r2", changed)
}
