package reconcile

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/controller/alloc"
	"github.com/switchlet/switchlet/controller/plan"
)

// vpcReconciler allocates the VNIs of VPCs and writes their status.
type vpcReconciler struct {
	base
	settling *settling
}

func setupVPC(mgr manager.Manager, b base) error {
	r := vpcReconciler{b, newSettling()}
	generation := builder.WithPredicates(predicate.GenerationChangedPredicate{})
	return builder.ControllerManagedBy(mgr).Named("vpc").
		For(&v1alpha1.VPC{}). // its own status, too: see applyStatus
		Watches(&v1alpha1.VPCAttachment{}, names(func(_ context.Context, o client.Object) []types.NamespacedName {
			return []types.NamespacedName{{Namespace: o.GetNamespace(), Name: o.(*v1alpha1.VPCAttachment).Spec.VPC}}
		})).
		Watches(&v1alpha1.Allocation{}, names(func(_ context.Context, o client.Object) []types.NamespacedName {
			holder := o.(*v1alpha1.Allocation).Spec.Holder
			if holder.Kind != v1alpha1.KindVPC || o.(*v1alpha1.Allocation).Spec.Pool != v1alpha1.PoolVNI {
				return nil
			}
			return []types.NamespacedName{holder.NamespacedName()}
		}), builder.WithPredicates(valueChanged())).
		Watches(&v1alpha1.Allocation{}, givenBack(b.progress, v1alpha1.PoolVNI)).
		Watches(&v1alpha1.Host{}, names(r.ofHostLabels), builder.WithPredicates(predicate.LabelChangedPredicate{})).
		Watches(&v1alpha1.VPCClass{}, names(func(ctx context.Context, o client.Object) []types.NamespacedName {
			return r.list(ctx, client.MatchingFields{vpcsByClass: o.GetName()})
		}), generation).
		Watches(&v1alpha1.Fabric{}, names(func(ctx context.Context, _ client.Object) []types.NamespacedName {
			return r.list(ctx)
		}), generation).
		Watches(&v1alpha1.SwitchConfig{}, agentReports(b.progress,
			func(config *v1alpha1.SwitchConfig, vpcs []types.NamespacedName, owners []v1alpha1.ObjectReference, q queue) {
				for _, name := range append(vpcs, vpcsOf(config, owners)...) {
					q.Add(request(name))
				}
			})).
		WatchesRawSource(fromProgress(b.progress.vpcs)).
		WithOptions(options(workers)).
		Complete(r)
}

// list names VPCs.
func (r vpcReconciler) list(ctx context.Context, opts ...client.ListOption) []types.NamespacedName {
	var list v1alpha1.VPCList
	if err := r.List(ctx, &list, append(opts, client.UnsafeDisableDeepCopy)...); err != nil {
		return nil
	}
	out := make([]types.NamespacedName, len(list.Items))
	for i := range list.Items {
		out[i] = client.ObjectKeyFromObject(&list.Items[i])
	}
	return out
}

// ofHostLabels names the VPCs that are brought to a host.
func (r vpcReconciler) ofHostLabels(ctx context.Context, o client.Object) []types.NamespacedName {
	attachments, err := r.selecting(ctx, o.(*v1alpha1.Host))
	if err != nil {
		return nil
	}
	var out []types.NamespacedName
	for _, a := range attachments {
		out = append(out, vpcOf(a))
	}
	return out
}

// vpcsOf are the VPCs that owners of problems on a switch belong to.
func vpcsOf(config *v1alpha1.SwitchConfig, owners []v1alpha1.ObjectReference) []types.NamespacedName {
	var out []types.NamespacedName
	for _, owner := range owners {
		if owner.Kind == v1alpha1.KindVPC {
			out = append(out, owner.NamespacedName())
		}
	}
	for _, s := range config.Spec.Segments {
		if slices.ContainsFunc(s.Ports, func(p v1alpha1.SegmentPort) bool { return slices.Contains(owners, p.Owner) }) {
			out = append(out, s.Owner.NamespacedName())
		}
	}
	return out
}

