package main

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/switchlet/switchlet/agent/converge"
	"github.com/switchlet/switchlet/agent/probe"
	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/deploy/lab/box"
	"github.com/switchlet/switchlet/deploy/lab/controlplane"
	"github.com/switchlet/switchlet/deploy/lab/labtest"
)

// fabric is a real API server with our kinds, and a box with an agent.
type fabric struct {
	controlPlane *controlplane.ControlPlane
	client       client.WithWatch
	box          *box.Box
	before       box.Rows // as the box was before the agent came
	stop         func()   // ends the agent
}

func newFabric(t testing.TB) *fabric {
	t.Helper()
	f := &fabric{box: labtest.Box(t, box.Config{}), controlPlane: labtest.ControlPlane(t, controlplane.Config{})}
	config, err := clientcmd.BuildConfigFromFlags("", f.controlPlane.Kubeconfig())
	if err != nil {
		t.Fatal(err)
	}
	config.QPS = -1
	if _, err := envtest.InstallCRDs(config, envtest.CRDInstallOptions{Paths: []string{"../deploy/crd"}, ErrorIfPathMissing: true}); err != nil {
		t.Fatal(err)
	}
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	if f.client, err = client.NewWithWatch(config, client.Options{Scheme: scheme}); err != nil {
		t.Fatal(err)
	}
	f.before = f.rows(t)
	t.Cleanup(func() { labtest.NoMistakes(t, labtest.Daemons(t, f.box)) })
	f.start(t)
	return f
}

// start starts the agent, which ends with the test at the latest.
func (f *fabric) start(t testing.TB) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	opts := options{
		node: "leaf1", kubeconfig: f.controlPlane.Kubeconfig(), stateDir: f.box.StateDir(), configFile: f.box.ConfigFile(), metricsTo: f.metricsFile(),
		rules: probe.Rules{Window: 200 * time.Millisecond, Steady: 50 * time.Millisecond},
		files: converge.Files{DatabaseConfig: f.box.DatabaseConfig(), YANGDir: f.box.YANGDir(), Version: f.box.VersionFile()},
	}
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	go func() { ended <- run(ctx, opts, log) }()
	stopped := false
	f.stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(func() { f.stop() })
}

func (f *fabric) metricsFile() string { return filepath.Join(f.box.StateDir(), "agent.prom") }

func (f *fabric) rows(t testing.TB) box.Rows {
	t.Helper()
	rows, err := f.box.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func (f *fabric) create(t testing.TB, object client.Object) {
	t.Helper()
	if err := f.client.Create(t.Context(), object); err != nil {
		t.Fatal(err)
	}
}

// compile writes the spec as the controller does.
func (f *fabric) compile(t testing.TB, spec v1alpha1.SwitchConfigSpec) int64 {
	t.Helper()
	var config v1alpha1.SwitchConfig
	eventually(t, "the SwitchConfig is written", func() error {
		if err := f.client.Get(t.Context(), client.ObjectKey{Name: "leaf1"}, &config); err != nil {
			return err
		}
		config.Spec = spec
		return f.client.Update(t.Context(), &config)
	})
	return config.Generation
}

// config is the SwitchConfig once it says what it should.
func (f *fabric) config(t testing.TB, what string, ok func(*v1alpha1.SwitchConfig) bool) *v1alpha1.SwitchConfig {
	t.Helper()
	var config v1alpha1.SwitchConfig
	eventually(t, what, func() error {
		if err := f.client.Get(t.Context(), client.ObjectKey{Name: "leaf1"}, &config); err != nil {
			return err
		}
		if !ok(&config) {
			return fmt.Errorf("status is %+v", config.Status)
		}
		return nil
	})
	return &config
}

func applied(generation int64) func(*v1alpha1.SwitchConfig) bool {
	return func(c *v1alpha1.SwitchConfig) bool {
		return c.Status.AppliedGeneration == generation && meta.IsStatusConditionTrue(c.Status.Conditions, v1alpha1.ConditionReady)
	}
}

// confirmed is applied, and has stood its trial: it stays whatever happens.
func confirmed(generation int64) func(*v1alpha1.SwitchConfig) bool {
	return func(c *v1alpha1.SwitchConfig) bool {
		trial := meta.FindStatusCondition(c.Status.Conditions, v1alpha1.ConfigConfirmed)
		return applied(generation)(c) && trial != nil && trial.Reason == "Confirmed"
	}
}

// eventually tries until there is no error, or fails the test.
func eventually(t testing.TB, what string, try func() error) {
	t.Helper()
	deadline := time.Now().Add(60 * time.Second)
	for {
		err := try()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("never: %s: %v", what, err)
		}
		time.Sleep(time.Millisecond)
	}
}

