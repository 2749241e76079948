package reconcile

import (
	"context"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/controller/nad"
)

// podReconciler finds out what the pods of a host need of the fabric. A request's
// name is that of the host. It writes nothing; what it finds is compiled into
// SwitchConfigs and the HostConfig.
type podReconciler struct{ base }

func setupPod(mgr manager.Manager, b base) error {
	pod, err := setupBoundPod(mgr, b)
	if err != nil {
		return err
	}
	network, err := setupNetwork(mgr, b)
	if err != nil {
		return err
	}
	address, err := setupAddress(mgr, b)
	if err != nil {
		return err
	}
	return setupDefinition(mgr, b, watchers{pod, network, address})
}

func setupBoundPod(mgr manager.Manager, b base) (controller.Controller, error) {
	r := podReconciler{b}
	return builder.ControllerManagedBy(mgr).Named("pod").
		WatchesRawSource(source.Kind(b.pods.Cache, &pod{}, r.byNode())).
		WatchesRawSource(fromProgress(b.needs.pods)).
		Watches(&v1alpha1.HostConfig{}, sameName(), builder.WithPredicates(usageChanged())).
		WithOptions(options(workers)).
		Build(r)
}

// byNode asks for the host of a pod that wants something, or wanted.
func (r podReconciler) byNode() handler.TypedEventHandler[*pod, reconcile.Request] {
	ask := func(q queue, pods ...*pod) {
		for _, p := range pods {
			if p.wants() {
				q.Add(request(types.NamespacedName{Name: p.Spec.NodeName}))
			}
		}
	}
	return handler.TypedFuncs[*pod, reconcile.Request]{
		CreateFunc: func(_ context.Context, e event.TypedCreateEvent[*pod], q queue) { ask(q, e.Object) },
		UpdateFunc: func(_ context.Context, e event.TypedUpdateEvent[*pod], q queue) {
			if !sameWishes(e.ObjectOld, e.ObjectNew) {
				ask(q, e.ObjectOld, e.ObjectNew)
			}
		},
		DeleteFunc: func(_ context.Context, e event.TypedDeleteEvent[*pod], q queue) { ask(q, e.Object) },
	}
}

// sameWishes says whether two versions of a pod want the same. That a pod begins to
// end changes nothing: it has its networks until it is gone.
func sameWishes(a, b *pod) bool {
	return a.Spec == b.Spec && a.UID == b.UID &&
		a.Annotations[nad.NetworksAnnotation] == b.Annotations[nad.NetworksAnnotation] &&
		a.Annotations[nad.DefaultNetworkAnnotation] == b.Annotations[nad.DefaultNetworkAnnotation]
}

// usageChanged lets through that a host has come to use a network, or uses it no more.
func usageChanged() predicate.Predicate {
	return predicate.Funcs{
		UpdateFunc: func(e event.UpdateEvent) bool {
			was, is := attachedPods(e.ObjectOld.(*v1alpha1.HostConfig)), attachedPods(e.ObjectNew.(*v1alpha1.HostConfig))
			return !slices.Equal(was, is)
		},
	}
}

// attachedPods are the VNIs of the networks that pods of a host are attached to, as
// the host tells.
func attachedPods(c *v1alpha1.HostConfig) []int32 {
	var out []int32
	for _, n := range c.Status.Networks {
		if n.Pods > 0 {
			out = append(out, n.VNI)
		}
	}
	slices.Sort(out)
	return out
}

func (r podReconciler) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	before := r.needs.of(req.Name)
	now, wait, err := r.findNeeds(ctx, req.Name, before)
	if err != nil {
		return reconcile.Result{}, err
	}
	subnets, anything := r.needs.note(req.Name, now)
	r.tellMistakes(ctx, before, now)
	if subnets {
		send(ctx, r.cabling.groups, r.groupsAt(ctx, req.Name))
	}
	if anything {
		send(ctx, r.needs.configs, map[types.NamespacedName]bool{req.NamespacedName: true})
	}
	if subnets {
		r.progress.notify(ctx, asked{vpcs: vpcsOfNeeds(before, now)})
	}
	if before != nil {
		r.tellAddresses(ctx, before, now)
	}
	return reconcile.Result{RequeueAfter: wait}, nil
}