func (r vpcReconciler) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	var vpc v1alpha1.VPC
	if err := r.Get(ctx, req.NamespacedName, &vpc); err != nil || vpc.DeletionTimestamp != nil {
		r.settling.forget(req.NamespacedName)
		r.progress.satisfied(v1alpha1.PoolVNI, req.NamespacedName)
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	problem, pools, err := r.check(ctx, &vpc)
	if err != nil {
		return reconcile.Result{}, err
	}
	want := v1alpha1.VPCStatus{VNI: vpc.Status.VNI, Subnets: vpc.Status.Subnets}
	if problem == nil {
		if problem, err = r.identify(ctx, &vpc, pools, &want); err != nil {
			return reconcile.Result{}, err
		}
	}
	accepted := condition(&vpc, v1alpha1.VPCAccepted, true, "Accepted", "The VPC can be built as it is written.")
	if problem != nil {
		accepted = condition(&vpc, v1alpha1.VPCAccepted, false, problem.Reason, problem.Message)
	}
	state, known, err := r.programmed(ctx, &vpc)
	if err != nil || !known {
		return reconcile.Result{}, err
	}
	programmed := state.condition(&vpc)
	if wait := r.settling.wait(req.NamespacedName, programmed.Reason == progressing); wait > 0 {
		return reconcile.Result{RequeueAfter: wait}, nil
	}
	want.Switches = fmt.Sprintf("%d/%d", state.ready, state.switches)
	want.Conditions = withReady(&vpc, vpc.Status.Conditions, accepted, programmed)
	for _, kind := range []string{v1alpha1.VPCAccepted, v1alpha1.VPCProgrammed} {
		r.announce(&vpc, vpc.Status.Conditions, want.Conditions, kind)
	}
	return reconcile.Result{}, r.applyStatus(ctx, "VPC", &vpc, vpc.Status, want)
}

// check says whether the VPC can be built as it is written.
func (r vpcReconciler) check(ctx context.Context, vpc *v1alpha1.VPC) (*v1alpha1.Problem, *alloc.Pools, error) {
	_, pools, err := r.fabric(ctx)
	if err != nil {
		return nil, nil, err
	}
	class := &v1alpha1.VPCClass{}
	if err := r.Get(ctx, client.ObjectKey{Name: vpc.Spec.Class}, class); apierrors.IsNotFound(err) {
		class = nil
	} else if err != nil {
		return nil, nil, fmt.Errorf("get VPCClass %s: %w", vpc.Spec.Class, err)
	}
	return plan.CheckVPC(vpc, class, pools != nil), pools, nil
}

// identify sees to it that the VPC has its VNIs and writes them into status.
func (r vpcReconciler) identify(ctx context.Context, vpc *v1alpha1.VPC, pools *alloc.Pools, status *v1alpha1.VPCStatus) (*v1alpha1.Problem, error) {
	owner := plan.VPCRef(client.ObjectKeyFromObject(vpc))
	holders := []v1alpha1.Holder{{ObjectReference: owner}}
	for _, s := range vpc.Spec.Subnets {
		holders = append(holders, v1alpha1.Holder{ObjectReference: owner, Subnet: s.Name})
	}
	name := client.ObjectKeyFromObject(vpc)
	r.progress.wants(v1alpha1.PoolVNI, name)
	values, err := r.hold(ctx, v1alpha1.PoolVNI, pools, holders)
	if !errors.Is(err, errExhausted) {
		r.progress.satisfied(v1alpha1.PoolVNI, name)
	}
	if err != nil {
		return vniExhausted(err, owner)
	}
	status.VNI, status.Subnets = int32(values[0]), nil
	for i, s := range vpc.Spec.Subnets {
		status.Subnets = append(status.Subnets, v1alpha1.SubnetStatus{Name: s.Name, VNI: int32(values[i+1])})
	}
	return nil, nil
}

// programming is how far a VPC has got on its switches.
type programming struct {
	switches, ready, rejected int
	waiting, problems         []string
	// uncabled are the hosts without a place on which pods wait, by name.
	uncabled []plan.NoPort
}

// programmed looks at the switches that the VPC's accepted attachments are on.
// It reports false as long as one of them has not been compiled since the
// controller started.
func (r vpcReconciler) programmed(ctx context.Context, vpc *v1alpha1.VPC) (programming, bool, error) {
	name := client.ObjectKeyFromObject(vpc)
	attachments, err := r.attachmentsOf(ctx, name)
	if err != nil {
		return programming{}, false, err
	}
	var out programming
	refs := map[string][]v1alpha1.ObjectReference{}
	for _, a := range attachments {
		on, refused, known, err := r.acceptedOn(ctx, a)
		if err != nil || !known {
			return programming{}, known, err
		}
		if refused {
			out.rejected++
		}
		for _, sw := range on {
			refs[sw] = append(refs[sw], plan.AttachmentRef(client.ObjectKeyFromObject(a)))
		}
	}
	known, err := r.forPods(ctx, name, refs, &out)
	if err != nil || !known {
		return programming{}, known, err
	}
	for sw, owners := range refs {
		if err := r.look(ctx, name, sw, append(owners, plan.VPCRef(name)), &out); err != nil {
			return programming{}, false, err
		}
	}
	slices.Sort(out.waiting)
	slices.Sort(out.problems)
	return out, true, nil
}

