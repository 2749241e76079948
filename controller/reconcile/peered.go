package reconcile

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/controller/plan"
)

// peeringState is how far a peering has got on its switches.
type peeringState struct {
	switches, ready   int
	waiting, problems []string
}

func (s peeringState) count() string { return fmt.Sprintf("%d/%d", s.ready, s.switches) }

// condition is Programmed.
func (s peeringState) condition(p *v1alpha1.VPCPeering) metav1.Condition {
	set := func(status bool, reason, message string) metav1.Condition {
		return condition(p, v1alpha1.PeeringProgrammed, status, reason, message)
	}
	switch {
	case len(s.problems) > 0:
		return set(false, "Problems", strings.Join(s.problems, " "))
	case len(s.waiting) > 0:
		return set(false, progressing, fmt.Sprintf("In force on %s switches; waiting for %s.", s.count(), strings.Join(s.waiting, ", ")))
	case s.switches == 0:
		return set(true, "NoAttachments", "No switch has a subnet that is shown yet.")
	}
	return set(true, "Programmed", fmt.Sprintf("In force on %d of %d switches.", s.ready, s.switches))
}

// programmed looks at the switches that either VPC is on. It reports false as long as one
// of them has not been compiled since the controller started.
func (r peeringReconciler) programmed(ctx context.Context, peers plan.Peers, p plan.Peering) (peeringState, bool, error) {
	sides := []plan.Peering{p}
	if mirror := peers.Mirror(p.VPCPeering); mirror != nil {
		sides = append(sides, peers.Judge(mirror))
	}
	configs := map[string]*v1alpha1.SwitchConfig{}
	for _, side := range sides {
		var list v1alpha1.SwitchConfigList
		err := r.List(ctx, &list, client.MatchingFields{configsByVPC: plan.ConsentingVPC(side.VPCPeering).String()}, client.UnsafeDisableDeepCopy)
		if err != nil {
			return peeringState{}, false, fmt.Errorf("list the SwitchConfigs of VPC %s: %w", plan.ConsentingVPC(side.VPCPeering), err)
		}
		for i := range list.Items {
			configs[list.Items[i].Name] = &list.Items[i]
		}
	}
	var out peeringState
	for name, config := range configs {
		if !r.progress.compiledFor(config) {
			return out, false, nil
		}
		needed, problem, done := false, "", true
		for _, side := range sides {
			need, told, ready := r.sideOn(config, peers, side)
			if need {
				needed, problem, done = true, problem+told, done && ready
			}
		}
		out.add(name, needed, problem, done)
	}
	slices.Sort(out.waiting)
	slices.Sort(out.problems)
	return out, true, nil
}

func (s *peeringState) add(name string, needed bool, problem string, done bool) {
	if !needed {
		return
	}
	s.switches++
	switch {
	case problem != "":
		s.problems = append(s.problems, name+": "+problem)
	case done:
		s.ready++
	default:
		s.waiting = append(s.waiting, name)
	}
}

// sideOn is what a switch has made of one side: whether it needs it, what is in the way,
// and whether it is in force.
func (r peeringReconciler) sideOn(config *v1alpha1.SwitchConfig, peers plan.Peers, side plan.Peering) (need bool, problem string, ready bool) {
	if !peers.NeededBy(&config.Spec, side) {
		return false, "", true
	}
	ref := plan.PeeringRef(side.VPCPeering)
	if config.Spec.BGP == nil {
		return true, "It has no spec.bgp, so it takes no routes over: the network team has to let the underlay be made, or to set spec.bgp of the Switch.", false
	}
	if told, known := r.progress.problem(config.Name, ref); known && told != nil {
		return true, told.Message, false
	}
	vpcs := []types.NamespacedName{plan.ConsentingVPC(side.VPCPeering), plan.PeerVPC(side.VPCPeering)}
	owners := []v1alpha1.ObjectReference{ref, plan.VPCRef(vpcs[0]), plan.VPCRef(vpcs[1])}
	ready = plan.Imports(&config.Spec, side) && routed(config)
	for _, vpc := range vpcs {
		ready = ready && r.progress.applied(config, vpc)
		if !r.progress.tried(config, vpc) {
			return true, "", false
		}
	}
	for _, p := range config.Status.Problems {
		if slices.Contains(owners, p.Owner) {
			return true, p.Message, false
		}
	}
	return true, "", ready
}

// routed says whether FRR has what the newest spec says that the agent knows, apart from
// what is among the problems.
func routed(config *v1alpha1.SwitchConfig) bool {
	c := meta.FindStatusCondition(config.Status.Conditions, v1alpha1.ConfigRouted)
	return c != nil && c.ObservedGeneration >= config.Status.ObservedGeneration &&
		(c.Status == metav1.ConditionTrue || c.Reason == "Refused" || c.Reason == "Conflict")
}
