package reconcile

import (
	"context"
	"fmt"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/controller/plan"
)

// A VLAN id changes hands only when nobody uses it any more for what it stood for: the
// switches say so in their SwitchConfigs, hosts in their HostConfigs, and for ports
// without agent the time of grace stands.

// addFormer adds the ids that a switch had, and those that hosts at its ports may send.
func (r groupReconciler) addFormer(ctx context.Context, in *inputs, sw string) error {
	grace, err := topologyReconciler{base: r.base}.grace(ctx)
	if err != nil {
		return err
	}
	in.Former[sw] = plan.FormerOf(in.Configs[sw], time.Now(), grace)
	for _, host := range in.ports.hosts[sw] {
		var config v1alpha1.HostConfig
		if err := r.Get(ctx, client.ObjectKey{Name: host}, &config, client.UnsafeDisableDeepCopy); apierrors.IsNotFound(err) {
			continue
		} else if err != nil {
			return fmt.Errorf("get HostConfig %s: %w", host, err)
		}
		in.AddTags(sw, in.ports.places[host], plan.TagsOf(&config))
	}
	return nil
}

// hostLetsGo lets through that a host may send less than before.
func hostLetsGo() builder.Predicates {
	return builder.WithPredicates(predicate.Funcs{
		CreateFunc: func(event.CreateEvent) bool { return false },
		UpdateFunc: func(e event.UpdateEvent) bool {
			was, is := e.ObjectOld.(*v1alpha1.HostConfig), e.ObjectNew.(*v1alpha1.HostConfig)
			if was.Annotations[plan.SentAnnotation] == "" && len(was.Spec.Networks) == 0 {
				return false
			}
			now := plan.TagsOf(is)
			return slices.ContainsFunc(plan.TagsOf(was), func(t plan.Tag) bool { return !slices.Contains(now, t) })
		},
	})
}

// again is when a group is to be looked at again: soon, if somebody waits for an id that
// is given back. That a switch has confirmed, or that the time of grace is over, nobody
// else says.
func again(out plan.Result) time.Duration {
	if out.Awaited {
		return lookAgain
	}
	return 0
}
