package reconcile

import (
	"context"
	"fmt"
	"sync"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	"github.com/switchlet/switchlet/controller/nad"
)

// The indexes of the cache of pods.
const (
	podsByNode      = "node"    // value: name; of those that name networks
	podsByNetwork   = "network" // value: namespace and name of a NetworkAttachmentDefinition
	podsByClaim     = "claim"   // value: namespace and name of an IPAMClaim
	networksByVPC   = "vpc"     // value: namespace and name
	networksByVNI   = "vni"     // value: decimal
	podSelector     = "spec.nodeName!=,status.phase!=Succeeded,status.phase!=Failed"
	networkResource = "network-attachment-definitions.k8s.cni.cncf.io"
	claimResource   = "ipamclaims.k8s.cni.cncf.io"
)

// podCache has the pods that are bound and have not ended, and, as far as the
// cluster knows these kinds, NetworkAttachmentDefinitions and IPAMClaims.
type podCache struct {
	cache.Cache

	mu                            sync.Mutex
	networks, claims              bool // whether the kind is known to be there
	askedNetworks, askedForClaims bool
}

// newPodCache makes it a part of a manager.
func newPodCache(ctx context.Context, mgr manager.Manager) (*podCache, error) {
	config := rest.CopyConfig(mgr.GetConfig())
	config.ContentType, config.AcceptContentTypes = "application/json", "application/json" // the kinds are ours
	selector, err := fields.ParseSelector(podSelector)
	if err != nil {
		return nil, err
	}
	c, err := cache.New(config, cache.Options{
		HTTPClient: mgr.GetHTTPClient(), Scheme: podScheme(), Mapper: mgr.GetRESTMapper(), DefaultTransform: stripGuest,
		ByObject: map[client.Object]cache.ByObject{&pod{}: {Field: selector}},
	})
	if err != nil {
		return nil, fmt.Errorf("make the cache of pods: %w", err)
	}
	for field, values := range map[string]client.IndexerFunc{podsByNode: nodeOf, podsByNetwork: networksOf, podsByClaim: claimsOf} {
		if err := c.IndexField(ctx, &pod{}, field, values); err != nil {
			return nil, fmt.Errorf("index pods by %s: %w", field, err)
		}
	}
	return &podCache{Cache: c}, mgr.Add(c)
}

func nodeOf(o client.Object) []string {
	if p := o.(*pod); p.wants() {
		return []string{p.Spec.NodeName}
	}
	return nil
}

func networksOf(o client.Object) []string {
	p := o.(*pod)
	if !p.wants() {
		return nil
	}
	selections, _ := nad.Of(p.Namespace, p.Annotations) // it is told where the pod's host is looked at
	var out []string
	for _, s := range selections {
		out = append(out, s.String())
	}
	return out
}

func claimsOf(o client.Object) []string {
	p := o.(*pod)
	if !p.wants() {
		return nil
	}
	selections, _ := nad.Of(p.Namespace, p.Annotations) // see networksOf
	var out []string
	for _, s := range selections {
		if s.Claim != "" {
			out = append(out, p.Namespace+"/"+s.Claim)
		}
	}
	return out
}

// hasNetworks says whether the cluster knows NetworkAttachmentDefinitions. From then
// on they can be read. A cluster that does not is asked once; later its
// CustomResourceDefinition tells.
func (c *podCache) hasNetworks(ctx context.Context) (bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.networks || c.askedNetworks {
		return c.networks, nil
	}
	err := c.indexNetworks(ctx)
	if err != nil && !meta.IsNoMatchError(err) {
		return false, fmt.Errorf("ask for NetworkAttachmentDefinitions: %w", err)
	}
	c.askedNetworks, c.networks = true, err == nil
	return c.networks, nil
}

func (c *podCache) indexNetworks(ctx context.Context) error {
	of := func(o client.Object) nad.Network {
		n, err := nad.ParseConfig(o.GetNamespace(), o.(*network).Spec.Config)
		if err != nil {
			return nad.Network{}
		}
		return n
	}
	err := c.IndexField(ctx, &network{}, networksByVPC, func(o client.Object) []string {
		if n := of(o); n.VPC.Name != "" {
			return []string{n.VPC.String()}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return c.IndexField(ctx, &network{}, networksByVNI, func(o client.Object) []string {
		if n := of(o); n.VNI != 0 {
			return []string{fmt.Sprint(n.VNI)}
		}
		return nil
	})
}

// hasClaims is the same for IPAMClaims.
func (c *podCache) hasClaims(ctx context.Context) (bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.claims || c.askedForClaims {
		return c.claims, nil
	}
	_, err := c.GetInformer(ctx, &claim{}, cache.BlockUntilSynced(false))
	if err != nil && !meta.IsNoMatchError(err) {
		return false, fmt.Errorf("ask for IPAMClaims: %w", err)
	}
	c.askedForClaims, c.claims = true, err == nil
	return c.claims, nil
}

// appeared notes that a kind is there now. It asks again.
func (c *podCache) appeared() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.askedNetworks, c.askedForClaims = false, false
}

// on are the pods on a Node that name networks.
func (c *podCache) on(ctx context.Context, node string) ([]*pod, error) {
	var list podList
	if err := c.List(ctx, &list, client.MatchingFields{podsByNode: node}, client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("list the pods on %s: %w", node, err)
	}
	return pointers(list.Items), nil
}

// nodes are those of the pods that name an object. What can't be found out now is
// left out: a list from the cache only fails while the program stops.
func (c *podCache) nodes(ctx context.Context, index string, name types.NamespacedName) map[types.NamespacedName]bool {
	var list podList
	out := map[types.NamespacedName]bool{}
	if err := c.List(ctx, &list, client.MatchingFields{index: name.String()}, client.UnsafeDisableDeepCopy); err != nil {
		return out
	}
	for i := range list.Items {
		out[types.NamespacedName{Name: list.Items[i].Spec.NodeName}] = true
	}
	return out
}

// like are the NetworkAttachmentDefinitions with a value in an index.
func (c *podCache) like(ctx context.Context, field, value string) []types.NamespacedName {
	if has, err := c.hasNetworks(ctx); err != nil || !has {
		return nil
	}
	var list networkList
	if err := c.List(ctx, &list, client.MatchingFields{field: value}, client.UnsafeDisableDeepCopy); err != nil {
		return nil
	}
	out := make([]types.NamespacedName, len(list.Items))
	for i := range list.Items {
		out[i] = client.ObjectKeyFromObject(&list.Items[i])
	}
	return out
}
