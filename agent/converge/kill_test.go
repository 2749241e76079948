package converge_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/switchlet/switchlet/agent/converge"
	"github.com/switchlet/switchlet/agent/report"
	"github.com/switchlet/switchlet/agent/state"
	"github.com/switchlet/switchlet/api/v1alpha1"
)

// childEnv makes the test program an agent that can be killed: its value is a
// file with a child.
const childEnv = "SWITCHLET_TEST_CHILD"

// child is what the agent process has to know.
type child struct {
	Files    converge.Files
	StateDir string
	Spec     v1alpha1.SwitchConfigSpec
}

func TestMain(m *testing.M) {
	if file := os.Getenv(childEnv); file != "" {
		if err := runChild(file); err != nil {
			slog.Error("child", "error", err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func runChild(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var c child
	if err := json.Unmarshal(text, &c); err != nil {
		return err
	}
	store, loaded, err := state.Open(c.StateDir)
	if err != nil {
		return err
	}
	inbox := converge.NewInbox()
	inbox.SetConfig(&v1alpha1.SwitchConfig{ObjectMeta: metav1.ObjectMeta{Name: "leaf1", UID: "1", Generation: 1}, Spec: c.Spec})
	inbox.SetSwitch(&v1alpha1.Switch{ObjectMeta: metav1.ObjectMeta{Name: "leaf1", Generation: 1}})
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	converge.New(converge.Config{
		Node: "leaf1", Files: c.Files, Store: store, Loaded: loaded, Inbox: inbox, Log: slog.New(slog.DiscardHandler),
		Report: func(report.Facts) {},
	}).Run(ctx)
	return nil
}

// Kill -9 at random moments, between specs that change everything: what is
// there in the end is exactly the last spec and the rows made by hand.
func TestKill(t *testing.T) {
	if testing.Short() {
		t.Skip("takes some seconds")
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	r := newRig(t)
	r.hset("VLAN|Vlan150", "vlanid", "150")
	r.before["VLAN|Vlan150"] = map[string]string{"vlanid": "150"}
	specs := []v1alpha1.SwitchConfigSpec{many("a", 100, 60), many("b", 130, 60), nothing("c"), many("d", 100, 60)}
	specs[3].VRFs[0].VNI, specs[3].VRFs[0].VLAN = 20002, 3002
	for i := range specs[3].Segments {
		specs[3].Segments[i].VRF = 20002
	}
	for range 40 {
		r.kill(specs[random.IntN(len(specs))], random.IntN(600))
		if changed := r.before.Minus(r.rows()); len(changed) > 0 {
			t.Fatalf("rows made by hand changed:\n%s", changed)
		}
	}
	r.start()
	r.write(specs[1])
	r.until("the last spec is in force", func(f report.Facts) bool { return f.AppliedRevision == "b" && f.Programmed.OK })
	interrupted := r.rows()
	r.apply(nothing("e"))
	r.becomes("everything is taken back", r.before)
	r.apply(specs[1])
	r.becomes("the same spec on a fresh switch gives the same rows", interrupted)
}

// many is a spec with n VLANs from first on.
func many(revision string, first, n int32) v1alpha1.SwitchConfigSpec {
	var vlans []int32
	for i := range n {
		vlans = append(vlans, first+i)
	}
	return spec(revision, vlans...)
}

// kill runs an agent process and kills it after a number of changes of
// CONFIG_DB, or when it has made all that it wants.
func (r *rig) kill(spec v1alpha1.SwitchConfigSpec, changes int) {
	r.t.Helper()
	subscription := r.operator.PSubscribe(r.t.Context(), "__keyspace@4__:*")
	defer subscription.Close()
	_, err := subscription.Receive(r.t.Context()) // the answer to the subscription
	r.must(err)
	cmd := r.child(spec)
	r.must(cmd.Start())
	for range changes {
		if _, err := subscription.ReceiveTimeout(r.t.Context(), 200*time.Millisecond); err != nil {
			break // it has nothing more to change
		}
	}
	r.must(cmd.Process.Kill())
	_ = cmd.Wait() // it was killed
}

// child is an agent process.
func (r *rig) child(spec v1alpha1.SwitchConfigSpec) *exec.Cmd {
	r.t.Helper()
	text, err := json.Marshal(child{
		Files:    converge.Files{DatabaseConfig: r.box.DatabaseConfig(), YANGDir: r.box.YANGDir(), Version: r.box.VersionFile()},
		StateDir: r.box.StateDir(), Spec: spec,
	})
	r.must(err)
	file := filepath.Join(r.t.TempDir(), "child.json")
	r.must(os.WriteFile(file, text, 0o600))
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+file)
	cmd.Stderr = r.t.Output()
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd
}

// count is a command's number of calls in Redis's statistics.
func count(stats, command string) string {
	for line := range strings.Lines(stats) {
		if rest, ok := strings.CutPrefix(line, command+":"); ok {
			calls, _, _ := strings.Cut(rest, ",")
			return calls
		}
	}
	return ""
}
