package render_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"sigs.k8s.io/yaml"

	"github.com/switchlet/switchlet/agent/render"
	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/deploy/lab/labtest/golden"
	"github.com/switchlet/switchlet/sonic"
)

// Each file of testdata is a story: the box, what its CONFIG_DB has by the hand
// of others, and a sequence of specs. After each spec stand the commands that
// get there from the rows as they are then, and the problems of owners.
func TestScenarios(t *testing.T) {
	golden.Archives(t, "testdata/*.txtar", play)
}

// play gives the archive with all outcomes as they are.
func play(t *testing.T, archive *txtar.Archive) *txtar.Archive {
	t.Helper()
	box := render.Box{Name: "leaf1"}
	rows, owned := sonic.DB{}, sonic.Ledger{}
	played := &txtar.Archive{Comment: archive.Comment}
	for _, file := range archive.Files {
		switch {
		case file.Name == "box":
			box.Gateway = v1alpha1.GatewayDialect(strings.TrimSpace(strings.TrimPrefix(string(file.Data), "gateway:")))
		case strings.HasPrefix(file.Name, "by hand"):
			addRows(t, rows, string(file.Data))
		case strings.HasSuffix(file.Name, ".yaml"):
			outcome := apply(t, file.Data, box, rows, owned)
			played.Files = append(played.Files, file, txtar.File{Name: strings.TrimSuffix(file.Name, ".yaml") + " outcome", Data: []byte(outcome)})
			continue
		default:
			continue // an outcome
		}
		played.Files = append(played.Files, file)
	}
	return played
}

// addRows reads rows as sonic.DB prints them; "-KEY" deletes one.
func addRows(t *testing.T, rows sonic.DB, text string) {
	t.Helper()
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		gone := strings.HasPrefix(words[0], "-")
		key, ok := sonic.ParseKey(strings.TrimPrefix(words[0], "-"))
		if !ok {
			t.Fatalf("%q is no row", line)
		}
		if gone {
			delete(rows, key)
			continue
		}
		var pairs []string
		for _, word := range words[1:] {
			name, value, _ := strings.Cut(word, "=")
			pairs = append(pairs, name, value)
		}
		rows[key] = sonic.NewFields(pairs...)
	}
}

// apply renders a spec, carries out the plan on the rows, and tells it.
func apply(t *testing.T, text []byte, box render.Box, rows sonic.DB, owned sonic.Ledger) string {
	t.Helper()
	var config v1alpha1.SwitchConfig
	if err := yaml.UnmarshalStrict(text, &config); err != nil {
		t.Fatal(err)
	}
	wanted, err := render.Render(&config.Spec, box)
	if err != nil {
		if !errors.Is(err, render.ErrInvalidSpec) {
			t.Fatal(err)
		}
		return fmt.Sprintf("error: %v\n", err)
	}
	plan := sonic.Diff(rows, wanted.Rows, owned)
	for _, stage := range plan.Stages {
		rows.Apply(stage.Commands...)
	}
	owned.Apply(plan)
	var b strings.Builder
	b.WriteString(plan.String())
	for _, p := range wanted.AllProblems(plan.Conflicts, box) {
		fmt.Fprintf(&b, "\n%s: %s\n  %s\n", p.Owner, p.Reason, p.Message)
	}
	return b.String()
}

func TestEveryRowHasAnOwner(t *testing.T) {
	spec := v1alpha1.SwitchConfigSpec{
		Revision: "r1", VTEP: "10.255.0.1", AnycastMAC: "00:00:5E:00:01:01",
		VRFs: []v1alpha1.VRFConfig{{VNI: 20001, VLAN: 3001, Owner: v1alpha1.ObjectReference{Kind: v1alpha1.KindVPC, Namespace: "a", Name: "b"}}},
		Segments: []v1alpha1.SegmentConfig{{VLAN: 100, VNI: 10100, VRF: 20001, Gateways: []string{"10.1.0.1/24", "2001:db8::1/64"},
			Owner: v1alpha1.ObjectReference{Kind: v1alpha1.KindVPC, Namespace: "a", Name: "b"}, Subnet: "web"}},
	}
	for _, gateway := range []v1alpha1.GatewayDialect{v1alpha1.GatewayMACAddress, v1alpha1.GatewayStaticAnycastGateway} {
		wanted, err := render.Render(&spec, render.Box{Name: "leaf1", Gateway: gateway})
		if err != nil {
			t.Fatal(err)
		}
		for key := range wanted.Rows {
			if wanted.Owners[key].Name == "" {
				t.Errorf("%s: %s has no owner", gateway, key)
			}
		}
	}
}
