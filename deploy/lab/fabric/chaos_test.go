package fabric

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/deploy/lab/box"
	"github.com/switchlet/switchlet/deploy/lab/labtest"
	"github.com/switchlet/switchlet/deploy/lab/process"
	"github.com/switchlet/switchlet/deploy/lab/swss"
)

var (
	seed    = flag.Uint64("chaos.seed", 0, "seed of the random changes and kills; 0 for a new one")
	changes = flag.Int("chaos.changes", 100, "how many random changes to make")
)

// Kill -9 of agents, controller and API server at random moments during random
// VPC changes ends in the right CONFIG_DB on every leaf, with no row changed
// that was made by hand, and with nothing written that SONiC's daemons cannot
// take or in an order that they cannot.
func TestKilledAtRandomMomentsItEndsRight(t *testing.T) {
	if testing.Short() {
		t.Skip("runs a control plane for a minute")
	}
	if *seed == 0 {
		*seed = rand.Uint64()
	}
	t.Logf("seed: go test ./deploy/lab/fabric -run %s -chaos.seed=%d -chaos.changes=%d", t.Name(), *seed, *changes)
	f := start(t, 3)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	before := snapshots(ctx, t, f)
	tenants := newTenants(ctx, t, f, rand.New(rand.NewPCG(*seed, 1)))

	killing, stop := context.WithCancel(ctx)
	var killer sync.WaitGroup
	kills := map[string]int{}
	killer.Go(func() { kill(killing, t, f, rand.New(rand.NewPCG(*seed, 2)), kills) })
	for i := range *changes {
		if err := tenants.change(ctx, i); err != nil {
			t.Fatalf("change %d: %v", i, err)
		}
		pause(ctx, tenants.rand, 500*time.Millisecond) // so that kills hit the work as well as the rest
	}
	stop()
	killer.Wait()
	t.Logf("killed: %v", kills)
	tenants.converge(ctx, before)
	for _, leaf := range f.Leaves {
		labtest.NoMistakes(t, labtest.Daemons(t, leaf.Box))
	}
}

// start runs a fabric that ends with the test and shows its logs if that failed.
func start(t *testing.T, leaves int) *Fabric {
	t.Helper()
	labtest.Program(t, "redis-server", "redis-server")
	f, err := Start(t.Context(), Config{
		Dir: t.TempDir(), Kubernetes: labtest.Kubernetes(t), Leaves: leaves,
		ConfirmWindow: time.Second, Daemons: swss.Config{Manager: 2 * time.Millisecond, Orchagent: 2 * time.Millisecond},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Stop(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			for _, log := range f.Logs() {
				t.Logf("%s:\n%s", log, process.Tail(log, 20))
			}
		}
	})
	return f
}

func snapshots(ctx context.Context, t *testing.T, f *Fabric) map[string]box.Rows {
	t.Helper()
	out := map[string]box.Rows{}
	for name, leaf := range f.Leaves {
		rows, err := leaf.Snapshot(ctx)
		if err != nil {
			t.Fatal(err)
		}
		out[name] = rows
	}
	return out
}

// kill kills one program after another, at random, and starts it again.
func kill(ctx context.Context, t *testing.T, f *Fabric, r *rand.Rand, kills map[string]int) {
	leaves := slices.Sorted(maps.Keys(f.Leaves))
	for pause(ctx, r, 700*time.Millisecond) {
		var victim string
		var err error
		switch n := r.IntN(10); {
		case n < 6:
			leaf := leaves[r.IntN(len(leaves))]
			victim, err = "agent", chain(f.KillAgent(leaf), func() error { return f.StartAgent(leaf) })
		case n < 9:
			victim, err = "controller", chain(f.KillController(), f.StartController)
		default:
			victim, err = "API server", chain(f.ControlPlane.KillAPIServer(), func() error {
				return f.ControlPlane.StartAPIServer(context.WithoutCancel(ctx))
			})
		}
		kills[victim]++
		if err != nil {
			t.Errorf("kill and start the %s: %v", victim, err)
			return
		}
	}
}

// pause takes a random time, less than the longest one, and reports false when
// ctx ended.
func pause(ctx context.Context, r *rand.Rand, longest time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(time.Duration(r.Int64N(int64(longest)))):
		return true
	}
}

// chain does what follows if the first step went well.
func chain(err error, then func() error) error {
	if err != nil {
		return err
	}
	return then()
}

// tenants make random changes and remember what they asked for.
type tenants struct {
	oracle
	t    *testing.T
	f    *Fabric
	rand *rand.Rand
}

func newTenants(ctx context.Context, t *testing.T, f *Fabric, r *rand.Rand) *tenants {
	t.Helper()
	x := &tenants{oracle{map[types.NamespacedName]*v1alpha1.VPC{}, map[types.NamespacedName]*v1alpha1.VPCAttachment{}}, t, f, r}
	objects := []client.Object{
		&v1alpha1.Fabric{ObjectMeta: metav1.ObjectMeta{Name: v1alpha1.FabricName}, Spec: v1alpha1.FabricSpec{
			Pools: v1alpha1.Pools{
				VNI:  v1alpha1.VNIPool{Ranges: []v1alpha1.VNIRange{{First: 10000, Last: 10099}}},
				VLAN: v1alpha1.VLANPool{Ranges: []v1alpha1.VLANRange{{First: 100, Last: 139}}},
				VTEP: v1alpha1.VTEPPool{CIDRs: []string{"10.255.0.0/28"}},
			},
		}},
		&v1alpha1.VPCClass{ObjectMeta: metav1.ObjectMeta{Name: v1alpha1.VPCClassDefault}},
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "tenant-a"}},
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "tenant-b"}},
	}
	if err := f.Apply(ctx, objects...); err != nil {
		t.Fatal(err)
	}
	return x
}

