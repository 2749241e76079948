package reconcile

import (
	"context"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/controller/plan"
)

// attachmentReconciler writes the status of VPCAttachments.
type attachmentReconciler struct {
	base
	settling *settling
}

func setupAttachment(mgr manager.Manager, b base) error {
	r := attachmentReconciler{b, newSettling()}
	comesOrGoes := predicate.Funcs{UpdateFunc: func(event.UpdateEvent) bool { return false }}
	return builder.ControllerManagedBy(mgr).Named("attachment").
		For(&v1alpha1.VPCAttachment{}). // its own status, too: see applyStatus
		Watches(&v1alpha1.Switch{}, names(r.on), builder.WithPredicates(comesOrGoes)).
		Watches(&v1alpha1.Host{}, names(r.ofHost), builder.WithPredicates(predicate.LabelChangedPredicate{})).
		Watches(&v1alpha1.VPC{}, names(r.ofVPC)).
		Watches(&v1alpha1.SwitchConfig{}, agentReports(b.progress, askAttachments)).
		WatchesRawSource(fromProgress(b.progress.attachments)).
		WithOptions(options(statusWorkers)).
		Complete(r)
}

// on names the attachments on a switch.
func (r attachmentReconciler) on(ctx context.Context, o client.Object) []types.NamespacedName {
	attachments, err := r.attachmentsOn(ctx, o.GetName())
	if err != nil {
		return nil
	}
	out := make([]types.NamespacedName, len(attachments))
	for i, a := range attachments {
		out[i] = client.ObjectKeyFromObject(a)
	}
	return out
}

// ofVPC names the attachments of a VPC that select hosts: those without a place
// are in no plan that would tell them what is wrong with it.
func (r attachmentReconciler) ofVPC(ctx context.Context, o client.Object) []types.NamespacedName {
	attachments, err := r.attachmentsOf(ctx, client.ObjectKeyFromObject(o))
	if err != nil {
		return nil
	}
	var out []types.NamespacedName
	for _, a := range attachments {
		if a.Spec.Hosts != nil {
			out = append(out, client.ObjectKeyFromObject(a))
		}
	}
	return out
}

// askAttachments asks for the attachments of VPCs that have come into force,
// and for those that have, or whose VPC has, new or settled problems.
func askAttachments(config *v1alpha1.SwitchConfig, vpcs []types.NamespacedName, owners []v1alpha1.ObjectReference, q queue) {
	for _, s := range config.Spec.Segments {
		all := slices.Contains(vpcs, s.Owner.NamespacedName()) || slices.Contains(owners, s.Owner)
		for _, p := range s.Ports {
			if p.Owner.Kind == v1alpha1.KindVPCAttachment && (all || slices.Contains(owners, p.Owner)) {
				q.Add(request(p.Owner.NamespacedName()))
			}
		}
	}
}

func (r attachmentReconciler) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	var a v1alpha1.VPCAttachment
	if err := r.Get(ctx, req.NamespacedName, &a); err != nil {
		r.settling.forget(req.NamespacedName)
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	selection, known, err := r.selected(ctx, &a)
	if err != nil || !known {
		return reconcile.Result{}, err
	}
	state, wait, known, err := r.look(ctx, &a, selection)
	if err != nil || !known || wait {
		return reconcile.Result{RequeueAfter: lag(wait)}, err
	}
	accepted, err := r.accepted(ctx, &a, selection, state)
	if err != nil {
		return reconcile.Result{}, err
	}
	programmed := state.programmed(&a, accepted.Status == metav1.ConditionTrue)
	if wait := r.settling.wait(req.NamespacedName, programmed.Reason == progressing); wait > 0 {
		return reconcile.Result{RequeueAfter: wait}, nil
	}
	want := state.status(&a, selection)
	want.Conditions = withReady(&a, a.Status.Conditions, accepted, programmed)
	for _, kind := range []string{v1alpha1.AttachmentAccepted, v1alpha1.AttachmentProgrammed} {
		r.announce(&a, a.Status.Conditions, want.Conditions, kind)
	}
	return reconcile.Result{}, r.applyStatus(ctx, "VPCAttachment", &a, a.Status, want)
}

// accepted is the condition Accepted.
func (r attachmentReconciler) accepted(ctx context.Context, a *v1alpha1.VPCAttachment, s selection, state attached) (metav1.Condition, error) {
	set := func(status bool, reason, message string) (metav1.Condition, error) {
		return condition(a, v1alpha1.AttachmentAccepted, status, reason, message), nil
	}
	switch {
	case s.mistake != nil:
		return set(false, "InvalidSelector", fmt.Sprintf("%v. Correct it: see kubectl explain vpcattachment.spec.hosts.selector.", s.mistake))
	case len(state.refused) > 0:
		return set(false, state.refused[0].Reason, state.refusal())
	case len(s.places) > 0 && len(s.without) == 0:
		return set(true, "Accepted", "The attachment can be made as it is written.")
	case len(s.places) > 0:
		return set(true, "Accepted", fmt.Sprintf("%d of %d hosts have a place. Waiting for a cable of %s.", len(s.hosts)-len(s.without), len(s.hosts), plan.Some(s.without)))
	}
	if problem, err := r.checkNowhere(ctx, a); err != nil || problem != nil {
		if err != nil {
			return metav1.Condition{}, err
		}
		return set(false, problem.Reason, problem.Message)
	}
	if len(s.hosts) == 0 {
		return set(true, "NoHosts", "No Host has these labels yet. See kubectl get hosts --show-labels.")
	}
	return set(true, reasonNotCabled, fmt.Sprintf("None of %d hosts has a NIC that is known to be cabled to a leaf. Waiting for %s; see kubectl describe host.", len(s.hosts), plan.Some(s.without)))
}

// checkNowhere says what is wrong with an attachment that has no place, and is
// therefore in no plan.
func (r attachmentReconciler) checkNowhere(ctx context.Context, a *v1alpha1.VPCAttachment) (*v1alpha1.Problem, error) {
	in := plan.Inputs{VPCs: map[types.NamespacedName]*v1alpha1.VPC{}, Classes: map[string]*v1alpha1.VPCClass{}}
	var err error
	if _, in.Pools, err = r.fabric(ctx); err != nil {
		return nil, err
	}
	var vpc v1alpha1.VPC
	switch err := r.Get(ctx, vpcOf(a), &vpc, client.UnsafeDisableDeepCopy); {
	case apierrors.IsNotFound(err):
	case err != nil:
		return nil, fmt.Errorf("get VPC %s: %w", vpcOf(a), err)
	default:
		in.VPCs[vpcOf(a)] = &vpc
		if _, err := r.class(ctx, in.Classes, vpc.Spec.Class); err != nil {
			return nil, err
		}
	}
	return plan.CheckAttachment(in, a), nil
}
