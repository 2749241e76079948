package render_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"sigs.k8s.io/yaml"

	"github.com/switchlet/switchlet/agent/render"
	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/deploy/lab/labtest"
	"github.com/switchlet/switchlet/deploy/lab/labtest/golden"
	"github.com/switchlet/switchlet/sonic/frr"
)

// Each file of testdata/bgp is a spec, the VRFs of it that are left out, and what
// comes of it: the frr.conf, problems of owners, or the error.
func TestBGP(t *testing.T) {
	golden.Archives(t, "testdata/bgp/*.txtar", func(t *testing.T, archive *txtar.Archive) *txtar.Archive {
		got := bgpOutcome(t, archive)
		for _, f := range got.Files {
			if f.Name == "frr.conf" {
				dryRun(t, string(f.Data))
			}
		}
		return got
	})
}

// bgpOutcome gives the archive with its outcome as it is.
func bgpOutcome(t *testing.T, archive *txtar.Archive) *txtar.Archive {
	t.Helper()
	var spec v1alpha1.SwitchConfigSpec
	left := map[string]bool{}
	out := &txtar.Archive{Comment: archive.Comment}
	for _, f := range archive.Files {
		switch f.Name {
		case "spec.yaml":
			if err := yaml.UnmarshalStrict(f.Data, &spec); err != nil {
				t.Fatal(err)
			}
		case "left out":
			for name := range strings.Lines(string(f.Data)) {
				left[strings.TrimSpace(name)] = true
			}
		default:
			continue // an outcome
		}
		out.Files = append(out.Files, f)
	}
	add := func(name, text string) {
		if text != "" {
			out.Files = append(out.Files, txtar.File{Name: name, Data: []byte(text)})
		}
	}
	box := render.Box{Name: "leaf1"}
	cfg, err := render.BGP(&spec, box, func(v *v1alpha1.VRFConfig) bool { return !left[v.Owner.String()] })
	if err != nil {
		add("error", err.Error()+"\n")
		return out
	}
	tree, problems := frr.Build(cfg)
	add("frr.conf", frr.File(cfg, tree))
	var told strings.Builder
	for _, p := range box.BGPProblems(problems) {
		fmt.Fprintf(&told, "%s: %s\n  %s\n", p.Owner, p.Reason, p.Message)
	}
	add("problems", told.String())
	return out
}

// dryRun has FRR's own shell check a frr.conf. Debian's knows no FPM of SONiC's.
func dryRun(t *testing.T, text string) {
	t.Helper()
	vtysh := labtest.Program(t, "vtysh", "frr")
	file := filepath.Join(t.TempDir(), "frr.conf")
	text = strings.NewReplacer("no fpm use-next-hop-groups\n", "", "fpm address 127.0.0.1\n", "").Replace(text)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(vtysh, "-C", "-f", file).CombinedOutput()
	if err != nil || len(bytes.TrimSpace(out)) > 0 {
		t.Errorf("vtysh -C: %v: %s", err, out)
	}
}

// What FRR refuses comes back with the owner as text.
func TestOwner(t *testing.T) {
	for _, owner := range []v1alpha1.ObjectReference{
		{Kind: v1alpha1.KindVPC, Namespace: "tenant-a", Name: "blue"},
		{Kind: v1alpha1.KindVPCAttachment, Namespace: "tenant-a", Name: "a.b"},
		{Kind: v1alpha1.KindSwitch, Name: "leaf1"},
	} {
		if got, err := render.Owner(owner.String()); err != nil || got != owner {
			t.Errorf("%v became %v, %v", owner, got, err)
		}
	}
	for _, text := range []string{"", "VPC", "VPC ", " blue"} {
		if got, err := render.Owner(text); err == nil {
			t.Errorf("%q became %v", text, got)
		}
	}
	if got := (render.Box{Name: "leaf1"}).OwnerOr("nobody"); got.Kind != v1alpha1.KindSwitch || got.Name != "leaf1" {
		t.Errorf("nobody's became %v", got)
	}
}

// Whatever FRR or somebody else's configuration says, a message fits into a
// Problem.
func TestMessagesAboutFRRAreBounded(t *testing.T) {
	long := strings.Repeat("ä", 5000)
	command := frr.Command{Context: []string{long}, Line: long}
	box := render.Box{Name: "leaf1"}
	messages := []string{render.RefusedByFRR(frr.Refusal{Command: command, Answer: long})}
	for _, p := range append(box.BGPConflicts([]frr.Conflict{{Kind: frr.Taken, Line: long, Other: long}, {Kind: frr.InUse, Line: long, Other: long}}),
		box.BGPProblems([]frr.Problem{{Message: long}})...) {
		messages = append(messages, p.Message)
	}
	for _, m := range messages {
		if len(m) > 1024 {
			t.Errorf("%d bytes: %.80s…", len(m), m)
		}
	}
}
