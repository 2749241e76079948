package reconcile_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/deploy/rbac/rbactest"
)

// fabric is a Fabric with 10,000 VNIs, 100 VLAN ids and 254 VTEP addresses.
func fabric() *v1alpha1.Fabric {
	return &v1alpha1.Fabric{
		ObjectMeta: metav1.ObjectMeta{Name: v1alpha1.FabricName},
		Spec: v1alpha1.FabricSpec{Pools: v1alpha1.Pools{
			VNI:  v1alpha1.VNIPool{Ranges: []v1alpha1.VNIRange{{First: 10000, Last: 19999}}},
			VLAN: v1alpha1.VLANPool{Ranges: []v1alpha1.VLANRange{{First: 100, Last: 199}}},
			VTEP: v1alpha1.VTEPPool{CIDRs: []string{"10.255.0.0/24"}},
		}},
	}
}

func class(name string, limits v1alpha1.VPCLimits) *v1alpha1.VPCClass {
	return &v1alpha1.VPCClass{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: v1alpha1.VPCClassSpec{Limits: limits}}
}

// vpc makes a VPC, named "namespace/name", of subnets such as "web 10.1.0.0/24".
func vpc(name string, subnets ...string) *v1alpha1.VPC {
	v := &v1alpha1.VPC{ObjectMeta: objectMeta(name)}
	for _, s := range subnets {
		words := strings.Fields(s)
		v.Spec.Subnets = append(v.Spec.Subnets, v1alpha1.Subnet{Name: words[0], CIDRs: words[1:]})
	}
	return v
}

// attach makes an attachment, named "namespace/name", of a subnet such as
// "blue/web" to a port such as "leaf1/Ethernet8".
func attach(name, subnet, port string) *v1alpha1.VPCAttachment {
	a := &v1alpha1.VPCAttachment{ObjectMeta: objectMeta(name)}
	a.Spec.VPC, a.Spec.Subnet, _ = strings.Cut(subnet, "/")
	a.Spec.Port.Switch, a.Spec.Port.Name, _ = strings.Cut(port, "/")
	return a
}

func native(a *v1alpha1.VPCAttachment) *v1alpha1.VPCAttachment {
	a.Spec.Mode = v1alpha1.ModeNative
	return a
}

// pin makes the Allocation of a VNI for a VPC, or for its subnet.
func pin(vni, vpc, subnet string) *v1alpha1.Allocation {
	m := objectMeta(vpc)
	return &v1alpha1.Allocation{
		ObjectMeta: metav1.ObjectMeta{Name: "vni-" + vni},
		Spec: v1alpha1.AllocationSpec{Pool: v1alpha1.PoolVNI, Value: vni, Holder: v1alpha1.Holder{
			ObjectReference: v1alpha1.ObjectReference{Kind: v1alpha1.KindVPC, Namespace: m.Namespace, Name: m.Name}, Subnet: subnet,
		}},
	}
}

func objectMeta(name string) metav1.ObjectMeta {
	namespace, name, _ := strings.Cut(name, "/")
	return metav1.ObjectMeta{Namespace: namespace, Name: name}
}

// fresh is an object that can be created again.
func fresh[T client.Object](o T) T {
	c := o.DeepCopyObject().(T)
	c.SetResourceVersion("")
	c.SetUID("")
	return c
}

func (l *lab) create(t *testing.T, objects ...client.Object) {
	t.Helper()
	for _, o := range objects {
		if err := l.Create(t.Context(), fresh(o)); err != nil {
			t.Fatal(err)
		}
	}
}

func (l *lab) delete(t *testing.T, objects ...client.Object) {
	t.Helper()
	for _, o := range objects {
		if err := l.Delete(t.Context(), fresh(o)); err != nil {
			t.Fatal(err)
		}
	}
}

// edit changes an object as kubectl edit does.
func edit[T client.Object](t *testing.T, l *lab, o T, change func(T)) {
	t.Helper()
	if err := l.Get(t.Context(), client.ObjectKeyFromObject(o), o); err != nil {
		t.Fatal(err)
	}
	patch := client.MergeFrom(o.DeepCopyObject().(client.Object))
	change(o)
	if err := l.Patch(t.Context(), o, patch); err != nil {
		t.Fatal(err)
	}
}

