package converge_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/switchlet/switchlet/agent/report"
	"github.com/switchlet/switchlet/api/v1alpha1"
)

// edit changes a model of the box.
func (r *rig) edit(model, is, becomes string) {
	r.t.Helper()
	file := filepath.Join(r.box.YANGDir(), model)
	text, err := os.ReadFile(file)
	r.must(err)
	if !strings.Contains(string(text), is) {
		r.t.Fatalf("%s has no %q", model, is)
	}
	r.must(os.WriteFile(file, []byte(strings.Replace(string(text), is, becomes, 1)), 0o600))
}

// What the models of the box do not allow is one owner's problem: its rows are
// not written, and the others' are.
func TestModelsForbidARow(t *testing.T) {
	r := newRig(t)
	r.edit("sonic-vlan.yang", `leaf vlanid {`, `must "name != 'Vlan100'" { error-message "Vlan100 is for the console."; } leaf vlanid {`)
	r.start()
	red := v1alpha1.ObjectReference{Kind: v1alpha1.KindVPC, Namespace: "tenant", Name: "red"}
	s := spec("r1", 100, 101)
	s.Segments[0].Owner = red
	r.write(s)
	f := r.until("the rest is in force", func(f report.Facts) bool { return f.AppliedGeneration == 1 && f.Programmed.OK })
	if !hasProblem(v1alpha1.KindVPC, "Vlan100 is for the console")(f) {
		t.Errorf("problems are %+v", f.Problems)
	}
	for _, problem := range f.Problems {
		if problem.Owner != red && problem.Owner.Kind == v1alpha1.KindVPC {
			t.Errorf("somebody else has a problem too: %+v", problem)
		}
	}
	rows := r.rows()
	if rows["VLAN|Vlan100"] != nil || rows["VLAN_MEMBER|Vlan100|Ethernet0"] != nil {
		t.Error("the forbidden row was written")
	}
	if rows["VLAN_MEMBER|Vlan101|Ethernet0"] == nil {
		t.Error("the other subnet is not programmed")
	}
	s.Revision, s.Segments = "r2", slices.Clone(s.Segments) // the agent has the others
	s.Segments[0].VLAN = 102
	r.apply(s)
	if rows := r.rows(); rows["VLAN|Vlan102"] == nil {
		t.Error("the owner was not let in again when its rows changed")
	}
}

// Two attachments that would have a port untagged in two VLANs are told so; the one that
// has the port tagged already, of which the models' rule speaks as well, goes on.
func TestBystanderGoesOn(t *testing.T) {
	r := newRig(t)
	r.start()
	r.apply(spec("r1", 100))
	s := spec("r2", 100, 101, 102)
	for i, name := range []string{"web", "late", "later"} {
		s.Segments[i].Ports[0].Owner.Name = name
		if i > 0 {
			s.Segments[i].Ports[0].Mode = v1alpha1.ModeNative
		}
	}
	r.write(s)
	f := r.until("the attachments have a problem", hasProblem(v1alpha1.KindVPCAttachment, "untagged in several VLANs"))
	for _, problem := range f.Problems {
		if problem.Owner.Name == "web" {
			t.Errorf("the bystander has a problem: %+v", problem)
		}
	}
	f = r.until("the rest is in force", func(f report.Facts) bool { return f.AppliedGeneration == 2 && f.Programmed.OK })
	if rows := r.rows(); rows["VLAN_MEMBER|Vlan100|Ethernet0"] == nil || rows["VLAN|Vlan101"] == nil {
		t.Errorf("rows are missing; problems are %+v", f.Problems)
	}
}

// A field that the models lack never gets into CONFIG_DB: it would break the
// operator's own tools.
func TestModelsLackAField(t *testing.T) {
	r := newRig(t)
	r.edit("sonic-vrf.yang", `leaf vni { type uint32 { range "0..16777215"; } default 0; }`, "")
	r.start()
	r.write(spec("r1", 100))
	r.until("the VPC has a problem", hasProblem(v1alpha1.KindVPC, "UnknownField"))
	for key, row := range r.rows() {
		if _, ok := row["vni"]; ok && strings.HasPrefix(key, "VRF|") {
			t.Errorf("%s has a vni", key)
		}
	}
}

// What was wrong on the box before, and has nothing to do with the agent's rows,
// is the box's own affair.
func TestForeignViolationBlocksNobody(t *testing.T) {
	r := newRig(t)
	r.hset("VLAN|Vlan12", "vlanid", "twelve")
	r.before["VLAN|Vlan12"] = map[string]string{"vlanid": "twelve"}
	r.start()
	r.apply(spec("r1", 100))
	f := r.until("the switch tells of it", func(f report.Facts) bool { return f.Inventory != nil && len(f.Inventory.Violations) > 0 })
	if got := strings.Join(f.Inventory.Violations, "\n"); !strings.Contains(got, "VLAN vlanid: Type (1)") {
		t.Errorf("violations are %q", got)
	}
	r.apply(nothing("r2"))
	r.becomes("the row is as it was", r.before)
}
