package proof_test

import (
	"context"
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/clientcmd"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/deploy/lab/daemons"
	"github.com/switchlet/switchlet/deploy/lab/demo"
	"github.com/switchlet/switchlet/deploy/lab/labtest"
	"github.com/switchlet/switchlet/deploy/lab/matrix/serve"
	"github.com/switchlet/switchlet/deploy/lab/rack"
	"github.com/switchlet/switchlet/deploy/lab/repo"
	"github.com/switchlet/switchlet/deploy/lab/screen"
	"github.com/switchlet/switchlet/deploy/lab/state"
	"github.com/switchlet/switchlet/deploy/lab/uml"
)

// options are what a person may say of a run.
type options struct {
	lab         *string
	transitions *int
	within      *time.Duration
	seed        *uint64
	failure     *string
	// spines, leaves and hosts of TestUpgrade.
	spines, leaves, hosts *int
}

// said are the options of this run.
var said = options{
	lab:         flag.String("lab", "", "use this lab, which is up, instead of a new one"),
	transitions: flag.Int("transitions", 60, "how many changes TestTransitions makes"),
	within:      flag.Duration("within", time.Hour, "TestTransitions makes no more changes after this time"),
	failure:     flag.String("failure", ".", "only those of TestFailures whose name matches this expression"),
	seed:        flag.Uint64("seed", 0, "of TestTransitions; 0 for one of its own"),
	spines:      flag.Int("spines", 1, "how many spines TestUpgrade has"),
	leaves:      flag.Int("leaves", 2, "how many leaves TestUpgrade has"),
	hosts:       flag.Int("hosts", 3, "how many hosts TestUpgrade has"),
}

// patience is how long anything may take that is not measured: the machine is slow.
const patience = 2 * time.Minute

// rig is a lab whose switches forward, with Switchlet deployed on it.
type rig struct {
	*testing.T
	lab     state.Lab
	rack    rack.Client
	matrix  *serve.Client
	cluster client.Client
	hosts   map[string]bool
	leaves  []string
	// switches are leaves and spines.
	switches []string
}

// start starts a lab that ends with the test, unless one is to be used that is there.
// recable, if not nil, is called before anybody looks at the cables.
func start(t *testing.T, size []string, recable func(*rig)) *rig {
	t.Helper()
	if testing.Short() {
		t.Skip("starts a whole lab")
	}
	if os.Geteuid() != 0 {
		labtest.Missing(t, "a lab needs root")
	}
	labtest.Program(t, "redis-server", "redis-server")
	if len(uml.Missing()) > 0 {
		labtest.Program(t, "linux.uml", "user-mode-linux")
	}
	labtest.Kubernetes(t)
	name := *said.lab
	if name == "" {
		name = "proof"
		up(t, name, size)
	}
	r := connect(t, name)
	if recable != nil {
		recable(r)
	}
	if err := r.cluster.Get(t.Context(), client.ObjectKey{Name: "default"}, &v1alpha1.Fabric{}); err != nil && !r.lab.SwitchPods {
		r.deploy() // else somebody has
	}
	return r
}

// up starts a lab in a folder of its own.
func up(t *testing.T, name string, size []string) {
	dir, err := os.MkdirTemp("", "proof") // short: it becomes a part of the paths of sockets
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	t.Setenv("SWITCHLET_LAB_DIR", filepath.Join(dir, "labs"))
	programs := map[string]string{"lab": "./deploy/lab", "agent": "./agent", "host-agent": "./cni/host", "switchlet": "./cni", "controller": "./controller"}
	for program, source := range programs {
		run(t, "go", "build", "-o", filepath.Join(dir, program), source)
	}
	lab := filepath.Join(dir, "lab")
	t.Cleanup(func() { run(t, lab, "down", "--name", name) })
	run(t, lab, append([]string{"up", "--name", name, "--forward", "--programs", dir}, size...)...)
}

// run runs a program in the root of the source tree.
func run(t *testing.T, program string, args ...string) {
	t.Helper()
	root, err := repo.Root()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, args...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s %v: %v\n%s", program, args, err, output)
	}
}