// change makes one random change, again and again until the API server takes it.
func (x *tenants) change(ctx context.Context, i int) error {
	name := types.NamespacedName{Namespace: []string{"tenant-a", "tenant-b"}[x.rand.IntN(2)], Name: fmt.Sprintf("vpc%d", x.rand.IntN(4))}
	vpc := x.vpcs[name]
	switch n := x.rand.IntN(10); {
	case vpc == nil || n < 3:
		x.vpcs[name] = x.newVPC(name)
		return x.apply(ctx, x.vpcs[name])
	case n < 4:
		delete(x.vpcs, name)
		return x.remove(ctx, vpc)
	case n < 8 || len(x.attachments) == 0:
		a := x.newAttachment(types.NamespacedName{Namespace: name.Namespace, Name: fmt.Sprintf("a%d", i)}, vpc)
		if x.taken(a) {
			return nil
		}
		x.attachments[client.ObjectKeyFromObject(a)] = a
		return x.apply(ctx, a)
	}
	names := slices.SortedFunc(maps.Keys(x.attachments), func(a, b types.NamespacedName) int {
		return slices.Compare([]string{a.Namespace, a.Name}, []string{b.Namespace, b.Name})
	})
	victim := names[x.rand.IntN(len(names))]
	a := x.attachments[victim]
	delete(x.attachments, victim)
	return x.remove(ctx, a)
}

func (x *tenants) newVPC(name types.NamespacedName) *v1alpha1.VPC {
	vpc := &v1alpha1.VPC{ObjectMeta: metav1.ObjectMeta{Namespace: name.Namespace, Name: name.Name}}
	vpc.Spec.Class = v1alpha1.VPCClassDefault
	for i := range 1 + x.rand.IntN(3) {
		s := v1alpha1.Subnet{Name: fmt.Sprintf("s%d", i), CIDRs: []string{fmt.Sprintf("10.%d.%d.0/24", x.rand.IntN(3), i)}}
		if x.rand.IntN(2) == 0 {
			s.CIDRs = append(s.CIDRs, fmt.Sprintf("fd00:%x::/64", i+1))
		}
		if x.rand.IntN(3) == 0 {
			s.Gateways = []string{s.CIDRs[0][:len(s.CIDRs[0])-len("0/24")] + "254"}
		}
		vpc.Spec.Subnets = append(vpc.Spec.Subnets, s)
	}
	return vpc
}

func (x *tenants) newAttachment(name types.NamespacedName, vpc *v1alpha1.VPC) *v1alpha1.VPCAttachment {
	ports := []string{"Ethernet0", "Ethernet4", "Ethernet8", "Ethernet12", "PortChannel0001"}
	a := &v1alpha1.VPCAttachment{ObjectMeta: metav1.ObjectMeta{Namespace: name.Namespace, Name: name.Name}}
	a.Spec = v1alpha1.VPCAttachmentSpec{
		VPC: vpc.Name, Subnet: vpc.Spec.Subnets[x.rand.IntN(len(vpc.Spec.Subnets))].Name,
		Port: v1alpha1.PortReference{Switch: fmt.Sprintf("leaf%d", 1+x.rand.IntN(len(x.f.Leaves))), Name: ports[x.rand.IntN(len(ports))]},
		Mode: []v1alpha1.AttachmentMode{v1alpha1.ModeTagged, v1alpha1.ModeTagged, v1alpha1.ModeNative}[x.rand.IntN(3)],
	}
	return a
}

// taken says whether an attachment excludes another one that there is: those
// have a test of their own.
func (x *tenants) taken(a *v1alpha1.VPCAttachment) bool {
	for _, b := range x.attachments {
		same := a.Namespace == b.Namespace && a.Spec.VPC == b.Spec.VPC && a.Spec.Subnet == b.Spec.Subnet
		native := a.Spec.Mode == v1alpha1.ModeNative && b.Spec.Mode == v1alpha1.ModeNative
		if a.Spec.Port == b.Spec.Port && (same || native) {
			return true
		}
	}
	return false
}

func (x *tenants) apply(ctx context.Context, o client.Object) error {
	return retry(ctx, func() error { return x.f.Apply(ctx, o.DeepCopyObject().(client.Object)) })
}

func (x *tenants) remove(ctx context.Context, o client.Object) error {
	return retry(ctx, func() error { return client.IgnoreNotFound(x.f.Client.Delete(ctx, o)) })
}

// retry tries until it works: the API server is away at times.
func retry(ctx context.Context, try func() error) error {
	var last error
	err := wait.PollUntilContextTimeout(ctx, 50*time.Millisecond, time.Minute, true, func(context.Context) (bool, error) {
		last = try()
		return last == nil, nil
	})
	if err != nil {
		return last
	}
	return nil
}

// converge waits until every leaf has the rows that it should have, and those
// that it had before, and no others.
func (x *tenants) converge(ctx context.Context, before map[string]box.Rows) {
	x.t.Helper()
	leaves := slices.Sorted(maps.Keys(x.f.Leaves))
	var diff string
	err := wait.PollUntilContextTimeout(ctx, 100*time.Millisecond, time.Minute, true, func(ctx context.Context) (bool, error) {
		want, err := x.rows(ctx, x.f.Client, leaves)
		if err != nil {
			diff = err.Error()
			return false, nil //nolint:nilerr // the API server may be away
		}
		for _, leaf := range leaves {
			maps.Copy(want[leaf], before[leaf])
		}
		diff = cmp.Diff(want, snapshots(ctx, x.t, x.f))
		return diff == "", nil
	})
	if err != nil {
		x.t.Fatalf("the leaves' CONFIG_DBs are not what they should be (-want +got):\n%s", diff)
	}
}
