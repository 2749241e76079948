package reconcile_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/deploy/rbac/rbactest"
)

// racks is a lab with hosts that pods are bound to. The agents of the hosts are
// played: each reports its HostConfig, and what it has in use, when it is told to.
type racks struct {
	*wires
	inUse map[string][]string // addresses by host
}

// hostAgents has the agents of all hosts report until the test ends what they were
// given and what they use.
func (r *racks) hostAgents(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	events, err := r.cluster.Admin(t).Watch(ctx, &v1alpha1.HostConfigList{})
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(ended)
		for e := range events.ResultChan() {
			if c, ok := e.Object.(*v1alpha1.HostConfig); ok && e.Type != "DELETED" && c.Status.ObservedGeneration < c.Generation {
				if err := r.observe(ctx, c); err != nil && ctx.Err() == nil {
					t.Errorf("host agent: %v", err)
				}
			}
		}
	}()
	t.Cleanup(func() {
		cancel()
		events.Stop()
		<-ended
	})
}

// observe reports of a HostConfig.
func (r *racks) observe(ctx context.Context, c *v1alpha1.HostConfig) error {
	status := v1alpha1.HostConfigStatus{ObservedGeneration: c.Generation, AppliedRevision: c.Spec.Revision}
	for _, n := range c.Spec.Networks {
		s := v1alpha1.HostNetworkStatus{VNI: n.VNI, Slices: slices.Clone(n.Slices)}
		for _, a := range r.inUse[c.Name] {
			s.Pods++
			s.Slices = append(s.Slices, v1alpha1.AddressRange{First: a, Last: a})
		}
		s.Free = int32(len(addressesOf(n.Slices)) - int(s.Pods))
		status.Networks = append(status.Networks, s)
	}
	return client.IgnoreNotFound(applyStatus(ctx, r.Client, &v1alpha1.HostConfig{}, "HostConfig", c.Name, status))
}

// addressesOf are all addresses of ranges.
func addressesOf(ranges []v1alpha1.AddressRange) []string {
	var out []string
	for _, r := range ranges {
		last := netip.MustParseAddr(r.Last)
		for a := netip.MustParseAddr(r.First); a.Compare(last) <= 0; a = a.Next() {
			out = append(out, a.String())
		}
	}
	return out
}

// nadNamed makes a NetworkAttachmentDefinition, named "namespace/name".
func nadNamed(name, config string) *unstructured.Unstructured {
	return unstructuredNamed("k8s.cni.cncf.io/v1", "NetworkAttachmentDefinition", name, map[string]any{"config": config})
}

func unstructuredNamed(version, kind, name string, spec map[string]any) *unstructured.Unstructured {
	o := &unstructured.Unstructured{Object: map[string]any{"spec": spec}}
	o.SetGroupVersionKind(schema.FromAPIVersionAndKind(version, kind))
	m := objectMeta(name)
	o.SetNamespace(m.Namespace)
	o.SetName(m.Name)
	return o
}

// podOn makes a pod, named "namespace/name", that is bound to a host and wants
// networks.
func podOn(host, name, networks string) *corev1.Pod {
	p := &corev1.Pod{ObjectMeta: objectMeta(name), Spec: corev1.PodSpec{NodeName: host, Containers: []corev1.Container{{Name: "c", Image: "none"}}}}
	p.Annotations = map[string]string{"k8s.v1.cni.cncf.io/networks": networks}
	return p
}

// remove deletes pods for good, as a kubelet does at the end.
func (r *racks) remove(t *testing.T, pods ...*corev1.Pod) {
	t.Helper()
	for _, p := range pods {
		if err := r.Delete(t.Context(), fresh(p), client.GracePeriodSeconds(0)); err != nil {
			t.Fatal(err)
		}
	}
}

// hostConfig reads the HostConfig of a host.
func (r *racks) hostConfig(t *testing.T, host string) *v1alpha1.HostConfig {
	t.Helper()
	return get(t, r.lab, &v1alpha1.HostConfig{ObjectMeta: metav1.ObjectMeta{Name: host}})
}

