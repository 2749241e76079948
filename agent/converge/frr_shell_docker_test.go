package converge_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/switchlet/switchlet/agent/converge"
	"github.com/switchlet/switchlet/agent/report"
	"github.com/switchlet/switchlet/agent/state"
	"github.com/switchlet/switchlet/sonic/docker/dockertest"
	"github.com/switchlet/switchlet/sonic/frr"
)

// FRR in a container of a real Docker daemon, as in SONiC's bgp container: it is
// told of tenants, hears everything again when its container has restarted, and
// nothing of others' is touched.
func TestFRRInItsContainer(t *testing.T) {
	d := dockertest.Start(t)
	d.StartFRR(t)
	for _, test := range []struct {
		name string
		ways converge.Ways
		by   string
	}{
		{"by Docker's layers", converge.Ways{Layers: d.Layers, Docker: d.Socket, Container: dockertest.Container}, "the sockets in " + d.Layers},
		{"by Docker's socket", converge.Ways{Layers: d.Layers + ".none", Docker: d.Socket, Container: dockertest.Container}, "vtysh in container bgp"},
	} {
		t.Run(test.name, func(t *testing.T) {
			d.Docker(t, "restart", "--time", "0", dockertest.Container)
			d.WaitForFRR(t)
			inContainer(t, d, converge.FindShell(test.ways), test.by)
		})
	}
}

func inContainer(t *testing.T, d *dockertest.Daemon, find func() (frr.Shell, string), want string) {
	shell, by := find()
	if shell == nil || by[:min(len(by), len(want))] != want {
		t.Fatalf("FRR is reached by %q, want %s…", by, want)
	}
	r := &onContainer{newRig(t), find}
	fresh := r.tree()
	mine := []frr.Command{{Context: []string{"vrf Vrf-mine"}, Line: "vni 20004"}}
	if answers, err := shell.Configure(t.Context(), mine); err != nil || len(answers) > 0 {
		t.Fatalf("%v, %v", answers, err)
	}
	others := r.tree()
	statements, _, err := state.OpenStatements(r.box.StateDir())
	r.must(err)
	r.config.FRR = converge.FRR{Shell: find, Statements: statements, Recheck: 100 * time.Millisecond}
	r.start()
	begin := time.Now()
	r.told(routed("r1", 1, 2, 3))
	t.Logf("three tenants by %s in %v", by, time.Since(begin))
	r.has("three tenants", words(wantFRR(t, routed("r1", 1, 2, 3)), others))

	d.Docker(t, "stop", "--time", "0", dockertest.Container)
	r.until("the condition says so", func(f report.Facts) bool {
		if f.Routed.Reason == "FRRUnreachable" {
			t.Log(f.Routed.Message)
		}
		return f.Routed.Reason == "FRRUnreachable" && f.Programmed.OK
	})
	d.Docker(t, "start", dockertest.Container)
	r.has("FRR is told again", words(wantFRR(t, routed("r1", 1, 2, 3)), fresh))
	r.until("and the condition says so", func(f report.Facts) bool { return f.Routed.OK })
	r.apply(nothing("r2"))
	r.has("FRR is as it was", words(fresh))
}

// onContainer is a rig with an FRR in a container.
type onContainer struct {
	*rig
	find func() (frr.Shell, string)
}

// tree is all that FRR has.
func (r *onContainer) tree() string {
	r.t.Helper()
	tree, err := r.running()
	r.must(err)
	return sortedTree(tree)
}

func (r *onContainer) running() (frr.Tree, error) {
	shell, _ := r.find()
	if shell == nil {
		return nil, fmt.Errorf("there is no way to FRR")
	}
	text, err := shell.Running(r.t.Context())
	if err != nil {
		return nil, err
	}
	return frr.Parse(text)
}

func (r *onContainer) has(what string, want map[string]bool) {
	r.t.Helper()
	r.eventually(what, func() error {
		tree, err := r.running()
		if err != nil {
			return err
		}
		if diff := cmp.Diff(want, words(sortedTree(tree))); diff != "" {
			return fmt.Errorf("FRR's statements (-want +got):\n%s", diff)
		}
		return nil
	})
}
