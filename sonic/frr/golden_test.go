package frr

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"sigs.k8s.io/yaml"

	"github.com/switchlet/switchlet/deploy/lab/labtest"
	"github.com/switchlet/switchlet/deploy/lab/labtest/golden"
)

// TestScenarios goes through testdata: config is the model; running is what FRR
// has (nothing if it is missing) and owned what of it is Switchlet's. What comes
// of it is frr.conf, delta, problems and conflicts.
func TestScenarios(t *testing.T) {
	golden.Archives(t, "testdata/*.txtar", func(t *testing.T, archive *txtar.Archive) *txtar.Archive {
		got := scenario(t, archive)
		dryRun(t, got["frr.conf"])
		return outcome(archive, got)
	})
}

func results() []string { return []string{"frr.conf", "delta", "problems", "conflicts"} }

func scenario(t *testing.T, archive *txtar.Archive) map[string]string {
	t.Helper()
	var cfg Config
	if err := yaml.UnmarshalStrict([]byte(read(archive, "config")), &cfg); err != nil {
		t.Fatal(err)
	}
	want, problems := Build(&cfg)
	plan := Delta(parse(t, read(archive, "running")), want, parse(t, read(archive, "owned")))
	got := map[string]string{"frr.conf": File(&cfg, want), "delta": plan.String()}
	for _, p := range problems {
		got["problems"] += p.Owner + ": " + p.Message + "\n"
	}
	for _, c := range plan.Conflicts {
		got["conflicts"] += c.Owner + ": " + c.String() + "\n"
	}
	return got
}

func read(archive *txtar.Archive, name string) string {
	for _, f := range archive.Files {
		if f.Name == name {
			return string(f.Data)
		}
	}
	return ""
}

// outcome is the archive with what came of it; what is empty is not there.
func outcome(archive *txtar.Archive, got map[string]string) *txtar.Archive {
	out := &txtar.Archive{Comment: archive.Comment}
	for _, section := range append([]string{"config", "running", "owned"}, results()...) {
		text, seen := got[section]
		if !seen {
			text = read(archive, section)
		}
		if text != "" {
			out.Files = append(out.Files, txtar.File{Name: section, Data: []byte(text)})
		}
	}
	return out
}

// dryRun has FRR's own shell check a frr.conf.
func dryRun(t *testing.T, text string) {
	t.Helper()
	labtest.Program(t, "vtysh", "frr")
	file := filepath.Join(t.TempDir(), "frr.conf")
	// Debian's vtysh has no FPM of SONiC's.
	text = strings.NewReplacer("no fpm use-next-hop-groups\n", "", "fpm address 127.0.0.1\n", "").Replace(text)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := run(t.Context(), []string{"vtysh", "-C", "-f", file}, "")
	if err != nil || out.Status != 0 || strings.TrimSpace(out.Stdout+out.Stderr) != "" {
		t.Errorf("vtysh -C: %+v, %v", out, err)
	}
}
