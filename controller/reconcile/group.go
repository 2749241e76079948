package reconcile

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/controller/alloc"
	"github.com/switchlet/switchlet/controller/plan"
)

// cacheLag is how soon to look again when the cache does not show our own last
// write yet.
const cacheLag = 2 * time.Millisecond

// groupReconciler has the switches of a redundancy group compiled and writes
// their SwitchConfigs. A request's name is that of the group (plan.GroupOf).
type groupReconciler struct{ base }

func setupGroup(mgr manager.Manager, b base) error {
	r := groupReconciler{b}
	generation := builder.WithPredicates(predicate.GenerationChangedPredicate{})
	return builder.ControllerManagedBy(mgr).Named("group").
		Watches(&v1alpha1.Switch{}, names(r.ofSwitch), builder.WithPredicates(switchChanged())).
		Watches(&v1alpha1.SwitchConfig{}, names(r.ofConfig), builder.WithPredicates(predicate.GenerationChangedPredicate{}, b.foreignWrite())).
		Watches(&v1alpha1.VPCAttachment{}, names(r.ofAttachment), generation).
		Watches(&v1alpha1.VPC{}, names(r.ofVPC), generation).
		Watches(&v1alpha1.Allocation{}, names(r.ofAllocation), builder.WithPredicates(valueChanged())).
		Watches(&v1alpha1.Allocation{}, givenBack(b.progress, v1alpha1.PoolVTEP)).
		Watches(&v1alpha1.VPCClass{}, names(r.all), generation).
		Watches(&v1alpha1.Fabric{}, names(r.all), generation).
		WithOptions(options(workers)).
		Complete(r)
}

// switchChanged lets through what the planner looks at in a Switch.
func switchChanged() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		a, b := e.ObjectOld.(*v1alpha1.Switch), e.ObjectNew.(*v1alpha1.Switch)
		return a.Generation != b.Generation || !samePorts(a, b)
	}}
}

// foreignWrite lets through a SwitchConfig whose spec is not the one that was
// written last, or that is gone.
func (b base) foreignWrite() predicate.Predicate {
	p := predicate.NewPredicateFuncs(func(o client.Object) bool { return !b.progress.wrote(o) })
	p.DeleteFunc = func(event.DeleteEvent) bool { return true }
	return p
}

func (r groupReconciler) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	in, wait, err := r.inputs(ctx, req.Name)
	if err != nil || wait || len(in.Switches) == 0 {
		return reconcile.Result{RequeueAfter: lag(wait)}, err
	}
	start := time.Now()
	out := plan.Build(in)
	log.FromContext(ctx).V(1).Info("compiled", "switches", len(in.Switches), "attachments", len(in.Attachments), "took", time.Since(start))
	for _, sw := range in.Switches {
		stale, err := r.write(ctx, in.Configs[sw.Name], out.Specs[sw.Name], problemsOn(in, out, sw.Name))
		if err != nil || stale {
			return reconcile.Result{RequeueAfter: lag(stale)}, err
		}
	}
	return reconcile.Result{}, nil
}

func lag(wait bool) time.Duration {
	if wait {
		return cacheLag
	}
	return 0
}

// problemsOn are the problems of the attachments that name a switch.
func problemsOn(in plan.Inputs, out plan.Result, name string) []v1alpha1.Problem {
	on := make(map[v1alpha1.ObjectReference]bool)
	for _, a := range in.Attachments {
		if a.Spec.Port.Switch == name {
			on[plan.AttachmentRef(client.ObjectKeyFromObject(a))] = true
		}
	}
	var problems []v1alpha1.Problem
	for _, p := range out.Problems {
		if on[p.Owner] {
			problems = append(problems, p)
		}
	}
	return problems
}