// get reads an object again.
func get[T client.Object](t *testing.T, l *lab, o T) T {
	t.Helper()
	now := fresh(o)
	if err := l.Get(t.Context(), client.ObjectKeyFromObject(o), now); err != nil {
		t.Fatal(err)
	}
	return now
}

func items(list client.ObjectList) []client.Object {
	var out []client.Object
	// The error is for lists of something else than objects.
	_ = meta.EachListItem(list, func(o runtime.Object) error {
		out = append(out, o.(client.Object))
		return nil
	})
	return out
}

func conditions(o client.Object) []metav1.Condition {
	switch o := o.(type) {
	case *v1alpha1.Fabric:
		return o.Status.Conditions
	case *v1alpha1.VPC:
		return o.Status.Conditions
	case *v1alpha1.VPCAttachment:
		return o.Status.Conditions
	case *v1alpha1.VPCPeering:
		return o.Status.Conditions
	case *v1alpha1.Allocation:
		return o.Status.Conditions
	case *v1alpha1.Switch:
		return o.Status.Conditions
	case *v1alpha1.Host:
		return o.Status.Conditions
	case *v1alpha1.Link:
		return o.Status.Conditions
	}
	return nil
}

// expect is a condition that an object is to have.
type expect struct {
	kind   string
	status metav1.ConditionStatus
	reason string
	words  []string // parts of the message
}

// wants waits until an object has a condition, of the present generation.
func (l *lab) wants(t *testing.T, o client.Object, e expect) {
	t.Helper()
	rbactest.Eventually(t, func() error {
		now := fresh(o)
		if err := l.Get(t.Context(), client.ObjectKeyFromObject(o), now); err != nil {
			return err
		}
		c := meta.FindStatusCondition(conditions(now), e.kind)
		if c == nil {
			return fmt.Errorf("%T %s has no condition %s", o, o.GetName(), e.kind)
		}
		if c.Status != e.status || c.Reason != e.reason || c.ObservedGeneration != now.GetGeneration() {
			return fmt.Errorf("%T %s: %s is %s %s of generation %d (%s); want %s %s of generation %d",
				o, o.GetName(), e.kind, c.Status, c.Reason, c.ObservedGeneration, c.Message, e.status, e.reason, now.GetGeneration())
		}
		var missing []error
		for _, w := range e.words {
			if !strings.Contains(c.Message, w) {
				missing = append(missing, fmt.Errorf("%T %s: %s says %q, without %q", o, o.GetName(), e.kind, c.Message, w))
			}
		}
		return errors.Join(missing...)
	})
}

// ready waits until a VPC is Ready on all of so many switches.
func (l *lab) ready(t *testing.T, v *v1alpha1.VPC, switches string) {
	t.Helper()
	rbactest.Eventually(t, func() error {
		now := fresh(v)
		if err := l.Get(t.Context(), client.ObjectKeyFromObject(v), now); err != nil {
			return err
		}
		c := meta.FindStatusCondition(now.Status.Conditions, v1alpha1.ConditionReady)
		if c == nil || c.Status != metav1.ConditionTrue || c.ObservedGeneration != now.Generation || now.Status.Switches != switches {
			return fmt.Errorf("VPC %s: on %q switches, Ready is %+v; want it True and %s", v.Name, now.Status.Switches, c, switches)
		}
		return nil
	})
}

// gone waits until an object does not exist.
func (l *lab) gone(t *testing.T, o client.Object) {
	t.Helper()
	rbactest.Eventually(t, func() error {
		err := l.Get(t.Context(), client.ObjectKeyFromObject(o), fresh(o))
		if err == nil {
			return fmt.Errorf("%T %s is still there", o, o.GetName())
		}
		return client.IgnoreNotFound(err)
	})
}

func (l *lab) allocations(t *testing.T) []v1alpha1.Allocation {
	t.Helper()
	var list v1alpha1.AllocationList
	if err := l.List(t.Context(), &list); err != nil {
		t.Fatal(err)
	}
	return list.Items
}

// config reads the SwitchConfig of a switch.
func (l *lab) config(t *testing.T, name string) *v1alpha1.SwitchConfig {
	t.Helper()
	return get(t, l, &v1alpha1.SwitchConfig{ObjectMeta: metav1.ObjectMeta{Name: name}})
}

// node makes a Node with a role as a kubelet does.
func node(name, role string) *corev1.Node {
	return &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{v1alpha1.LabelRole: role}}}
}
