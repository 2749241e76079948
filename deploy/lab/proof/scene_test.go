package proof_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/deploy/lab/matrix"
	"github.com/switchlet/switchlet/deploy/lab/node/control"
)

// mtu of endpoints: what fits into a VXLAN tunnel over cables of 9100, rounded down.
const mtu = 9000

func streams(out, complaints io.Writer) control.Streams {
	return control.Streams{Out: out, Err: complaints}
}

// apply makes objects, or makes those that are there like this.
func (r *rig) apply(objects ...client.Object) {
	r.Helper()
	for _, o := range objects {
		r.ok(apply(r.Context(), r.cluster, o))
	}
}

// apply goes on until nobody else has written meanwhile: the controller does. An object
// that is on its way out is waited for.
func apply(ctx context.Context, c client.Client, o client.Object) error {
	for {
		have := o.DeepCopyObject().(client.Object)
		err := c.Get(ctx, client.ObjectKeyFromObject(o), have)
		switch {
		case apierrors.IsNotFound(err):
			err = c.Create(ctx, o.DeepCopyObject().(client.Object))
		case err == nil && have.GetDeletionTimestamp() == nil:
			spec(have, o)
			err = c.Update(ctx, have)
		}
		if !apierrors.IsConflict(err) && !apierrors.IsAlreadyExists(err) && have.GetDeletionTimestamp() == nil {
			return err
		}
		pause(ctx, 20*time.Millisecond)
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// spec makes the spec of an object that of another one. Allocations never change.
func spec(have, want client.Object) {
	switch have := have.(type) {
	case *v1alpha1.VPC:
		class := have.Spec.Class
		have.Spec = want.(*v1alpha1.VPC).Spec
		have.Spec.Class = class
	case *v1alpha1.VPCAttachment:
		have.Spec = want.(*v1alpha1.VPCAttachment).Spec
	}
}

// vpc is a VPC in namespace default.
func vpc(name string, subnets ...v1alpha1.Subnet) *v1alpha1.VPC {
	return &v1alpha1.VPC{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name}, Spec: v1alpha1.VPCSpec{Subnets: subnets}}
}

// dual is a subnet of both families; the same numbers in all VPCs.
func dual(name string, number int) v1alpha1.Subnet {
	return v1alpha1.Subnet{Name: name, CIDRs: []string{fmt.Sprintf("10.1.%d.0/24", number), fmt.Sprintf("fd00:%d::/64", number)}}
}

// attach joins hosts with a label to a subnet, or all hosts if it is empty.
func attach(name, vpc, subnet, label string, mode v1alpha1.AttachmentMode, nics ...string) *v1alpha1.VPCAttachment {
	hosts := &v1alpha1.HostSelection{NICs: nics, All: label == ""}
	if key, value, ok := strings.Cut(label, "="); ok {
		hosts.Selector.MatchLabels = map[string]string{key: value}
	}
	return &v1alpha1.VPCAttachment{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name},
		Spec:       v1alpha1.VPCAttachmentSpec{VPC: vpc, Subnet: subnet, Hosts: hosts, Mode: mode},
	}
}

// pin is an Allocation by which the network team chooses a VNI.
func pin(vni, vpc, subnet string) *v1alpha1.Allocation {
	return &v1alpha1.Allocation{
		ObjectMeta: metav1.ObjectMeta{Name: "vni-" + vni},
		Spec: v1alpha1.AllocationSpec{Pool: v1alpha1.PoolVNI, Value: vni, Holder: v1alpha1.Holder{
			ObjectReference: v1alpha1.ObjectReference{Kind: "VPC", Namespace: "default", Name: vpc}, Subnet: subnet}},
	}
}

// objects are what the cluster has.
func (r *rig) objects(ctx context.Context) (matrix.Objects, error) {
	var vpcs v1alpha1.VPCList
	var attachments v1alpha1.VPCAttachmentList
	err := errors.Join(r.cluster.List(ctx, &vpcs), r.cluster.List(ctx, &attachments))
	return matrix.Objects{VPCs: vpcs.Items, Attachments: attachments.Items}, err
}

// unready says which VPCs and attachments are not Ready as they are written.
func unready(o matrix.Objects) string {
	var wrong []string
	check := func(kind string, object client.Object, conditions []metav1.Condition) {
		c := meta.FindStatusCondition(conditions, "Ready")
		switch {
		case c == nil || c.ObservedGeneration != object.GetGeneration():
			wrong = append(wrong, kind+" "+object.GetName()+" is new")
		case c.Status != metav1.ConditionTrue:
			wrong = append(wrong, kind+" "+object.GetName()+": "+c.Reason+": "+c.Message)
		}
	}
	for i := range o.VPCs {
		check("VPC", &o.VPCs[i], o.VPCs[i].Status.Conditions)
	}
	for i := range o.Attachments {
		check("VPCAttachment", &o.Attachments[i], o.Attachments[i].Status.Conditions)
	}
	return strings.Join(wrong, "; ")
}

