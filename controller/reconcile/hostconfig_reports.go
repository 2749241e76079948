package reconcile

import (
	"cmp"
	"context"
	"slices"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/controller/plan"
)

// carried is a subnet at a port of a switch, as a VLAN.
type carried struct {
	port      string
	vni, vlan int32
	mode      v1alpha1.AttachmentMode
}

// carriedBy are the subnets at the ports of a switch.
func carriedBy(spec *v1alpha1.SwitchConfigSpec) map[carried]int64 {
	out := map[carried]int64{}
	for _, s := range spec.Segments {
		for _, p := range s.Ports {
			out[carried{p.Name, s.VNI, s.VLAN, p.Mode}] = 0
		}
	}
	return out
}

// changedPorts fills in since when each subnet is at each port, and returns the
// ports that are not what they were.
func (next *compiled) changedPorts(last *compiled, spec *v1alpha1.SwitchConfigSpec) map[string]bool {
	out := map[string]bool{}
	next.ports = carriedBy(spec)
	for c := range next.ports {
		since, ok := last.ports[c]
		if !ok {
			since, out[c.port] = next.generation, true
		}
		next.ports[c] = since
	}
	for c := range last.ports {
		if _, ok := next.ports[c]; !ok {
			out[c.port] = true
		}
	}
	return out
}

// standing says what has become of a subnet at a port of a switch, whose SwitchConfig
// is nil if it has none.
func (p *progress) standing(config *v1alpha1.SwitchConfig, c plan.Carrier) plan.Standing {
	p.mu.Lock()
	defer p.mu.Unlock()
	known := p.switches[c.Switch]
	if config == nil || known == nil || known.uid != config.UID {
		return plan.Standing{}
	}
	segment, port := placeOf(&config.Spec, c)
	if port == nil {
		wait := known.waiting[c]
		return plan.Standing{Problem: cmp.Or(wait.Problem, known.problems[plan.VPCRef(c.VPC)].Message), Waiting: wait.VLAN}
	}
	since, ok := known.ports[carried{c.Port, c.VNI, segment.VLAN, port.Mode}]
	if !ok {
		return plan.Standing{}
	}
	if config.Status.ObservedGeneration >= since {
		for _, problem := range config.Status.Problems {
			if problem.Owner == segment.Owner || problem.Owner == port.Owner {
				return plan.Standing{Problem: problem.Message}
			}
		}
	}
	return plan.Standing{InForce: config.Status.AppliedGeneration >= since}
}

// compiledFor says whether a SwitchConfig has been compiled since the controller
// started.
func (p *progress) compiledFor(config *v1alpha1.SwitchConfig) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	known := p.switches[config.Name]
	return known != nil && known.uid == config.UID
}

// placeOf finds a subnet at a port.
func placeOf(spec *v1alpha1.SwitchConfigSpec, c plan.Carrier) (*v1alpha1.SegmentConfig, *v1alpha1.SegmentPort) {
	for i := range spec.Segments {
		s := &spec.Segments[i]
		if s.VNI != c.VNI {
			continue
		}
		for k := range s.Ports {
			if s.Ports[k].Name == c.Port {
				return s, &s.Ports[k]
			}
		}
	}
	return nil, nil
}

// landed are the ports whose subnets a switch has put into force, or taken back.
func (p *progress) landed(was, is *v1alpha1.SwitchConfig) map[string]bool {
	from, to := was.Status.AppliedGeneration, is.Status.AppliedGeneration
	if was.UID != is.UID { // it was deleted and made again
		from = 0
	}
	from, to = min(from, to), max(from, to)
	p.mu.Lock()
	defer p.mu.Unlock()
	known := p.switches[is.Name]
	if known == nil || from == to {
		return nil
	}
	out := map[string]bool{}
	for c, since := range known.ports {
		if from < since && since <= to {
			out[c.port] = true
		}
	}
	return out
}

// switchReports asks for the hosts at the ports that a switch reports anew of, and
// for all of the switch that need something when problems came or went, or it begins to
// send them elsewhere.
func (r hostConfigReconciler) switchReports() handler.EventHandler {
	return handler.Funcs{UpdateFunc: func(_ context.Context, e event.UpdateEvent, q queue) {
		was, is := e.ObjectOld.(*v1alpha1.SwitchConfig), e.ObjectNew.(*v1alpha1.SwitchConfig)
		all := len(changedOwners(was.Status.Problems, is.Status.Problems)) > 0 || plan.Draining(was) != plan.Draining(is)
		for host := range r.hostsAt(is.Name, r.progress.landed(was, is), all) {
			q.Add(request(host))
		}
	}}
}

// hostsAt are the hosts at some ports of a switch, or at all, that need something.
func (b base) hostsAt(name string, at map[string]bool, all bool) map[types.NamespacedName]bool {
	ports := b.cabling.now.Load()
	out := map[types.NamespacedName]bool{}
	if ports == nil || !all && len(at) == 0 {
		return out
	}
	for _, host := range ports.hosts[name] {
		for _, p := range ports.places[host] {
			if p.Switch == name && (all || at[p.Port]) && b.needs.any(host) {
				out[types.NamespacedName{Name: host}] = true
			}
		}
	}
	return out
}

// problemsOfVPCs says whether the problems that VPCs have are others than before.
func problemsOfVPCs(a, b map[v1alpha1.ObjectReference]v1alpha1.Problem) bool {
	only := func(m map[v1alpha1.ObjectReference]v1alpha1.Problem) []v1alpha1.Problem {
		var out []v1alpha1.Problem
		for owner, p := range m {
			if owner.Kind == v1alpha1.KindVPC {
				out = append(out, p)
			}
		}
		return out
	}
	was, is := only(a), only(b)
	return len(was) != len(is) || slices.ContainsFunc(is, func(p v1alpha1.Problem) bool { return !slices.Contains(was, p) })
}
