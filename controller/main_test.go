package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/deploy/lab/controlplane"
	"github.com/switchlet/switchlet/deploy/lab/process"
	"github.com/switchlet/switchlet/deploy/rbac/rbactest"
)

// TestMain lets the test program be the controller, so that the controller can
// be killed.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"controller": main})
}

// Three copies of the controller: the first leads and is killed, the second
// takes over and is stopped, the third takes over. Meanwhile VPCs are created,
// and no identifier is held twice.
func TestFailover(t *testing.T) {
	cluster := rbactest.Start(t, controlplane.Config{})
	f := fleet{Client: cluster.Admin(t), cluster: cluster, kubeconfig: filepath.Join(t.TempDir(), "kubeconfig")}
	if err := cluster.WriteKubeconfig(f.kubeconfig, rbactest.ControllerUser, "system:serviceaccounts", "system:serviceaccounts:"+rbactest.Namespace); err != nil {
		t.Fatal(err)
	}
	f.fabric(t)

	first := f.start(t, "first")
	leader := f.leaderAfter(t, "")
	second := f.start(t, "second")
	for i := range 40 {
		if i == 20 { // amid the work of the ones before
			if err := first.Kill(); err != nil {
				t.Fatal(err)
			}
		}
		f.create(t, i)
	}
	f.allocated(t, 40)
	leader = f.leaderAfter(t, leader)

	f.start(t, "third")
	stopped := time.Now()
	if err := second.Stop(20 * time.Second); err != nil {
		t.Errorf("the second copy did not end in peace: %v", err)
	}
	f.leaderAfter(t, leader)
	if lease := 15 * time.Second; time.Since(stopped) >= lease {
		t.Errorf("the third copy leads %s after the second was stopped, so the lease was not given back", time.Since(stopped))
	}
	f.create(t, 40)
	f.allocated(t, 41)
}

// fleet is some copies of the controller in a cluster.
type fleet struct {
	client.Client
	cluster    *rbactest.Cluster
	kubeconfig string
}

// start starts a copy, which ends with the test.
func (f fleet) start(t *testing.T, name string) *process.Process {
	t.Helper()
	path, err := exec.LookPath("controller")
	if err != nil {
		t.Fatal(err)
	}
	p, err := process.Start(process.Program{
		Name: name, Path: path, Log: filepath.Join(t.TempDir(), name+".log"),
		Args: []string{
			"--kubeconfig", f.kubeconfig, "--leader-elect", "--leader-elect-namespace", rbactest.Namespace,
			"--metrics-bind-address", "0", "--health-probe-bind-address", "0",
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Kill(); err != nil {
			t.Error(err)
		}
		log, err := os.ReadFile(p.Log())
		if err != nil {
			t.Error(err)
		}
		for line := range strings.Lines(string(log)) {
			if strings.Contains(line, "forbidden") || strings.Contains(line, "panic") {
				t.Errorf("the %s copy says: %s", name, line)
			}
		}
	})
	return p
}

// fabric creates what the VPCs need.
func (f fleet) fabric(t *testing.T) {
	t.Helper()
	for _, o := range []client.Object{
		&v1alpha1.Fabric{
			ObjectMeta: metav1.ObjectMeta{Name: v1alpha1.FabricName},
			Spec: v1alpha1.FabricSpec{Pools: v1alpha1.Pools{
				VNI:  v1alpha1.VNIPool{Ranges: []v1alpha1.VNIRange{{First: 10000, Last: 10099}}}, // 82 are needed
				VLAN: v1alpha1.VLANPool{Ranges: []v1alpha1.VLANRange{{First: 100, Last: 199}}},
				VTEP: v1alpha1.VTEPPool{CIDRs: []string{"10.255.0.0/24"}},
			}},
		},
		&v1alpha1.VPCClass{ObjectMeta: metav1.ObjectMeta{Name: v1alpha1.VPCClassDefault}},
	} {
		if err := f.Create(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
}

// create creates a VPC.
func (f fleet) create(t *testing.T, i int) {
	t.Helper()
	vpc := &v1alpha1.VPC{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: fmt.Sprintf("vpc-%d", i)}}
	vpc.Spec.Subnets = []v1alpha1.Subnet{{Name: "web", CIDRs: []string{"10.1.0.0/24"}}}
	if err := f.Create(t.Context(), vpc); err != nil {
		t.Fatal(err)
	}
}

// leaderAfter waits until another copy leads than before, and returns its name.
func (f fleet) leaderAfter(t *testing.T, before string) string {
	t.Helper()
	now := ""
	rbactest.Eventually(t, func() error {
		var lease coordinationv1.Lease
		if err := f.Get(t.Context(), client.ObjectKey{Namespace: rbactest.Namespace, Name: "switchlet-controller"}, &lease); err != nil {
			return err
		}
		if lease.Spec.HolderIdentity != nil {
			now = *lease.Spec.HolderIdentity
		}
		if now == "" || now == before {
			return fmt.Errorf("the leader is %q", now)
		}
		return nil
	})
	return now
}

// allocated waits until so many VPCs are Ready and checks that each of them,
// and each subnet, has a VNI of its own and no second one.
func (f fleet) allocated(t *testing.T, n int) {
	t.Helper()
	var vpcs v1alpha1.VPCList
	rbactest.Eventually(t, func() error {
		if err := f.List(t.Context(), &vpcs); err != nil {
			return err
		}
		ready := 0
		for _, v := range vpcs.Items {
			if v.Status.VNI != 0 && len(v.Status.Subnets) == 1 && v.Status.Subnets[0].VNI != 0 {
				ready++
			}
		}
		if ready != n {
			return fmt.Errorf("%d of %d VPCs have their VNIs", ready, n)
		}
		return nil
	})
	holders := map[string]v1alpha1.Holder{}
	for _, v := range vpcs.Items {
		ref := v1alpha1.ObjectReference{Kind: v1alpha1.KindVPC, Namespace: v.Namespace, Name: v.Name}
		holders[fmt.Sprint(v.Status.VNI)] = v1alpha1.Holder{ObjectReference: ref}
		holders[fmt.Sprint(v.Status.Subnets[0].VNI)] = v1alpha1.Holder{ObjectReference: ref, Subnet: "web"}
	}
	if len(holders) != 2*n {
		t.Errorf("%d VPCs have %d VNIs, want %d different ones", n, len(holders), 2*n)
	}
	var allocations v1alpha1.AllocationList
	if err := f.List(t.Context(), &allocations); err != nil {
		t.Fatal(err)
	}
	for _, a := range allocations.Items {
		if holders[a.Spec.Value] != a.Spec.Holder {
			t.Errorf("VNI %s is allocated to %s and used by %s", a.Spec.Value, a.Spec.Holder, holders[a.Spec.Value])
		}
	}
	if len(allocations.Items) != 2*n {
		t.Errorf("there are %d Allocations, want %d", len(allocations.Items), 2*n)
	}
}
