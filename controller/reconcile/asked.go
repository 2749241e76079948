package reconcile

import (
	"context"
	"reflect"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

// asked are the objects whose statuses are to be looked at.
type asked struct{ vpcs, attachments, peerings map[types.NamespacedName]bool }

// attachment asks for one, or for a peering, and for its VPC, which counts those not accepted; or for a
// VPC alone that pods need.
func (a asked) attachment(ref v1alpha1.ObjectReference, plan outcome) {
	if ref.Kind == v1alpha1.KindVPCAttachment {
		a.attachments[ref.NamespacedName()] = true
	}
	if ref.Kind == v1alpha1.KindVPCPeering {
		a.peerings[ref.NamespacedName()] = true
	}
	if vpc, ok := plan.vpcs[ref]; ok {
		a.vpcs[vpc] = true
	}
}

// whole asks for an attachment and for its VPC.
func (a asked) whole(o *v1alpha1.VPCAttachment) {
	a.attachments[types.NamespacedName{Namespace: o.Namespace, Name: o.Name}] = true
	a.vpcs[types.NamespacedName{Namespace: o.Namespace, Name: o.Spec.VPC}] = true
}

func (a asked) part(name types.NamespacedName, p *part) {
	a.vpcs[name] = true
	for _, attachment := range p.attachments() {
		a.attachments[attachment] = true
	}
}

// changedParts fills in next.since and asks for the VPCs that are not what they
// were.
func (a asked) changedParts(last, next *compiled, then, now map[types.NamespacedName]*part) {
	for name, part := range now {
		if since, ok := last.since[name]; ok && reflect.DeepEqual(part, then[name]) {
			next.since[name] = since
			continue
		}
		next.since[name] = next.generation
		a.part(name, part)
		if was := then[name]; was != nil { // what has left it, too
			a.part(name, was)
		}
	}
	for name, part := range then {
		if now[name] == nil {
			a.part(name, part)
		}
	}
}

// changedProblems asks for the attachments whose problems came, went or changed.
func (a asked) changedProblems(last, next *compiled, plan outcome) {
	for owner, problem := range next.problems {
		if last.problems[owner] != problem {
			a.attachment(owner, plan)
		}
	}
	for owner := range last.problems {
		if _, ok := next.problems[owner]; !ok {
			a.attachment(owner, plan)
		}
	}
}

// notify has statuses looked at.
func (p *progress) notify(ctx context.Context, ask asked) {
	send(ctx, p.vpcs, ask.vpcs)
	send(ctx, p.attachments, ask.attachments)
	send(ctx, p.peerings, ask.peerings)
}

// send has objects looked at. It gives up when the program ends, since then
// nobody reads the events.
func send(ctx context.Context, to chan event.TypedGenericEvent[types.NamespacedName], names map[types.NamespacedName]bool) {
	for name := range names {
		select {
		case to <- event.TypedGenericEvent[types.NamespacedName]{Object: name}:
		case <-ctx.Done():
			return
		}
	}
}
