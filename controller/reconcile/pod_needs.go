package reconcile

import (
	"cmp"
	"maps"
	"net/netip"
	"reflect"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

// subnetName is a subnet by its name.
type subnetName struct {
	vpc    types.NamespacedName
	subnet string
}

func byName(a, b subnetName) int {
	return cmp.Or(cmp.Compare(a.vpc.String(), b.vpc.String()), cmp.Compare(a.subnet, b.subnet))
}

// need is what the pods of a host need of one subnet.
type need struct {
	// pods that are to have an address that nobody chose, among them those that end.
	pods int
	// asks for addresses.
	asks []ask
}

// ask is a pod's, or a claim's, for addresses of its own choice.
type ask struct {
	user v1alpha1.AddressUser
	// pod that asks.
	pod podRef
	ips []netip.Addr
}

// podRef is a pod, for its events.
type podRef struct {
	types.NamespacedName
	uid types.UID
}

// hostNeeds is what the pods of one host need. It is never changed.
type hostNeeds struct {
	subnets map[subnetName]need
	// gone says since when no pod needs a subnet that is still kept.
	gone map[subnetName]time.Time
	// masters are the NICs, or bonds, that pods tie subnets to, needed or kept; one that
	// is not here is at all.
	masters map[subnetName]string
	// mistakes of pods: what they were told. networks are those of the
	// NetworkAttachmentDefinitions that they name, as far as the host is concerned.
	mistakes map[podRef]mistake
	networks map[types.NamespacedName]mistake
}

// all are the subnets that the host has, needed or kept.
func (h *hostNeeds) all() []subnetName {
	out := make([]subnetName, 0, len(h.subnets)+len(h.gone))
	for s := range h.subnets {
		out = append(out, s)
	}
	for s := range h.gone {
		out = append(out, s)
	}
	return out
}

// vpcs are those of the subnets.
func (h *hostNeeds) vpcs() []types.NamespacedName {
	var out []types.NamespacedName
	for _, s := range h.all() {
		out = append(out, s.vpc)
	}
	return out
}

// sameSubnets says whether two hosts have the same subnets, needed or kept, at the same
// NICs.
func (h *hostNeeds) sameSubnets(o *hostNeeds) bool {
	has := func(h *hostNeeds, s subnetName) bool {
		_, needed := h.subnets[s]
		_, kept := h.gone[s]
		return needed || kept
	}
	all := o.all()
	return len(h.all()) == len(all) && maps.Equal(h.masters, o.masters) && !slices.ContainsFunc(all, func(s subnetName) bool { return !has(h, s) })
}

// asking are the pods that ask for addresses, and for whom.
func (h *hostNeeds) asking() map[podRef]v1alpha1.AddressUser {
	out := map[podRef]v1alpha1.AddressUser{}
	for _, n := range h.subnets {
		for _, a := range n.asks {
			out[a.pod] = a.user
		}
	}
	return out
}

// needs is what pods need, by host. It is empty after a restart; what a host needs is
// found out, from its pods and from its HostConfig, when somebody asks for it.
type needs struct {
	mu    sync.Mutex
	hosts map[string]*hostNeeds
	byVPC map[types.NamespacedName]map[string]bool
	// pods and configs are the hosts that something has changed for.
	pods, configs chan event.TypedGenericEvent[types.NamespacedName]
	// addresses are Allocations whose user may be gone.
	addresses chan event.TypedGenericEvent[types.NamespacedName]
	// told are the mistakes in addresses that pods were told of.
	told map[toldPod]mistake
}

// toldPod is a pod that was told something of a network.
type toldPod struct {
	pod podRef
	vni int32
}

func newNeeds() *needs {
	events := func() chan event.TypedGenericEvent[types.NamespacedName] {
		return make(chan event.TypedGenericEvent[types.NamespacedName], 1024)
	}
	return &needs{hosts: map[string]*hostNeeds{}, byVPC: map[types.NamespacedName]map[string]bool{}, pods: events(), configs: events(), addresses: events(), told: map[toldPod]mistake{}}
}

// of is what a host needs, nil if nobody has asked yet.
func (n *needs) of(host string) *hostNeeds {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.hosts[host]
}

// first notes what a host needs unless that is known, and returns what is.
func (n *needs) first(host string, h *hostNeeds) *hostNeeds {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.hosts[host] == nil {
		n.set(host, h)
	}
	return n.hosts[host]
}

// note notes what a host needs. It says whether the subnets are others than before,
// and whether anything is.
func (n *needs) note(host string, h *hostNeeds) (subnets, anything bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	was := n.hosts[host]
	if was == nil {
		n.set(host, h)
		return true, true
	}
	before, now := was.asking(), h.asking()
	maps.DeleteFunc(n.told, func(t toldPod, _ mistake) bool {
		_, asked := before[t.pod]
		_, asks := now[t.pod]
		return asked && !asks
	})
	if subnets = !was.sameSubnets(h); subnets {
		n.set(host, h)
	} else {
		n.hosts[host] = h
	}
	return subnets, subnets || !reflect.DeepEqual(was.subnets, h.subnets)
}

// set is called with the lock held.
func (n *needs) set(host string, h *hostNeeds) {
	if was := n.hosts[host]; was != nil {
		for _, s := range was.all() {
			if delete(n.byVPC[s.vpc], host); len(n.byVPC[s.vpc]) == 0 {
				delete(n.byVPC, s.vpc)
			}
		}
	}
	for _, s := range h.all() {
		if n.byVPC[s.vpc] == nil {
			n.byVPC[s.vpc] = map[string]bool{}
		}
		n.byVPC[s.vpc][host] = true
	}
	if n.hosts[host] = h; len(h.subnets)+len(h.gone)+len(h.mistakes) == 0 {
		n.hosts[host] = &hostNeeds{}
	}
}

// tell says whether a pod was not told this yet.
func (n *needs) tell(p podRef, vni int32, m mistake) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	t := toldPod{p, vni}
	if n.told[t] == m {
		return false
	}
	n.told[t] = m
	return true
}

// masters are the NICs, or bonds, at which a host may have subnets; "" stands for all.
func (n *needs) masters(host string) []string {
	out := []string{""}
	if h := n.of(host); h != nil {
		out = slices.AppendSeq(out, maps.Values(h.masters))
	}
	return out
}

// hostsOf are the hosts that need subnets of a VPC, by name.
func (n *needs) hostsOf(vpc types.NamespacedName) []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Sorted(maps.Keys(n.byVPC[vpc]))
}

// any says whether a host may need anything.
func (n *needs) any(host string) bool {
	h := n.of(host)
	return h == nil || len(h.subnets)+len(h.gone) > 0
}
