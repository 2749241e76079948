package reconcile

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/controller/plan"
)

// notCompiled is how soon to look again when a switch has not been compiled since the
// controller started.
const notCompiled = time.Second

// maxShown is how many networks a status lists.
const maxShown = 128

// peeringReconciler writes the status of VPCPeerings.
type peeringReconciler struct {
	base
	settling *settling
}

func setupPeering(mgr manager.Manager, b base) error {
	r := peeringReconciler{b, newSettling()}
	generation := builder.WithPredicates(predicate.GenerationChangedPredicate{})
	all := names(func(ctx context.Context, _ client.Object) []types.NamespacedName { return r.list(ctx) })
	return builder.ControllerManagedBy(mgr).Named("peering").
		For(&v1alpha1.VPCPeering{}). // its own status, too: see applyStatus
		Watches(&v1alpha1.VPCPeering{}, names(func(ctx context.Context, o client.Object) []types.NamespacedName {
			return r.ofVPCs(ctx, r.concerned(ctx, o.(*v1alpha1.VPCPeering)))
		}), generation).
		Watches(&v1alpha1.VPC{}, names(func(ctx context.Context, o client.Object) []types.NamespacedName {
			return r.ofVPCs(ctx, r.around(ctx, peerDepth, client.ObjectKeyFromObject(o)))
		}), generation).
		Watches(&v1alpha1.VPCClass{}, all, generation).
		Watches(&v1alpha1.Fabric{}, all, generation).
		Watches(&v1alpha1.SwitchConfig{}, r.ofConfigs()).
		WatchesRawSource(fromProgress(b.progress.peerings)).
		WithOptions(options(statusWorkers)).
		Complete(r)
}

// list names all peerings.
func (r peeringReconciler) list(ctx context.Context) []types.NamespacedName {
	var list v1alpha1.VPCPeeringList
	if err := r.List(ctx, &list, client.UnsafeDisableDeepCopy); err != nil {
		return nil
	}
	out := make([]types.NamespacedName, len(list.Items))
	for i := range list.Items {
		out[i] = client.ObjectKeyFromObject(&list.Items[i])
	}
	return out
}

// ofVPCs names the peerings by which VPCs consent.
func (r peeringReconciler) ofVPCs(ctx context.Context, vpcs []types.NamespacedName) []types.NamespacedName {
	var out []types.NamespacedName
	for _, vpc := range vpcs {
		list, err := r.peeringsOf(ctx, vpc)
		if err != nil {
			return nil
		}
		for _, p := range list {
			out = append(out, client.ObjectKeyFromObject(p))
		}
	}
	return out
}

// ofConfigs asks for the peerings on a switch, both sides of each, when it gets another
// spec, or says something new of the one that it has.
func (r peeringReconciler) ofConfigs() handler.EventHandler {
	ask := func(ctx context.Context, q queue, configs ...*v1alpha1.SwitchConfig) {
		seen := map[types.NamespacedName]bool{}
		for _, config := range configs {
			for _, name := range peeringsOn(config) {
				seen[name] = true
			}
		}
		for name := range seen {
			q.Add(request(name))
			var p v1alpha1.VPCPeering
			if r.Get(ctx, name, &p, client.UnsafeDisableDeepCopy) != nil {
				continue // when it went, the other side was asked for
			}
			for _, other := range r.ofVPCs(ctx, []types.NamespacedName{plan.PeerVPC(&p)}) {
				q.Add(request(other))
			}
		}
	}
	return handler.Funcs{
		CreateFunc: func(ctx context.Context, e event.CreateEvent, q queue) {
			ask(ctx, q, e.Object.(*v1alpha1.SwitchConfig))
		},
		DeleteFunc: func(ctx context.Context, e event.DeleteEvent, q queue) {
			ask(ctx, q, e.Object.(*v1alpha1.SwitchConfig))
		},
		UpdateFunc: func(ctx context.Context, e event.UpdateEvent, q queue) {
			was, is := e.ObjectOld.(*v1alpha1.SwitchConfig), e.ObjectNew.(*v1alpha1.SwitchConfig)
			if was.Generation != is.Generation || saysNew(was, is) {
				ask(ctx, q, was, is)
			}
		},
	}
}