// groupsAt are the groups that a host is cabled to.
func (b base) groupsAt(ctx context.Context, host string) map[types.NamespacedName]bool {
	out := map[types.NamespacedName]bool{}
	for _, g := range (groupReconciler{b}).ofHostPlaces(ctx, &v1alpha1.Host{ObjectMeta: objectNamed(host)}) {
		out[g] = true
	}
	return out
}

// vpcsOfNeeds are the VPCs that a host has come to need, or needs no more.
func vpcsOfNeeds(before, now *hostNeeds) map[types.NamespacedName]bool {
	out := map[types.NamespacedName]bool{}
	for _, h := range []*hostNeeds{before, now} {
		if h != nil {
			for _, s := range h.all() {
				out[s.vpc] = true
			}
		}
	}
	return out
}

// hostNeeds is what a host needs, found out unless it is known.
func (b base) hostNeeds(ctx context.Context, host string) (*hostNeeds, error) {
	if h := b.needs.of(host); h != nil {
		return h, nil
	}
	h, _, err := b.findNeeds(ctx, host, nil)
	if err != nil {
		return nil, err
	}
	return b.needs.first(host, h), nil
}

// hostsNeeding are the hosts that need subnets of a VPC. Those that had some before the
// controller started are looked at, so that it begins with what was so already.
func (b base) hostsNeeding(ctx context.Context, vpc types.NamespacedName) ([]string, error) {
	var list v1alpha1.HostConfigList
	if err := b.List(ctx, &list, client.MatchingFields{hostConfigsByVPC: vpc.String()}, client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("list the HostConfigs with VPC %s: %w", vpc, err)
	}
	for i := range list.Items {
		if _, err := b.hostNeeds(ctx, list.Items[i].Name); err != nil {
			return nil, err
		}
	}
	return b.needs.hostsOf(vpc), nil
}

// findNeeds looks at the pods of a host. What none of them needs any more is kept for
// the time of grace, and for as long as the host says that pods are attached. It
// tells when the next time of grace ends.
func (b base) findNeeds(ctx context.Context, host string, before *hostNeeds) (*hostNeeds, time.Duration, error) {
	pods, err := b.pods.on(ctx, host)
	if err != nil {
		return nil, 0, err
	}
	out := &hostNeeds{subnets: map[subnetName]need{}, gone: map[subnetName]time.Time{}, masters: map[subnetName]string{}, mistakes: map[podRef]mistake{}, networks: map[types.NamespacedName]mistake{}}
	wanting := map[subnetName][]wish{}
	for _, p := range pods {
		if err := b.addPod(ctx, p, out, wanting); err != nil {
			return nil, 0, err
		}
	}
	had, err := b.had(ctx, host, before)
	if err != nil {
		return nil, 0, err
	}
	grace, err := topologyReconciler{base: b}.grace(ctx)
	if err != nil {
		return nil, 0, err
	}
	now, wait := time.Now(), time.Duration(0)
	for s, since := range had.since {
		if _, needed := out.subnets[s]; needed {
			continue
		}
		if since.IsZero() || had.attached[s] {
			since = now
		}
		left := grace - now.Sub(since)
		if grace >= 0 && left <= 0 && !had.attached[s] {
			continue
		}
		if out.gone[s] = since; grace >= 0 && !had.attached[s] && (wait == 0 || left < wait) {
			wait = left
		}
	}
	if err := b.tie(ctx, host, out, had.masters, wanting); err != nil {
		return nil, 0, err
	}
	b.addNoPort(host, out, wanting)
	out.limit(host, had.since, wanting)
	return out, wait, nil
}

