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

// askAttachments asks for the attachments of VPCs that have come into force,
// and for those that have, or whose VPC has, new or settled problems.
func askAttachments(config *v1alpha1.SwitchConfig, vpcs []types.NamespacedName, owners []v1alpha1.ObjectReference, q queue) {
	for _, s := range config.Spec.Segments {
		all := slices.Contains(vpcs, s.Owner.NamespacedName()) || slices.Contains(owners, s.Owner)
		for _, p := range s.Ports {
			if all || slices.Contains(owners, p.Owner) {
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
	accepted, known, err := r.accepted(ctx, &a)
	if err != nil || !known {
		return reconcile.Result{}, err
	}
	var config v1alpha1.SwitchConfig
	if err := r.Get(ctx, client.ObjectKey{Name: a.Spec.Port.Switch}, &config, client.UnsafeDisableDeepCopy); client.IgnoreNotFound(err) != nil {
		return reconcile.Result{}, fmt.Errorf("get SwitchConfig %s: %w", a.Spec.Port.Switch, err)
	}
	if r.progress.behind(&config) { // accepted is about a newer one
		return reconcile.Result{RequeueAfter: cacheLag}, nil
	}
	segment := segmentOf(&config, &a)
	want := v1alpha1.VPCAttachmentStatus{}
	if segment != nil {
		want.VLAN = segment.VLAN
	}
	programmed := r.programmed(&a, &config, segment, accepted.Status == metav1.ConditionTrue)
	if wait := r.settling.wait(req.NamespacedName, programmed); wait > 0 {
		return reconcile.Result{RequeueAfter: wait}, nil
	}
	want.Conditions = withReady(&a, a.Status.Conditions, accepted, programmed)
	for _, kind := range []string{v1alpha1.AttachmentAccepted, v1alpha1.AttachmentProgrammed} {
		r.announce(&a, a.Status.Conditions, want.Conditions, kind)
	}
	return reconcile.Result{}, r.applyStatus(ctx, "VPCAttachment", &a, a.Status, want)
}

// accepted is the condition Accepted. It reports false as long as the switch
// has not been compiled since the controller started.
func (r attachmentReconciler) accepted(ctx context.Context, a *v1alpha1.VPCAttachment) (metav1.Condition, bool, error) {
	rejected := func(reason, message string) (metav1.Condition, bool, error) {
		return condition(a, v1alpha1.AttachmentAccepted, false, reason, message), true, nil
	}
	name := a.Spec.Port.Switch
	err := r.Get(ctx, client.ObjectKey{Name: name}, &v1alpha1.Switch{})
	if apierrors.IsNotFound(err) {
		return rejected("SwitchNotFound", fmt.Sprintf(
			"spec.port.switch: there is no Switch %q. Correct the name (kubectl get switches), or let the switch join the cluster.", name))
	} else if err != nil {
		return metav1.Condition{}, false, fmt.Errorf("get Switch %s: %w", name, err)
	}
	problem, known := r.progress.problem(name, client.ObjectKeyFromObject(a))
	if !known {
		return metav1.Condition{}, false, nil
	}
	if problem != nil {
		return rejected(problem.Reason, problem.Message)
	}
	return condition(a, v1alpha1.AttachmentAccepted, true, "Accepted", "The attachment can be made as it is written."), true, nil
}

// segmentOf is the segment that the attachment is part of on its switch.
func segmentOf(config *v1alpha1.SwitchConfig, a *v1alpha1.VPCAttachment) *v1alpha1.SegmentConfig {
	ref := plan.AttachmentRef(client.ObjectKeyFromObject(a))
	for i := range config.Spec.Segments {
		s := &config.Spec.Segments[i]
		if slices.ContainsFunc(s.Ports, func(p v1alpha1.SegmentPort) bool { return p.Owner == ref }) {
			return s
		}
	}
	return nil
}

// programmed is the condition Programmed.
func (r attachmentReconciler) programmed(a *v1alpha1.VPCAttachment, config *v1alpha1.SwitchConfig, segment *v1alpha1.SegmentConfig, accepted bool) metav1.Condition {
	set := func(status bool, reason, message string) metav1.Condition {
		return condition(a, v1alpha1.AttachmentProgrammed, status, reason, message)
	}
	vpc := types.NamespacedName{Namespace: a.Namespace, Name: a.Spec.VPC}
	switch {
	case segment == nil && !accepted:
		return set(false, "NotAccepted", "It is not accepted, so nothing is programmed.")
	case segment == nil:
		return set(false, progressing, "Waiting for the VNIs of the VPC and the VTEP address of the switch.")
	}
	if r.progress.tried(config, vpc) {
		for _, p := range config.Status.Problems {
			if p.Owner == segment.Owner || p.Owner == plan.AttachmentRef(client.ObjectKeyFromObject(a)) {
				return set(false, p.Reason, p.Message)
			}
		}
	}
	if !r.progress.applied(config, vpc) {
		return set(false, progressing, fmt.Sprintf("Waiting for %s.", a.Spec.Port.Switch))
	}
	return set(true, "Programmed", fmt.Sprintf("In force on %s, as Vlan%d.", a.Spec.Port.Switch, segment.VLAN))
}
