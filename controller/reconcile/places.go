package reconcile

import (
	"context"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/controller/plan"
)

// selection is what an attachment comes to.
type selection struct {
	places []plan.Placement
	// hosts that it selects, and those of them that have no place for it.
	hosts, without []string
	// mistake in the selector.
	mistake error
}

// switches are those that the places are on, in order.
func (s selection) switches() []string {
	var out []string
	for _, p := range s.places {
		out = append(out, p.Port.Switch)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// selected finds the places of an attachment. Those of hosts are unknown as long as
// there is no port map.
func (b base) selected(ctx context.Context, a *v1alpha1.VPCAttachment) (out selection, known bool, err error) {
	if a.Spec.Hosts == nil {
		return selection{places: []plan.Placement{plan.Named(a)}}, true, nil
	}
	ports := b.cabling.now.Load()
	if ports == nil {
		return selection{}, false, nil
	}
	selector, mistake := plan.HostSelector(a.Spec.Hosts)
	if selector == nil {
		return selection{mistake: mistake}, true, nil // the user's, not ours
	}
	hosts, err := b.hostsOf(ctx, a, selector)
	if err != nil {
		return selection{}, false, err
	}
	for _, h := range hosts {
		places := plan.At(a, h, ports.places[h.Name])
		out.hosts = append(out.hosts, h.Name)
		if len(places) == 0 {
			out.without = append(out.without, h.Name)
		}
		out.places = append(out.places, places...)
	}
	return out, true, nil
}

// hostsOf are the hosts that an attachment selects, by name.
func (b base) hostsOf(ctx context.Context, a *v1alpha1.VPCAttachment, selector labels.Selector) ([]*v1alpha1.Host, error) {
	options := []client.ListOption{client.UnsafeDisableDeepCopy}
	if label := labelOf(a.Spec.Hosts); label != anyLabel {
		options = append(options, client.MatchingFields{hostsByLabel: label})
	}
	var list v1alpha1.HostList
	if err := b.List(ctx, &list, options...); err != nil {
		return nil, fmt.Errorf("list the hosts of VPCAttachment %s: %w", client.ObjectKeyFromObject(a), err)
	}
	out := slices.DeleteFunc(pointers(list.Items), func(h *v1alpha1.Host) bool { return !selector.Matches(labels.Set(h.Labels)) })
	slices.SortFunc(out, func(x, y *v1alpha1.Host) int { return plan.ComparePorts(x.Name, y.Name) })
	return out, nil
}

// placesOn are the places on a switch of attachments that select hosts, and those
// that pods need.
func (b base) placesOn(ctx context.Context, ports *portMap, name string) ([]plan.Placement, error) {
	var out []plan.Placement
	for _, host := range ports.hosts[name] {
		var h v1alpha1.Host
		if err := b.Get(ctx, client.ObjectKey{Name: host}, &h, client.UnsafeDisableDeepCopy); apierrors.IsNotFound(err) {
			continue
		} else if err != nil {
			return nil, fmt.Errorf("get Host %s: %w", host, err)
		}
		attachments, err := b.selecting(ctx, &h)
		if err != nil {
			return nil, err
		}
		for _, a := range attachments {
			for _, p := range plan.At(a, &h, ports.places[host]) {
				if p.Port.Switch == name {
					out = append(out, p)
				}
			}
		}
		needed, err := b.placesForPods(ctx, &h, ports, name)
		if err != nil {
			return nil, err
		}
		out = append(out, needed...)
	}
	return out, nil
}

// placesForPods are the places on a switch that the pods of a host need.
func (b base) placesForPods(ctx context.Context, h *v1alpha1.Host, ports *portMap, name string) ([]plan.Placement, error) {
	needs, err := b.hostNeeds(ctx, h.Name)
	if err != nil {
		return nil, err
	}
	var out []plan.Placement
	for _, s := range needs.all() {
		for _, at := range plan.AtNIC(h, needs.masters[s], ports.places[h.Name]) {
			if at.Switch == name {
				out = append(out, plan.ForPods(s.vpc, s.subnet, h, at))
			}
		}
	}
	return out, nil
}

// selecting are the attachments that select a host.
func (b base) selecting(ctx context.Context, h *v1alpha1.Host) ([]*v1alpha1.VPCAttachment, error) {
	var out []*v1alpha1.VPCAttachment
	for _, label := range append(pairs(h.Labels), anyLabel) {
		var list v1alpha1.VPCAttachmentList
		if err := b.List(ctx, &list, client.MatchingFields{attachmentsByLabel: label}, client.UnsafeDisableDeepCopy); err != nil {
			return nil, fmt.Errorf("list the attachments of hosts with %s: %w", label, err)
		}
		for i := range list.Items {
			a := &list.Items[i]
			if s, err := plan.HostSelector(a.Spec.Hosts); err == nil && s.Matches(labels.Set(h.Labels)) {
				out = append(out, a)
			}
		}
	}
	return out, nil
}

// ofHost names the attachments that select a host.
func (b base) ofHost(ctx context.Context, o client.Object) []types.NamespacedName {
	attachments, err := b.selecting(ctx, o.(*v1alpha1.Host))
	if err != nil {
		return nil
	}
	out := make([]types.NamespacedName, len(attachments))
	for i, a := range attachments {
		out[i] = client.ObjectKeyFromObject(a)
	}
	return out
}