// peeringsOn are those by which VRFs of a switch take routes over.
func peeringsOn(config *v1alpha1.SwitchConfig) []types.NamespacedName {
	var out []types.NamespacedName
	for _, v := range config.Spec.VRFs {
		for _, i := range v.Imports {
			out = append(out, i.Owner.NamespacedName())
		}
	}
	return out
}

// saysNew says whether a switch says something new that peerings depend on.
func saysNew(was, is *v1alpha1.SwitchConfig) bool {
	return was.Status.AppliedGeneration != is.Status.AppliedGeneration || was.Status.ObservedGeneration != is.Status.ObservedGeneration ||
		!equality.Semantic.DeepEqual(was.Status.Problems, is.Status.Problems) || routed(was) != routed(is)
}

// vpcsOfSwitch are the VPCs that have a VRF on a switch.
func vpcsOfSwitch(config *v1alpha1.SwitchConfig) []types.NamespacedName {
	out := make([]types.NamespacedName, len(config.Spec.VRFs))
	for i, v := range config.Spec.VRFs {
		out[i] = v.Owner.NamespacedName()
	}
	return out
}

func (r peeringReconciler) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	var p v1alpha1.VPCPeering
	if err := r.Get(ctx, req.NamespacedName, &p); err != nil || p.DeletionTimestamp != nil {
		r.settling.forget(req.NamespacedName)
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	_, pools, err := r.fabric(ctx)
	if err != nil {
		return reconcile.Result{}, err
	}
	peers, err := r.peers(ctx, pools, map[string]*v1alpha1.VPCClass{}, plan.ConsentingVPC(&p), plan.PeerVPC(&p))
	if err != nil {
		return reconcile.Result{}, err
	}
	judged := peers.Judge(&p)
	var want v1alpha1.VPCPeeringStatus
	var programmed metav1.Condition
	switch problem := judged.Problem; {
	case problem == nil:
		state, known, err := r.programmed(ctx, peers, judged)
		if err != nil || !known {
			return reconcile.Result{RequeueAfter: notCompiled}, err
		}
		programmed = state.condition(&p)
		want = v1alpha1.VPCPeeringStatus{Switches: state.count(), Shown: texts(judged.Shown), PeerShown: texts(judged.PeerShown)}
	case judged.Held:
		programmed = condition(&p, v1alpha1.PeeringProgrammed, false, "NotAccepted", "What was programmed before stays in force.")
		want = v1alpha1.VPCPeeringStatus{Switches: p.Status.Switches, Shown: p.Status.Shown, PeerShown: p.Status.PeerShown}
	default:
		programmed = condition(&p, v1alpha1.PeeringProgrammed, false, "NotAccepted", "No packet passes between the two VPCs by this peering. See the condition Accepted.")
	}
	if wait := r.settling.wait(req.NamespacedName, programmed.Reason == progressing); wait > 0 {
		return reconcile.Result{RequeueAfter: wait}, nil
	}
	want.Conditions = withReady(&p, p.Status.Conditions, acceptedPeering(&p, peers, judged), programmed)
	r.announce(&p, p.Status.Conditions, want.Conditions, v1alpha1.PeeringAccepted)
	if judged.InForce() { // else Accepted says all
		r.announce(&p, p.Status.Conditions, want.Conditions, v1alpha1.PeeringProgrammed)
	}
	return reconcile.Result{}, r.applyStatus(ctx, "VPCPeering", &p, p.Status, want)
}

// acceptedPeering is the condition Accepted.
func acceptedPeering(p *v1alpha1.VPCPeering, peers plan.Peers, judged plan.Peering) metav1.Condition {
	if judged.Problem != nil {
		return condition(p, v1alpha1.PeeringAccepted, false, judged.Problem.Reason, judged.Problem.Message)
	}
	note := ""
	if hidden := peers.Hidden(judged); len(hidden) > 0 {
		note = fmt.Sprintf(" Hosts in %s get no answers, but what they send may arrive: to keep it out, isolate them or put them into another VPC.", strings.Join(hidden, ", "))
	}
	return condition(p, v1alpha1.PeeringAccepted, true, "Accepted", "Both sides want it."+note)
}

func texts(networks []netip.Prefix) []string {
	var out []string
	for _, n := range networks[:min(len(networks), maxShown)] {
		out = append(out, n.String())
	}
	return out
}
