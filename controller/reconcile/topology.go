package reconcile

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/controller/topology"
)

// gather is how long changes are gathered before the port map is built anew; a
// large one, which takes long, is built for at most a fifth of the time.
const gather = 20 * time.Millisecond

// defaultWithdrawAfter is that of the API, for a Fabric that says nothing.
const defaultWithdrawAfter = time.Minute

// topologyReconciler builds the port map, writes it down as Links, and has
// everything looked at that follows from what has changed in it.
type topologyReconciler struct {
	base
	memory *linkMemory
	pause  *atomic.Int64 // nanoseconds from a change to the next map
}

// linkMemory is what is known of the links. The cache may be behind what was
// written a moment ago, and a link that was deleted must not come back by that.
type linkMemory struct {
	mu sync.Mutex
	// written are the statuses of all Links.
	written map[string]v1alpha1.LinkStatus
	// known are the Links that nobody declared; nil until they have been read.
	known map[string]bool
	// gone says since when the ends of a link are cabled elsewhere. After a
	// restart the time of grace begins anew.
	gone map[string]time.Time
}

func setupTopology(mgr manager.Manager, b base) error {
	r := topologyReconciler{b, &linkMemory{written: map[string]v1alpha1.LinkStatus{}, gone: map[string]time.Time{}}, &atomic.Int64{}}
	r.pause.Store(int64(gather))
	return builder.ControllerManagedBy(mgr).Named("topology").
		Watches(&v1alpha1.Switch{}, r.soon(), builder.WithPredicates(neighborsChanged())).
		Watches(&v1alpha1.Host{}, r.soon(), builder.WithPredicates(neighborsChanged())).
		Watches(&v1alpha1.Link{}, r.soon(), builder.WithPredicates(r.memory.foreign())).
		Watches(&corev1.Node{}, r.soon(), builder.WithPredicates(silenceChanged())).
		Watches(&v1alpha1.Fabric{}, r.soon(), builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		WithOptions(options(1)).
		Complete(r)
}

// soon asks for a new map, once for all that changes in a while.
func (r topologyReconciler) soon() handler.EventHandler {
	ask := func(q queue) {
		q.AddAfter(request(types.NamespacedName{Name: v1alpha1.FabricName}), time.Duration(r.pause.Load()))
	}
	return handler.Funcs{
		CreateFunc: func(_ context.Context, _ event.CreateEvent, q queue) { ask(q) },
		UpdateFunc: func(_ context.Context, _ event.UpdateEvent, q queue) { ask(q) },
		DeleteFunc: func(_ context.Context, _ event.DeleteEvent, q queue) { ask(q) },
	}
}

// neighborsChanged lets through what the port map is built from.
func neighborsChanged() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		if e.ObjectOld.GetGeneration() != e.ObjectNew.GetGeneration() {
			return true
		}
		switch was := e.ObjectOld.(type) {
		case *v1alpha1.Switch:
			is := e.ObjectNew.(*v1alpha1.Switch)
			return was.Status.MAC != is.Status.MAC || was.Status.ChassisID != is.Status.ChassisID || was.Status.SystemName != is.Status.SystemName ||
				!slices.Equal(was.Status.Ports, is.Status.Ports) || !slices.Equal(was.Status.Neighbors, is.Status.Neighbors)
		case *v1alpha1.Host:
			is := e.ObjectNew.(*v1alpha1.Host)
			return was.Status.ChassisID != is.Status.ChassisID || was.Status.SystemName != is.Status.SystemName ||
				!equality.Semantic.DeepEqual(was.Status.NICs, is.Status.NICs) || !slices.Equal(was.Status.Neighbors, is.Status.Neighbors)
		default:
			return true
		}
	}}
}

// silenceChanged lets through that a Node's kubelet is heard no more, or again.
func silenceChanged() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		return silent(e.ObjectOld.(*corev1.Node)) != silent(e.ObjectNew.(*corev1.Node))
	}}
}

// silent says whether the cluster has given up on a Node: nothing reports there.
func silent(n *corev1.Node) bool {
	return slices.ContainsFunc(n.Status.Conditions, func(c corev1.NodeCondition) bool {
		return c.Type == corev1.NodeReady && c.Status == corev1.ConditionUnknown
	})
}

