package reconcile

import (
	"context"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/controller/plan"
)

// attached is what the switches of an attachment have made of it.
type attached struct {
	// refused are the problems of the plan, by switch.
	refused []v1alpha1.Problem
	// failed are the problems that agents report.
	failed []v1alpha1.Problem
	// waiting are the switches that have it not in force yet; unplanned says that
	// it is in no spec of theirs yet.
	waiting   []string
	unplanned bool
	// ready are the switches that have it in force.
	ready []string
	// vlans are its VLAN ids, by place.
	vlans map[v1alpha1.PortReference]int32
}

// look asks what has become of an attachment on each of its switches. It reports
// false as long as one of them has not been compiled since the controller
// started, and that it has to wait when the cache is behind.
func (r attachmentReconciler) look(ctx context.Context, a *v1alpha1.VPCAttachment, s selection) (out attached, wait, known bool, err error) {
	out.vlans = make(map[v1alpha1.PortReference]int32, len(s.places))
	for _, name := range s.switches() {
		if wait, known, err = r.lookAt(ctx, a, name, &out); err != nil || !known || wait {
			return out, wait, known, err
		}
	}
	return out, false, true, nil
}

func (r attachmentReconciler) lookAt(ctx context.Context, a *v1alpha1.VPCAttachment, name string, out *attached) (wait, known bool, err error) {
	err = r.Get(ctx, client.ObjectKey{Name: name}, &v1alpha1.Switch{}, client.UnsafeDisableDeepCopy)
	if apierrors.IsNotFound(err) {
		out.refused = append(out.refused, v1alpha1.Problem{Reason: "SwitchNotFound", Message: fmt.Sprintf(
			"spec.port.switch: there is no Switch %q. Correct the name (kubectl get switches), or let the switch join the cluster.", name)})
		return false, true, nil
	} else if err != nil {
		return false, false, fmt.Errorf("get Switch %s: %w", name, err)
	}
	problem, known := r.progress.problem(name, plan.AttachmentRef(client.ObjectKeyFromObject(a)))
	if !known {
		return false, false, nil
	}
	var config v1alpha1.SwitchConfig
	if err := r.Get(ctx, client.ObjectKey{Name: name}, &config, client.UnsafeDisableDeepCopy); client.IgnoreNotFound(err) != nil {
		return false, false, fmt.Errorf("get SwitchConfig %s: %w", name, err)
	}
	if r.progress.behind(&config) { // the problem is about a newer one
		return true, true, nil
	}
	if problem != nil {
		out.refused = append(out.refused, *problem)
	}
	segment := out.segmentOn(&config, a)
	switch {
	case segment == nil && problem != nil:
	case segment == nil:
		out.waiting, out.unplanned = append(out.waiting, name), true
	default:
		r.lookInto(&config, a, segment, out)
	}
	return false, true, nil
}

// segmentOn is the segment that the attachment is part of on a switch, if any. It
// notes the VLAN id of each of its places there.
func (s *attached) segmentOn(config *v1alpha1.SwitchConfig, a *v1alpha1.VPCAttachment) *v1alpha1.SegmentConfig {
	ref := plan.AttachmentRef(client.ObjectKeyFromObject(a))
	var out *v1alpha1.SegmentConfig
	for i := range config.Spec.Segments {
		segment := &config.Spec.Segments[i]
		for _, p := range segment.Ports {
			if p.Owner == ref {
				out = segment
				s.vlans[v1alpha1.PortReference{Switch: config.Name, Name: p.Name}] = segment.VLAN
			}
		}
	}
	return out
}

// lookInto says how far a switch has got with a segment.
func (r attachmentReconciler) lookInto(config *v1alpha1.SwitchConfig, a *v1alpha1.VPCAttachment, segment *v1alpha1.SegmentConfig, out *attached) {
	if r.progress.tried(config, vpcOf(a)) {
		for _, p := range config.Status.Problems {
			if p.Owner == segment.Owner || p.Owner == plan.AttachmentRef(client.ObjectKeyFromObject(a)) {
				out.failed = append(out.failed, p)
				return
			}
		}
	}
	if !r.progress.applied(config, vpcOf(a)) {
		out.waiting = append(out.waiting, config.Name)
		return
	}
	out.ready = append(out.ready, config.Name)
}

// refusal is what the plan says of an attachment, on how many switches ever.
func (s attached) refusal() string {
	message := s.refused[0].Message
	if rest := len(s.refused) - 1; rest > 0 {
		message += fmt.Sprintf(" The same or something else is wrong on %d more switches.", rest)
	}
	return message
}

// programmed is the condition Programmed.
func (s attached) programmed(a *v1alpha1.VPCAttachment, accepted bool) metav1.Condition {
	set := func(status bool, reason, message string) metav1.Condition {
		return condition(a, v1alpha1.AttachmentProgrammed, status, reason, message)
	}
	switch {
	case len(s.failed) > 0:
		return set(false, s.failed[0].Reason, s.failed[0].Message)
	case len(s.waiting) > 0 && s.unplanned && len(s.waiting)+len(s.ready) == 1:
		return set(false, progressing, "Waiting for the VNIs of the VPC and the VTEP address of the switch.")
	case len(s.waiting) > 0:
		return set(false, progressing, fmt.Sprintf("Waiting for %s.", plan.Some(s.waiting)))
	case len(s.ready) == 0 && !accepted:
		return set(false, "NotAccepted", "It is not accepted, so nothing is programmed.")
	case len(s.ready) == 0:
		return set(true, "NoPlaces", "There is no place to program yet.")
	}
	return set(true, "Programmed", s.inForce())
}

// inForce says where an attachment is in force, and as which VLAN.
func (s attached) inForce() string {
	ids := s.ids()
	switch {
	case len(s.ready) == 1 && len(ids) == 1:
		return fmt.Sprintf("In force on %s, as Vlan%d.", s.ready[0], ids[0])
	case len(s.ready) == 1:
		return fmt.Sprintf("In force on %s.", s.ready[0])
	case len(ids) == 1:
		return fmt.Sprintf("In force on %d switches, as Vlan%d.", len(s.ready), ids[0])
	}
	return fmt.Sprintf("In force on %d switches.", len(s.ready))
}

// ids are the VLAN ids that the attachment has anywhere.
func (s attached) ids() []int32 {
	var out []int32
	for _, id := range s.vlans {
		out = append(out, id)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// maxPlaces is how many places a status lists.
const maxPlaces = 256

// status is the status but for the conditions.
func (s attached) status(a *v1alpha1.VPCAttachment, selected selection) v1alpha1.VPCAttachmentStatus {
	var out v1alpha1.VPCAttachmentStatus
	if ids := s.ids(); len(ids) == 1 { // everywhere the same
		out.VLAN = ids[0]
	}
	if a.Spec.Hosts == nil {
		return out
	}
	out.PlacesTotal = int32(len(selected.places))
	for _, p := range selected.places[:min(len(selected.places), maxPlaces)] { // by host and NIC
		out.Places = append(out.Places, v1alpha1.AttachmentPlace{Host: p.Host, NIC: p.NIC, Switch: p.Port.Switch, Port: p.Port.Name, VLAN: s.vlans[p.Port]})
	}
	return out
}
