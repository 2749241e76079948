package reconcile

import (
	"context"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

type queue = workqueue.TypedRateLimitingInterface[reconcile.Request]

// sameName asks for the object that has the name of the one that changed.
func sameName() handler.EventHandler {
	return handler.EnqueueRequestsFromMapFunc(func(_ context.Context, o client.Object) []reconcile.Request {
		return []reconcile.Request{request(client.ObjectKeyFromObject(o))}
	})
}

// names asks for the objects that a function names. What it can't find out now
// it leaves out: a list from the cache only fails while the program stops.
func names(of func(ctx context.Context, o client.Object) []types.NamespacedName) handler.EventHandler {
	return handler.EnqueueRequestsFromMapFunc(func(ctx context.Context, o client.Object) []reconcile.Request {
		return requests(of(ctx, o))
	})
}

// fromProgress asks for the objects that progress names.
func fromProgress(events chan event.TypedGenericEvent[types.NamespacedName]) source.TypedSource[reconcile.Request] {
	return source.TypedChannel(events, handler.TypedFuncs[types.NamespacedName, reconcile.Request]{
		GenericFunc: func(_ context.Context, e event.TypedGenericEvent[types.NamespacedName], q queue) {
			q.Add(request(e.Object))
		},
	})
}

// givenBack asks for those that wait for a value of a pool when one is free again.
func givenBack(p *progress, pool v1alpha1.PoolName) handler.EventHandler {
	return handler.Funcs{DeleteFunc: func(_ context.Context, e event.DeleteEvent, q queue) {
		if e.Object.(*v1alpha1.Allocation).Spec.Pool == pool {
			for _, name := range p.waitingFor(pool) {
				q.Add(request(name))
			}
		}
	}}
}

// agentReports calls asks with what a switch's agent reported anew: the
// SwitchConfig, the VPCs that have come into force or are so no longer, and the
// owners of problems that came or went.
func agentReports(p *progress, asks func(config *v1alpha1.SwitchConfig, vpcs []types.NamespacedName, owners []v1alpha1.ObjectReference, q queue)) handler.EventHandler {
	return handler.Funcs{
		UpdateFunc: func(_ context.Context, e event.UpdateEvent, q queue) {
			was, is := e.ObjectOld.(*v1alpha1.SwitchConfig), e.ObjectNew.(*v1alpha1.SwitchConfig)
			asks(is, p.between(was, is),
				changedOwners(was.Status.Problems, is.Status.Problems), q)
		},
	}
}

// changedOwners are those whose problems are not the same in both lists.
func changedOwners(a, b []v1alpha1.Problem) []v1alpha1.ObjectReference {
	count := map[v1alpha1.Problem]int{}
	for _, p := range a {
		count[p]--
	}
	for _, p := range b {
		count[p]++
	}
	var out []v1alpha1.ObjectReference
	for p, n := range count {
		if n != 0 {
			out = append(out, p.Owner)
		}
	}
	return out
}