func (r topologyReconciler) Reconcile(ctx context.Context, _ reconcile.Request) (reconcile.Result, error) {
	start := time.Now()
	in, have, err := r.inputs(ctx)
	if err != nil {
		return reconcile.Result{}, err
	}
	grace, err := r.grace(ctx)
	if err != nil {
		return reconcile.Result{}, err
	}
	t := topology.Build(in)
	wait, due := r.memory.withdraw(t.Gone(), grace, start)
	if len(due) > 0 {
		in.Links = slices.DeleteFunc(in.Links, func(l *v1alpha1.Link) bool { return due[l.Name] })
		t = topology.Build(in)
	}
	took := time.Since(start)
	r.pause.Store(int64(max(gather, 4*took)))
	log.FromContext(ctx).V(1).Info("built the port map", "switches", len(in.Switches), "hosts", len(in.Hosts), "links", len(t.Links), "took", took)
	written := r.writeLinks(ctx, t.Links, have)
	published := r.publish(ctx, newPortMap(in, t))
	return reconcile.Result{RequeueAfter: wait}, errors.Join(written, published)
}

// grace is how long a port keeps what it carries after its cable has moved. While
// there is no Fabric nothing is withdrawn.
func (r topologyReconciler) grace(ctx context.Context) (time.Duration, error) {
	var fabric v1alpha1.Fabric
	err := r.Get(ctx, client.ObjectKey{Name: v1alpha1.FabricName}, &fabric, client.UnsafeDisableDeepCopy)
	if apierrors.IsNotFound(err) {
		return -1, nil
	}
	if err != nil {
		return 0, fmt.Errorf("get Fabric %s: %w", v1alpha1.FabricName, err)
	}
	if fabric.Spec.LLDP.WithdrawAfter == nil {
		return defaultWithdrawAfter, nil
	}
	return fabric.Spec.LLDP.WithdrawAfter.Duration, nil
}

// inputs are all objects that the port map is built from, and the Links as the
// cache has them, by name.
func (r topologyReconciler) inputs(ctx context.Context) (topology.Inputs, map[string]*v1alpha1.Link, error) {
	var switches v1alpha1.SwitchList
	var hosts v1alpha1.HostList
	var links v1alpha1.LinkList
	var nodes corev1.NodeList
	for _, list := range []client.ObjectList{&switches, &hosts, &links, &nodes} {
		if err := r.List(ctx, list, client.UnsafeDisableDeepCopy); err != nil {
			return topology.Inputs{}, nil, fmt.Errorf("list what the port map is built from: %w", err)
		}
	}
	have := make(map[string]*v1alpha1.Link, len(links.Items))
	for i := range links.Items {
		have[links.Items[i].Name] = &links.Items[i]
	}
	in := topology.Inputs{Switches: pointers(switches.Items), Hosts: pointers(hosts.Items), Links: r.memory.links(have)}
	in.Silent = silentSystems(in, nodes.Items)
	return in, have, nil
}

// silentSystems are the Switches and Hosts whose Nodes the cluster has given up
// on, and the Hosts that were made for a Node which is gone.
func silentSystems(in topology.Inputs, nodes []corev1.Node) map[v1alpha1.ObjectReference]bool {
	gone, there := map[string]bool{}, make(map[string]bool, len(nodes))
	for i := range nodes {
		there[nodes[i].Name] = true
		gone[nodes[i].Name] = silent(&nodes[i])
	}
	out := map[v1alpha1.ObjectReference]bool{}
	for _, sw := range in.Switches {
		if gone[sw.Name] {
			out[v1alpha1.ObjectReference{Kind: v1alpha1.KindSwitch, Name: sw.Name}] = true
		}
	}
	for _, h := range in.Hosts {
		if _, ofNode := h.Annotations[nodeLabels]; gone[h.Name] || ofNode && !there[h.Name] {
			out[v1alpha1.ObjectReference{Kind: v1alpha1.KindHost, Name: h.Name}] = true
		}
	}
	return out
}