// write applies a spec unless it is there already. It reports true when the
// SwitchConfig is not the one that the plan was made from: the plan is void
// then, since the VLAN ids that it kept may be others by now.
func (r groupReconciler) write(ctx context.Context, have *v1alpha1.SwitchConfig, spec v1alpha1.SwitchConfigSpec, problems []v1alpha1.Problem) (stale bool, err error) {
	if equality.Semantic.DeepEqual(have.Spec, spec) { // the revision alone might hide an edit by hand
		r.progress.done(ctx, have, have, problems)
		return false, nil
	}
	patch, err := applyPatch("SwitchConfig", manifestMetadata{Name: have.Name, ResourceVersion: have.ResourceVersion}, spec, nil)
	if err != nil {
		return false, err
	}
	now := v1alpha1.SwitchConfig{ObjectMeta: metav1.ObjectMeta{Name: have.Name}}
	err = r.Patch(ctx, &now, patch, client.FieldOwner(FieldOwner), client.ForceOwnership)
	if apierrors.IsConflict(err) || apierrors.IsNotFound(err) {
		return true, nil
	} else if err != nil {
		return false, fmt.Errorf("write SwitchConfig %s: %w", have.Name, err)
	}
	r.progress.done(ctx, have, &now, problems)
	log.FromContext(ctx).Info("compiled a new revision", "switch", have.Name, "revision", spec.Revision,
		"generation", now.Generation, "vrfs", len(spec.VRFs), "segments", len(spec.Segments))
	return false, nil
}

// inputs gathers what the plan of a group looks at. It reports true when
// something has to be seen in the cache first.
func (r groupReconciler) inputs(ctx context.Context, group string) (plan.Inputs, bool, error) {
	var switches v1alpha1.SwitchList
	if err := r.List(ctx, &switches, client.MatchingFields{switchesByGroup: group}, client.UnsafeDisableDeepCopy); err != nil {
		return plan.Inputs{}, false, fmt.Errorf("list the switches of %s: %w", group, err)
	}
	spec, pools, err := r.fabric(ctx)
	if err != nil {
		return plan.Inputs{}, false, err
	}
	in := plan.Inputs{
		Pools: pools, AnycastMAC: spec.AnycastMAC,
		Classes: map[string]*v1alpha1.VPCClass{}, Switches: pointers(switches.Items),
		Configs: map[string]*v1alpha1.SwitchConfig{}, VPCs: map[types.NamespacedName]*v1alpha1.VPC{},
		OverLimit: map[types.NamespacedName]bool{}, WithoutVTEP: map[string]bool{},
	}
	name := types.NamespacedName{Name: group}
	r.progress.wants(v1alpha1.PoolVTEP, name)
	for _, sw := range in.Switches {
		if wait, err := r.addSwitch(ctx, &in, sw); err != nil || wait {
			return in, wait, err
		}
	}
	if !slices.Contains(slices.Collect(maps.Values(in.WithoutVTEP)), true) {
		r.progress.satisfied(v1alpha1.PoolVTEP, name)
	}
	if err := r.addVPCs(ctx, &in); err != nil {
		return in, false, err
	}
	in.Identifiers, err = r.identifiers(ctx, &in)
	return in, false, err
}

// addSwitch adds a switch's SwitchConfig, which is made when there is none, its
// attachments, and sees to it that it has a VTEP address.
func (r groupReconciler) addSwitch(ctx context.Context, in *plan.Inputs, sw *v1alpha1.Switch) (wait bool, err error) {
	var config v1alpha1.SwitchConfig
	err = r.Get(ctx, client.ObjectKey{Name: sw.Name}, &config, client.UnsafeDisableDeepCopy)
	if apierrors.IsNotFound(err) {
		return true, r.createConfig(ctx, sw)
	} else if err != nil {
		return false, fmt.Errorf("get SwitchConfig %s: %w", sw.Name, err)
	}
	if r.progress.behind(&config) {
		return true, nil
	}
	in.Configs[sw.Name] = &config
	if sw.Spec.Role != v1alpha1.RoleSpine && in.Pools != nil {
		_, err := r.hold(ctx, v1alpha1.PoolVTEP, in.Pools, []v1alpha1.Holder{switchHolder(sw.Name)})
		if in.WithoutVTEP[sw.Name] = errors.Is(err, errExhausted); err != nil && !in.WithoutVTEP[sw.Name] {
			return false, err
		}
	}
	attachments, err := r.attachmentsOn(ctx, sw.Name)
	in.Attachments = append(in.Attachments, attachments...)
	return false, err
}