// forPods adds the switches that the VPC is on because pods need it, and what keeps
// it from others.
func (r vpcReconciler) forPods(ctx context.Context, vpc types.NamespacedName, refs map[string][]v1alpha1.ObjectReference, out *programming) (known bool, err error) {
	hosts, err := r.hostsNeeding(ctx, vpc)
	if err != nil {
		return false, err
	}
	ports := r.cabling.now.Load()
	if len(hosts) > 0 && ports == nil {
		return false, nil
	}
	for _, host := range hosts {
		needs := r.needs.of(host)
		if why := ports.noPortFor(host, vpc, needs); why != nil {
			out.uncabled = append(out.uncabled, *why)
		}
		for _, p := range ports.placesFor(host, vpc, needs) {
			problem, known := r.progress.problem(p.Switch, plan.VPCRef(vpc))
			if !known {
				return false, nil
			}
			if problem != nil && !slices.Contains(out.problems, p.Switch+": "+problem.Message) {
				out.problems = append(out.problems, p.Switch+": "+problem.Message)
			}
			if _, there := refs[p.Switch]; !there && problem == nil {
				refs[p.Switch] = nil
			}
		}
	}
	return true, nil
}

// acceptedOn are the switches whose plan an attachment is part of, and whether it
// is refused on others.
func (r vpcReconciler) acceptedOn(ctx context.Context, a *v1alpha1.VPCAttachment) (on []string, refused, known bool, err error) {
	selection, known, err := r.selected(ctx, a)
	if err != nil || !known {
		return nil, false, known, err
	}
	refused = selection.mistake != nil
	for _, name := range selection.switches() {
		err := r.Get(ctx, client.ObjectKey{Name: name}, &v1alpha1.Switch{}, client.UnsafeDisableDeepCopy)
		if apierrors.IsNotFound(err) {
			refused = true
			continue
		} else if err != nil {
			return nil, false, false, fmt.Errorf("get Switch %s: %w", name, err)
		}
		problem, known := r.progress.problem(name, plan.AttachmentRef(client.ObjectKeyFromObject(a)))
		if !known {
			return nil, false, false, nil
		}
		if problem != nil {
			refused = true
			continue
		}
		on = append(on, name)
	}
	return on, refused, true, nil
}

// look adds what one switch has made of the VPC.
func (r vpcReconciler) look(ctx context.Context, vpc types.NamespacedName, sw string, owners []v1alpha1.ObjectReference, out *programming) error {
	out.switches++
	var config v1alpha1.SwitchConfig
	if err := r.Get(ctx, client.ObjectKey{Name: sw}, &config, client.UnsafeDisableDeepCopy); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("get SwitchConfig %s: %w", sw, err)
	}
	n := len(out.problems)
	if r.progress.tried(&config, vpc) {
		for _, p := range config.Status.Problems {
			if slices.Contains(owners, p.Owner) {
				out.problems = append(out.problems, sw+": "+p.Message)
			}
		}
	}
	switch {
	case len(out.problems) > n:
	case r.progress.applied(&config, vpc):
		out.ready++
	default:
		out.waiting = append(out.waiting, sw)
	}
	return nil
}

// condition is Programmed.
func (p programming) condition(vpc *v1alpha1.VPC) metav1.Condition {
	note := ""
	if p.rejected > 0 {
		note = fmt.Sprintf(" %d of its attachments are not accepted: see kubectl get vpcattachments -n %s.", p.rejected, vpc.Namespace)
	}
	set := func(status bool, reason, message string) metav1.Condition {
		return condition(vpc, v1alpha1.VPCProgrammed, status, reason, message+note)
	}
	switch {
	case len(p.problems) > 0:
		return set(false, "Problems", strings.Join(p.problems, " "))
	case len(p.waiting) > 0:
		return set(false, progressing, fmt.Sprintf("In force on %d of %d switches; waiting for %s.", p.ready, p.switches, strings.Join(p.waiting, ", ")))
	case len(p.uncabled) > 0:
		return set(false, reasonNotCabled, fmt.Sprintf("In force on %d of %d switches, and pods on %d hosts wait. %s", p.ready, p.switches, len(p.uncabled), p.uncabled[0].Brief()))
	case p.switches == 0:
		return set(true, "NoAttachments", "No attachment needs the VPC on a switch yet.")
	}
	return set(true, "Programmed", fmt.Sprintf("In force on %d of %d switches.", p.ready, p.switches))
}