// ready waits until everything is Ready and n endpoints are there, and returns them.
func (r *rig) ready(n int) []matrix.Endpoint {
	r.Helper()
	var endpoints []matrix.Endpoint
	took := r.within(patience, "everything is Ready", func() string {
		objects, err := r.objects(r.Context())
		r.ok(err)
		if wrong := unready(objects); wrong != "" {
			return wrong
		}
		var problems []matrix.Problem
		if endpoints, problems = matrix.Endpoints(objects, mtu, r.isHost); len(problems) > 0 {
			return fmt.Sprint(problems)
		}
		if len(endpoints) != n {
			return fmt.Sprintf("there are %d endpoints, want %d", len(endpoints), n)
		}
		return ""
	})
	r.Logf("%d endpoints are Ready after %v", n, took.Round(10*time.Millisecond))
	return endpoints
}

func (r *rig) isHost(name string) bool { return r.hosts[name] }

// confirmed waits until no change of a switch is on trial: what breaks during one is
// thought to be broken by the change, which is taken back.
func (r *rig) confirmed() {
	r.Helper()
	r.within(patience, "all changes are confirmed", r.unconfirmed)
}

// unconfirmed says of which switch a change is on trial, or was taken back.
func (r *rig) unconfirmed() string {
	r.Helper()
	var configs v1alpha1.SwitchConfigList
	r.ok(r.cluster.List(r.Context(), &configs))
	for _, s := range configs.Items {
		c := meta.FindStatusCondition(s.Status.Conditions, "Confirmed")
		if c == nil || c.Reason != "Confirmed" || c.ObservedGeneration != s.Generation {
			return fmt.Sprintf("%s: %+v", s.Name, c)
		}
	}
	return ""
}

// set makes the endpoints real.
func (r *rig) set(name string, endpoints []matrix.Endpoint) {
	r.Helper()
	r.ok(r.matrix.Set(r.Context(), name, endpoints, matrix.VPCRules().Expect(endpoints)))
}

// settling is how long hosts may not reach each other yet that have to, once their VPCs are
// Ready: BGP tells the other leaves where they are within seconds.
const settling = 30 * time.Second

// check asks everyone for everyone and fails on any difference to what is expected: at
// once if somebody is reached who must not be, else if it does not go away, however long
// it takes to ask once.
func (r *rig) check(endpoints []matrix.Endpoint) {
	r.Helper()
	expect := matrix.VPCRules().Expect(endpoints)
	begin := time.Now()
	for asked := 1; ; asked++ {
		answer, err := r.matrix.Probe(r.Context(), 5*time.Second)
		r.ok(err)
		result := matrix.Compare(endpoints, expect, answer.Observations)
		r.Logf("%d endpoints, %d pairs, %d of them reach each other; %d questions within %.1f s, the slowest answer after %v; %d differences",
			len(endpoints), result.Pairs, result.Reach, result.Questions, answer.Seconds, result.Slowest.Round(time.Millisecond), len(result.Differences))
		if len(result.Differences) == 0 {
			return
		}
		leaks := slices.ContainsFunc(result.Differences, func(d matrix.Difference) bool { return d.Expected == matrix.Nothing })
		if leaks || asked > 1 && time.Since(begin) > settling {
			lines := result.Lines()
			r.Errorf("not everyone reaches whom he must, and nobody else:\n%s", strings.Join(lines[:min(40, len(lines))], "\n"))
			return
		}
	}
}

// clear deletes all VPCs and attachments, and the Allocations of VNIs.
func (r *rig) clear() {
	r.Helper()
	in := client.InNamespace("default")
	r.ok(r.cluster.DeleteAllOf(r.Context(), &v1alpha1.VPCAttachment{}, in))
	r.ok(r.cluster.DeleteAllOf(r.Context(), &v1alpha1.VPC{}, in))
	r.within(patience, "the VPCs are gone", func() string {
		objects, err := r.objects(r.Context())
		r.ok(err)
		if n := len(objects.VPCs) + len(objects.Attachments); n > 0 {
			return fmt.Sprintf("%d objects are left", n)
		}
		return ""
	})
}

// names are those of hosts, sorted.
func (r *rig) names() []string {
	var names []string
	for name := range r.hosts {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