// createConfig makes an empty SwitchConfig, so that every spec is applied to a
// known version of it. It goes with its Switch.
func (r groupReconciler) createConfig(ctx context.Context, sw *v1alpha1.Switch) error {
	config := v1alpha1.SwitchConfig{ObjectMeta: metav1.ObjectMeta{
		Name: sw.Name,
		OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(sw,
			v1alpha1.GroupVersion().WithKind("Switch"))},
	}}
	if err := r.Create(ctx, &config, client.FieldOwner(FieldOwner)); client.IgnoreAlreadyExists(err) != nil {
		return fmt.Errorf("create SwitchConfig %s: %w", sw.Name, err)
	}
	return nil
}

// addVPCs adds the VPCs that the attachments name, their classes, and which
// attachments are beyond a limit.
func (r groupReconciler) addVPCs(ctx context.Context, in *plan.Inputs) error {
	for _, a := range in.Attachments {
		name := types.NamespacedName{Namespace: a.Namespace, Name: a.Spec.VPC}
		if _, ok := in.VPCs[name]; ok {
			continue
		}
		var vpc v1alpha1.VPC
		if err := r.Get(ctx, name, &vpc, client.UnsafeDisableDeepCopy); apierrors.IsNotFound(err) {
			continue
		} else if err != nil {
			return fmt.Errorf("get VPC %s: %w", name, err)
		}
		in.VPCs[name] = &vpc
		class, err := r.class(ctx, in, vpc.Spec.Class)
		if err != nil || class == nil || class.Spec.Limits.MaxAttachments == nil {
			if err != nil {
				return err
			}
			continue
		}
		all, err := r.attachmentsOf(ctx, name)
		if err != nil {
			return err
		}
		for _, over := range plan.OverLimit(class, all) {
			in.OverLimit[client.ObjectKeyFromObject(over)] = true
		}
	}
	return nil
}

// class is a VPCClass, looked up once; nil if it does not exist.
func (r groupReconciler) class(ctx context.Context, in *plan.Inputs, name string) (*v1alpha1.VPCClass, error) {
	if class, ok := in.Classes[name]; ok {
		return class, nil
	}
	class := &v1alpha1.VPCClass{}
	err := r.Get(ctx, client.ObjectKey{Name: name}, class, client.UnsafeDisableDeepCopy)
	if apierrors.IsNotFound(err) {
		class = nil
	} else if err != nil {
		return nil, fmt.Errorf("get VPCClass %s: %w", name, err)
	}
	in.Classes[name] = class
	return class, nil
}

// identifiers looks up what was allocated to the VPCs and switches of in.
func (r groupReconciler) identifiers(ctx context.Context, in *plan.Inputs) (plan.Identifiers, error) {
	values := map[v1alpha1.Holder]uint32{}
	read := func(pool v1alpha1.PoolName, holder v1alpha1.Holder) error {
		siblings, err := r.allocations(ctx, pool, holder)
		if err != nil {
			return err
		}
		if a := alloc.Effective(siblings, in.Pools); a != nil {
			values[holder], err = alloc.Value(pool, a.Spec.Value)
		}
		return err
	}
	for _, sw := range in.Switches {
		if err := read(v1alpha1.PoolVTEP, switchHolder(sw.Name)); err != nil {
			return plan.Identifiers{}, err
		}
	}
	for name, vpc := range in.VPCs {
		if err := read(v1alpha1.PoolVNI, vpcHolder(name, "")); err != nil {
			return plan.Identifiers{}, err
		}
		for _, s := range vpc.Spec.Subnets {
			if err := read(v1alpha1.PoolVNI, vpcHolder(name, s.Name)); err != nil {
				return plan.Identifiers{}, err
			}
		}
	}
	return plan.Identifiers{
		VNI: func(vpc types.NamespacedName, subnet string) int32 { return int32(values[vpcHolder(vpc, subnet)]) },
		VTEP: func(name string) netip.Addr {
			v, ok := values[switchHolder(name)]
			if !ok {
				return netip.Addr{}
			}
			return netip.MustParseAddr(alloc.Text(v1alpha1.PoolVTEP, v))
		},
	}, nil
}

func switchHolder(name string) v1alpha1.Holder {
	return v1alpha1.Holder{ObjectReference: v1alpha1.ObjectReference{Kind: v1alpha1.KindSwitch, Name: name}}
}

func vpcHolder(vpc types.NamespacedName, subnet string) v1alpha1.Holder {
	return v1alpha1.Holder{ObjectReference: plan.VPCRef(vpc), Subnet: subnet}
}