// network waits until a host has a subnet, as check wants it.
func (r *racks) network(t *testing.T, host, subnet string, check func(v1alpha1.HostNetwork) error) v1alpha1.HostNetwork {
	t.Helper()
	var out v1alpha1.HostNetwork
	rbactest.Eventually(t, func() error {
		var c v1alpha1.HostConfig
		if err := r.Get(t.Context(), client.ObjectKey{Name: host}, &c); err != nil {
			return err
		}
		for _, n := range c.Spec.Networks {
			if n.Owner.Namespace+"/"+n.Owner.Name+"/"+n.Subnet == subnet {
				out = n
				if err := check(n); err != nil {
					return fmt.Errorf("%s on %s is %+v: %w", subnet, host, n, err)
				}
				return nil
			}
		}
		return fmt.Errorf("%s has no network %s", host, subnet)
	})
	return out
}

// isReady is a check that a network is ready over uplinks such as
// "eth0 leaf1/Ethernet8".
func isReady(uplinks ...string) func(v1alpha1.HostNetwork) error {
	return func(n v1alpha1.HostNetwork) error {
		var have []string
		for _, u := range n.Uplinks {
			have = append(have, u.NIC+" "+u.Switch+"/"+u.Port)
			if u.VLAN == 0 {
				return errors.New("it is untagged")
			}
		}
		if !n.Ready || !slices.Equal(have, uplinks) {
			return fmt.Errorf("want it ready over %q", uplinks)
		}
		return nil
	}
}

// hasReserved is a check that a network has an address for somebody, such as
// "10.1.0.20 web-0", and not in its slices.
func hasReserved(want ...string) func(v1alpha1.HostNetwork) error {
	return func(n v1alpha1.HostNetwork) error {
		have := []string{}
		for _, a := range n.Reserved {
			have = append(have, a.Address+" "+a.Pod+a.Claim)
			if slices.Contains(addressesOf(n.Slices), a.Address) {
				return fmt.Errorf("%s is in a slice, too", a.Address)
			}
		}
		if !slices.Equal(have, want) {
			return fmt.Errorf("want %q reserved, have %q", want, have)
		}
		return nil
	}
}

// lacks waits until a host has no network.
func (r *racks) lacks(t *testing.T, host string) {
	t.Helper()
	rbactest.Eventually(t, func() error {
		var c v1alpha1.HostConfig
		if err := r.Get(t.Context(), client.ObjectKey{Name: host}, &c); err != nil {
			return err
		}
		if n := len(c.Spec.Networks); n > 0 {
			return fmt.Errorf("%s has %d networks", host, n)
		}
		return nil
	})
}

// told waits until an object has an event with some words.
func (r *racks) told(t *testing.T, name, reason string, words ...string) {
	t.Helper()
	m := objectMeta(name)
	rbactest.Eventually(t, func() error {
		var list eventsv1.EventList
		if err := r.List(t.Context(), &list, client.InNamespace(m.Namespace)); err != nil {
			return err
		}
		var notes []string
		for _, e := range list.Items {
			if e.Regarding.Name != m.Name || e.Type != corev1.EventTypeWarning {
				continue
			}
			missing := slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(e.Note, w) })
			if notes = append(notes, e.Reason+": "+e.Note); e.Reason == reason && !missing {
				return nil
			}
		}
		return fmt.Errorf("%s was told %q, want %s with %q", name, notes, reason, words)
	})
}

// wipe deletes what lab.clear does not know.
func (r *racks) wipe(t *testing.T) {
	ctx := context.Background() // the test's own has ended
	for _, ns := range []string{"tenant-a", "tenant-b"} {
		if err := r.DeleteAllOf(ctx, &corev1.Pod{}, client.InNamespace(ns), client.GracePeriodSeconds(0)); err != nil {
			t.Error(err)
		}
		for version, kinds := range map[string][]string{"v1": {"NetworkAttachmentDefinition"}, "v1alpha1": {"IPAMClaim"}} {
			for _, kind := range kinds {
				o := &unstructured.Unstructured{}
				o.SetGroupVersionKind(schema.GroupVersionKind{Group: "k8s.cni.cncf.io", Version: version, Kind: kind})
				if err := r.DeleteAllOf(ctx, o, client.InNamespace(ns)); client.IgnoreNotFound(err) != nil {
					t.Log(err) // a cluster may lack the kind
				}
			}
		}
		if err := r.DeleteAllOf(ctx, &eventsv1.Event{}, client.InNamespace(ns)); err != nil {
			t.Error(err)
		}
	}
	r.deleteAll(t, &v1alpha1.HostConfigList{})
}