// connect finds what a lab has.
func connect(t *testing.T, name string) *rig {
	t.Helper()
	r := &rig{T: t, hosts: map[string]bool{}}
	var err error
	if r.lab, err = state.Load(name); err != nil {
		t.Fatal(err)
	}
	if r.rack, err = rack.Of(r.lab); err != nil {
		t.Fatal(err)
	}
	r.matrix = &serve.Client{URL: r.rack.URL() + "/matrix", HTTP: r.rack.HTTP()}
	nodes, err := r.lab.Nodes()
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range nodes {
		switch {
		case n.Host:
			r.hosts[n.Name] = true
		case n.Role == "leaf":
			r.leaves = append(r.leaves, n.Name)
			fallthrough
		case n.Role != "":
			r.switches = append(r.switches, n.Name)
		}
	}
	config, err := clientcmd.BuildConfigFromFlags("", r.lab.Kubeconfig())
	if err != nil {
		t.Fatal(err)
	}
	config.QPS = -1
	ctrl.SetLogger(logr.Discard())
	scheme := runtime.NewScheme()
	r.ok(errors.Join(corev1.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)))
	r.cluster, err = client.New(config, client.Options{Scheme: scheme})
	r.ok(err)
	_, _ = r.matrix.Stop(t.Context()) // a watch that an interrupted test has left
	t.Cleanup(func() {
		_, _ = r.matrix.Stop(context.Background()) // the same, if this one is interrupted
		r.ok(r.matrix.Set(context.Background(), "end", nil, nil))
	})
	return r
}

// ok ends the test on an error.
func (r *rig) ok(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

// demo is what deploys the product as a user would, and the file with what it says.
func (r *rig) demo() (show *demo.Demo, said string) {
	r.Helper()
	root, err := repo.Root()
	r.ok(err)
	file, err := os.Create(filepath.Join(r.TempDir(), "said"))
	r.ok(err)
	r.Cleanup(func() { file.Close() })
	return demo.New(r.lab, filepath.Join(root, "deploy"), screen.New(file, true)), file.Name()
}

// deploy deploys the product and waits until every switch routes over every cable.
func (r *rig) deploy() {
	r.Helper()
	show, said := r.demo()
	err := show.Deploy(r.Context())
	if err == nil {
		err = show.BringUpFabric(r.Context())
	}
	if err != nil {
		show.Explain(r.Context())
		text, _ := os.ReadFile(said)
		r.Fatalf("deploy: %v\n%s", err, text)
	}
}

// within waits until nothing is wrong any more.
func (r *rig) within(limit time.Duration, what string, wrong func() string) time.Duration {
	r.Helper()
	begin := time.Now()
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for {
		text := wrong()
		switch {
		case text == "":
			return time.Since(begin)
		case time.Since(begin) > limit:
			r.Fatalf("not within %v: %s: %s", limit, what, text)
		}
		select {
		case <-ticker.C:
		case <-r.Context().Done():
			r.Fatal(r.Context().Err())
		}
	}
}

// content fails if SONiC's daemons on a switch have to complain of what was written.
func (r *rig) content() {
	r.Helper()
	for _, name := range r.switches {
		report, err := daemons.Ask(r.Context(), r.lab.DaemonsSocket(name))
		r.ok(err)
		if !report.Clean() {
			r.Errorf("SONiC's daemons on %s are not content: running %t, %s", name, report.Running, report.Verdict())
		}
	}
}

// exec runs a shell's command on a node and returns what it prints.
func (r *rig) exec(node, command string) string {
	r.Helper()
	var out, complaints strings.Builder
	code, err := r.rack.Node(node).Exec(r.Context(), streams(&out, &complaints), "bash", "-c", command)
	if err != nil || code != 0 {
		r.Fatalf("%s: %s: exit code %d, %v: %s%s", node, command, code, err, out.String(), complaints.String())
	}
	return out.String()
}