// publish puts a port map into force and has everything looked at that it
// concerns: all, if it is the first one.
func (r topologyReconciler) publish(ctx context.Context, now *portMap) error {
	before := r.cabling.now.Swap(now)
	if before == nil {
		return r.publishFirst(ctx, now)
	}
	moved := now.movedHosts(before)
	changed := now.changedSwitches(before, moved)
	groups, switches, hosts := map[types.NamespacedName]bool{}, map[types.NamespacedName]bool{}, map[types.NamespacedName]bool{}
	for name := range changed {
		for _, group := range (groupReconciler{r.base}).named(ctx, name) {
			groups[group] = true
		}
	}
	for name := range now.told(before, v1alpha1.KindSwitch) {
		switches[types.NamespacedName{Name: name}] = true
	}
	for name := range now.told(before, v1alpha1.KindHost) {
		hosts[types.NamespacedName{Name: name}] = true
	}
	for _, name := range moved {
		hosts[types.NamespacedName{Name: name}] = true
	}
	waiting := now.waitingHosts(before, r.needs.masters)
	for _, name := range waiting {
		hosts[types.NamespacedName{Name: name}] = true
	}
	send(ctx, r.cabling.groups, groups)
	send(ctx, r.cabling.switches, switches)
	send(ctx, r.cabling.hosts, hosts)
	send(ctx, r.needs.configs, hosts)
	r.tellPods(ctx, waiting)
	return r.tellAttachments(ctx, moved)
}

// tellPods has the pods looked at that run on some hosts, and the VPCs that they need.
func (r topologyReconciler) tellPods(ctx context.Context, hosts []string) {
	pods, vpcs := map[types.NamespacedName]bool{}, map[types.NamespacedName]bool{}
	for _, name := range hosts {
		pods[types.NamespacedName{Name: name}] = true
		maps.Copy(vpcs, vpcsOfNeeds(r.needs.of(name), nil))
	}
	send(ctx, r.needs.pods, pods)
	r.progress.notify(ctx, asked{vpcs: vpcs})
}

// publishFirst has everything compiled that waited for the first port map.
func (r topologyReconciler) publishFirst(ctx context.Context, now *portMap) error {
	groups := map[types.NamespacedName]bool{}
	for _, group := range (groupReconciler{r.base}).all(ctx, nil) {
		groups[group] = true
	}
	send(ctx, r.cabling.groups, groups)
	var switches v1alpha1.SwitchList
	var hosts v1alpha1.HostList
	var attachments v1alpha1.VPCAttachmentList
	for _, list := range []client.ObjectList{&switches, &hosts, &attachments} {
		if err := r.List(ctx, list, client.UnsafeDisableDeepCopy); err != nil {
			return fmt.Errorf("list what waits for the port map: %w", err)
		}
	}
	send(ctx, r.cabling.switches, namesOf(pointers(switches.Items)))
	send(ctx, r.cabling.hosts, namesOf(pointers(hosts.Items)))
	send(ctx, r.needs.configs, namesOf(pointers(hosts.Items)))
	ask := asked{vpcs: map[types.NamespacedName]bool{}, attachments: map[types.NamespacedName]bool{}}
	for i := range attachments.Items {
		if attachments.Items[i].Spec.Hosts != nil {
			ask.whole(&attachments.Items[i])
		}
	}
	r.progress.notify(ctx, ask)
	r.tellPods(ctx, now.waitingHosts(&portMap{}, r.needs.masters))
	return nil
}

// tellAttachments has the attachments looked at that select hosts which moved.
func (r topologyReconciler) tellAttachments(ctx context.Context, hosts []string) error {
	ask := asked{vpcs: map[types.NamespacedName]bool{}, attachments: map[types.NamespacedName]bool{}}
	for _, name := range hosts {
		var h v1alpha1.Host
		if err := r.Get(ctx, client.ObjectKey{Name: name}, &h, client.UnsafeDisableDeepCopy); err != nil {
			continue // it is gone: its own event tells its attachments
		}
		attachments, err := r.selecting(ctx, &h)
		if err != nil {
			return err
		}
		for _, a := range attachments {
			ask.whole(a)
		}
	}
	r.progress.notify(ctx, ask)
	return nil
}

func namesOf[T client.Object](objects []T) map[types.NamespacedName]bool {
	out := make(map[types.NamespacedName]bool, len(objects))
	for _, o := range objects {
		out[client.ObjectKeyFromObject(o)] = true
	}
	return out
}