// had are the subnets that a host had so far.
type had struct {
	// since when no pod needs each of them.
	since map[subnetName]time.Time
	// attached are those that the host says pods are attached to.
	attached map[subnetName]bool
	// masters are the NICs, or bonds, that pods have tied them to.
	masters map[subnetName]string
}

// had looks for them. After a restart the HostConfig tells, and every time of grace
// begins anew.
func (b base) had(ctx context.Context, host string, before *hostNeeds) (had, error) {
	out := had{map[subnetName]time.Time{}, map[subnetName]bool{}, map[subnetName]string{}}
	var config v1alpha1.HostConfig
	err := b.Get(ctx, client.ObjectKey{Name: host}, &config, client.UnsafeDisableDeepCopy)
	if client.IgnoreNotFound(err) != nil {
		return had{}, fmt.Errorf("get HostConfig %s: %w", host, err)
	}
	if before != nil {
		for _, s := range before.all() {
			out.since[s], out.masters[s] = before.gone[s], before.masters[s]
		}
	}
	pods := attachedPods(&config)
	for _, n := range config.Spec.Networks {
		s := subnetName{n.Owner.NamespacedName(), n.Subnet}
		if before == nil {
			out.since[s], out.masters[s] = time.Time{}, n.Master
		}
		out.attached[s] = slices.Contains(pods, n.VNI)
	}
	return out, nil
}

// addPod adds what a pod wants, and to wanting where it wants it.
func (b base) addPod(ctx context.Context, p *pod, out *hostNeeds, wanting map[subnetName][]wish) error {
	ref := podRef{types.NamespacedName{Namespace: p.Namespace, Name: p.Name}, p.UID}
	selections, err := nad.Of(p.Namespace, p.Annotations)
	if err != nil {
		out.mistakes[ref] = mistake{"InvalidAnnotation", fmt.Sprintf("%v. Correct it in what makes the pod.", err)}
	}
	for _, s := range selections {
		m, err := b.meaning(ctx, s.NamespacedName, p.Namespace)
		if err != nil {
			return err
		}
		switch {
		case m == nil:
			continue // it is not ours
		case m.mistake != nil:
			out.mistakes[ref] = mistake{m.mistake.reason, fmt.Sprintf("NetworkAttachmentDefinition %s: %s", s, m.mistake.message)}
			continue
		}
		n := out.subnets[m.subnet]
		ask, mistake, err := b.asks(ctx, ref, s)
		if err != nil {
			return err
		}
		switch {
		case mistake != nil:
			out.mistakes[ref] = *mistake
		case ask != nil:
			n.asks = append(n.asks, *ask)
		default:
			n.pods++
		}
		out.subnets[m.subnet], wanting[m.subnet] = n, append(wanting[m.subnet], wish{ref, s.NamespacedName, m.master})
	}
	return nil
}

// tellAddresses has the addresses looked at of pods that are gone.
func (r podReconciler) tellAddresses(ctx context.Context, before, now *hostNeeds) {
	users := now.asking()
	for ref, user := range before.asking() {
		if _, there := users[ref]; !there {
			send(ctx, r.needs.addresses, r.ofUser(ctx, user))
		}
	}
}

// tellMistakes makes an event of each mistake that a pod, or a NetworkAttachmentDefinition,
// was not told before.
func (r podReconciler) tellMistakes(ctx context.Context, before, now *hostNeeds) {
	for ref, m := range now.mistakes {
		if before == nil || before.mistakes[ref] != m {
			r.tellPod(ref, m)
		}
	}
	for name, m := range now.networks {
		if before == nil || before.networks[name] != m {
			r.tellNetwork(ctx, name, m)
		}
	}
}

func (b base) tellPod(ref podRef, m mistake) {
	o := &corev1.ObjectReference{APIVersion: "v1", Kind: "Pod", Namespace: ref.Namespace, Name: ref.Name, UID: ref.uid}
	b.events.Eventf(o, nil, corev1.EventTypeWarning, m.reason, "Attach", "%s", m.message)
}
