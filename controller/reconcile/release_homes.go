package reconcile

import (
	"context"
	"errors"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/controller/release"
)

// homes finds out, for each switch that is drained or to be, which hosts have no
// other way.
func (r *releaseReconciler) homes(ctx context.Context, f *fleet) error {
	f.singleHomed = map[string][]v1alpha1.SingleHomedHost{}
	var wanted []string
	for i := range f.list {
		if f.drains(&f.list[i]) {
			wanted = append(wanted, f.list[i].Name)
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	cables, err := r.cables(ctx, f)
	if err != nil {
		return err
	}
	carried := map[string][]release.Carried{}
	for name, c := range f.configs {
		carried[name] = release.Segments(c)
	}
	out := map[string]bool{}
	for i := range f.list {
		sw := &f.list[i]
		out[sw.Name] = f.drains(sw) || f.unavailable(sw) != "" || !release.Forwards(f.configs[sw.Name])
	}
	for _, name := range wanted {
		f.singleHomed[name] = release.SingleHomed(name, cables, carried, func(other string) bool { return out[other] })
	}
	return nil
}

// drains says whether a switch is drained, or to be.
func (f *fleet) drains(sw *v1alpha1.Switch) bool {
	if sw.Spec.Drained {
		return true
	}
	for i := range f.releases {
		for _, s := range f.releases[i].Status.Switches {
			if s.Name == sw.Name && s.Drain && release.AtWork(s.Phase) {
				return true
			}
		}
	}
	return false
}

// workedOn says whether a release works on a switch.
func (f *fleet) workedOn(name string) bool {
	return slices.ContainsFunc(f.releases, func(rel v1alpha1.NOSRelease) bool {
		return slices.ContainsFunc(rel.Status.Switches, func(s v1alpha1.ReleaseSwitchStatus) bool { return s.Name == name && release.AtWork(s.Phase) })
	})
}

// cables are those between hosts and switches, as Links have them.
func (r *releaseReconciler) cables(ctx context.Context, f *fleet) ([]release.Cable, error) {
	var links v1alpha1.LinkList
	var hosts v1alpha1.HostList
	for _, list := range []client.ObjectList{&links, &hosts} {
		if err := r.List(ctx, list, client.UnsafeDisableDeepCopy); err != nil {
			return nil, fmt.Errorf("list how hosts are cabled: %w", err)
		}
	}
	return release.Cables(f.list, hosts.Items, links.Items), nil
}

// byHand asks for what spec.drained of Switches says, where no release works, and
// tells what has come of it.
func (r *releaseReconciler) byHand(ctx context.Context, f *fleet) error {
	var errs []error
	for i := range f.list {
		sw := &f.list[i]
		c := f.configs[sw.Name]
		if c == nil || c.Spec.Maintenance != nil && c.Spec.Maintenance.Release != "" || f.workedOn(sw.Name) {
			continue
		}
		var want *v1alpha1.SwitchMaintenance
		if sw.Spec.Drained {
			want = release.ByHand(sw, f.singleHomed[sw.Name])
		}
		if equality.Semantic.DeepEqual(want, c.Spec.Maintenance) {
			continue
		}
		errs = append(errs, r.ask(ctx, c, want))
		switch {
		case want == nil:
			r.events.Eventf(sw, nil, corev1.EventTypeNormal, "Undraining", "Drain", "spec.drained is false: the traffic comes back")
		case c.Spec.Maintenance == nil:
			r.events.Eventf(sw, nil, corev1.EventTypeNormal, "Draining", "Drain", "spec.drained is true: the traffic goes elsewhere")
		}
		log.FromContext(ctx).Info("drain by hand", "switch", sw.Name, "drained", want != nil)
	}
	return errors.Join(errs...)
}

// drainReason is how far the drain of a switch is, as its agent says.
func drainReason(sw *v1alpha1.Switch) string {
	if c := meta.FindStatusCondition(sw.Status.Conditions, v1alpha1.SwitchDrained); c != nil {
		return c.Reason
	}
	return ""
}

// announceDrains makes events of what has become of drains since it was last looked.
func (r *releaseReconciler) announceDrains(f *fleet) {
	before := r.drainsTold
	r.drainsTold = make(map[string]string, len(f.list))
	for i := range f.list {
		sw := &f.list[i]
		reason := drainReason(sw)
		r.drainsTold[sw.Name] = reason
		if was, known := before[sw.Name]; !known || was == reason || was == "" {
			continue
		}
		kind := corev1.EventTypeNormal
		switch reason {
		case "Refused", "Returned":
			kind = corev1.EventTypeWarning
		case "Drained", "InService":
		default:
			continue // on the way
		}
		c := meta.FindStatusCondition(sw.Status.Conditions, v1alpha1.SwitchDrained)
		r.events.Eventf(sw, nil, kind, reason, "Drain", "%s", c.Message)
	}
}