// spec has one VPC with n subnets.
func spec(revision string, n int) v1alpha1.SwitchConfigSpec {
	blue := v1alpha1.ObjectReference{Kind: v1alpha1.KindVPC, Namespace: "tenant", Name: "blue"}
	s := v1alpha1.SwitchConfigSpec{
		Revision: revision, VTEP: "10.255.0.1", AnycastMAC: "00:00:5e:00:01:01",
		VRFs: []v1alpha1.VRFConfig{{VNI: 20001, VLAN: 3001, Owner: blue}},
	}
	for i := range int32(n) {
		s.Segments = append(s.Segments, v1alpha1.SegmentConfig{
			VLAN: 100 + i, VNI: 10100 + i, VRF: 20001, Gateways: []string{fmt.Sprintf("10.%d.%d.1/24", 1+i/256, i%256)},
			Owner: blue, Subnet: fmt.Sprintf("s%d", i),
			Ports: []v1alpha1.SegmentPort{{Name: "Ethernet0", Mode: v1alpha1.ModeTagged,
				Owner: v1alpha1.ObjectReference{Kind: v1alpha1.KindVPCAttachment, Namespace: "tenant", Name: "web"}}},
		})
	}
	return s
}

// The whole way, against a real API server and a real Redis.
func TestAgent(t *testing.T) {
	f := newFabric(t)
	f.create(t, &v1alpha1.Switch{ObjectMeta: metav1.ObjectMeta{Name: "leaf1"}, Spec: v1alpha1.SwitchSpec{Role: v1alpha1.RoleLeaf}})
	eventually(t, "the Switch is reported", func() error {
		var self v1alpha1.Switch
		if err := f.client.Get(t.Context(), client.ObjectKey{Name: "leaf1"}, &self); err != nil {
			return err
		}
		if !meta.IsStatusConditionTrue(self.Status.Conditions, v1alpha1.ConditionReady) || len(self.Status.Ports) != 33 ||
			!slices.Equal(self.Status.ForeignVLANs, []int32{10, 11}) || self.Status.Gateway != v1alpha1.GatewayMACAddress {
			return fmt.Errorf("status is %+v", self.Status)
		}
		return nil
	})
	f.create(t, &v1alpha1.SwitchConfig{ObjectMeta: metav1.ObjectMeta{Name: "leaf1"}})
	f.config(t, "an empty spec is not applied", func(c *v1alpha1.SwitchConfig) bool {
		ready := meta.FindStatusCondition(c.Status.Conditions, v1alpha1.ConditionReady)
		return ready != nil && ready.Reason == "Progressing"
	})

	generation := f.compile(t, spec("r1", 1))
	config := f.config(t, "the spec is in force", confirmed(generation))
	if !slices.Equal(config.Status.VNIs, []int32{10100, 20001}) || !slices.Equal(config.Status.VTEPs, []string{"10.255.0.1"}) {
		t.Errorf("VNIs %v, VTEPs %v", config.Status.VNIs, config.Status.VTEPs)
	}
	written := f.rows(t)
	if f.before.Minus(written).String() != "" {
		t.Errorf("rows made by hand changed: %s", f.before.Minus(written))
	}

	// A restart writes nothing, and conditions keep their times.
	f.stop()
	f.start(t)
	again := f.config(t, "the status is the same after a restart", confirmed(generation))
	if diff := cmp.Diff(config.Status.Conditions, again.Status.Conditions); diff != "" {
		t.Errorf("conditions after a restart:\n%s", diff)
	}

	// An empty revision empties the switch.
	generation = f.compile(t, v1alpha1.SwitchConfigSpec{Revision: "r3"})
	config = f.config(t, "everything is taken back", applied(generation))
	if len(config.Status.VNIs)+len(config.Status.VTEPs) > 0 {
		t.Errorf("VNIs %v, VTEPs %v", config.Status.VNIs, config.Status.VTEPs)
	}
	if diff := cmp.Diff(f.before, f.rows(t)); diff != "" {
		t.Errorf("rows (-before the agent +after):\n%s", diff)
	}
}

// Without the API server the agent goes on with what it has.
func TestAPIServerAway(t *testing.T) {
	f := newFabric(t)
	f.create(t, &v1alpha1.Switch{ObjectMeta: metav1.ObjectMeta{Name: "leaf1"}, Spec: v1alpha1.SwitchSpec{Role: v1alpha1.RoleLeaf}})
	f.create(t, &v1alpha1.SwitchConfig{ObjectMeta: metav1.ObjectMeta{Name: "leaf1"}, Spec: spec("r1", 1)})
	f.config(t, "the spec is in force", confirmed(1))
	written := f.rows(t)
	if err := f.controlPlane.KillAPIServer(); err != nil {
		t.Fatal(err)
	}
	f.stop()
	f.start(t)
	if err := f.box.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the rows are back after config reload", func() error {
		if diff := cmp.Diff(written, f.rows(t)); diff != "" {
			return fmt.Errorf("rows:\n%s", diff)
		}
		return nil
	})
	if err := f.controlPlane.StartAPIServer(t.Context()); err != nil {
		t.Fatal(err)
	}
	generation := f.compile(t, spec("r2", 2))
	f.config(t, "a change after the API server was away is applied", applied(generation))

	// A deleted SwitchConfig leaves everything as it is; made anew, it goes on.
	before := f.rows(t)
	if err := f.client.Delete(t.Context(), &v1alpha1.SwitchConfig{ObjectMeta: metav1.ObjectMeta{Name: "leaf1"}}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the SwitchConfig is gone", func() error {
		err := f.client.Get(t.Context(), client.ObjectKey{Name: "leaf1"}, &v1alpha1.SwitchConfig{})
		if !apierrors.IsNotFound(err) {
			return fmt.Errorf("error is %w", err)
		}
		return nil
	})
	f.create(t, &v1alpha1.SwitchConfig{ObjectMeta: metav1.ObjectMeta{Name: "leaf1"}, Spec: spec("r2", 2)})
	f.config(t, "the new SwitchConfig is applied", applied(1))
	if diff := cmp.Diff(before, f.rows(t)); diff != "" {
		t.Errorf("rows changed:\n%s", diff)
	}
}

// BenchmarkSpecToStatus is the time from writing a SwitchConfig to the status
// that says that its rows are in CONFIG_DB, on a leaf with ever more subnets.
func BenchmarkSpecToStatus(b *testing.B) {
	f := newFabric(b)
	f.create(b, &v1alpha1.Switch{ObjectMeta: metav1.ObjectMeta{Name: "leaf1"}, Spec: v1alpha1.SwitchSpec{Role: v1alpha1.RoleLeaf}})
	f.create(b, &v1alpha1.SwitchConfig{ObjectMeta: metav1.ObjectMeta{Name: "leaf1"}, Spec: spec("r0", 1)})
	f.config(b, "the first spec is applied", applied(1))
	n := 1
	for b.Loop() {
		n++
		generation := f.compile(b, spec(fmt.Sprint("r", n), 1+n%2000))
		f.config(b, "the spec is applied", applied(generation))
	}
}
