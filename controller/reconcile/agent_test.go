package reconcile_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

// agent plays the agent on a switch: it reports each SwitchConfig as applied at
// once. It is strict: it fails the test for a spec that no switch could be
// given, and keeps all that it has seen.
type agent struct {
	name   string
	client client.WithWatch
	stop   func() // returns when it has ended

	mu        sync.Mutex
	silent    bool               // it does not report
	problems  []v1alpha1.Problem // what it reports not to have in force
	onTrial   bool               // it confirms nothing
	confirmed int64              // what it has confirmed before
	// takesBack says of a spec who breaks something in it. It is taken back then.
	takesBack func(*v1alpha1.SwitchConfigSpec) *v1alpha1.ObjectReference
	good      v1alpha1.SwitchConfig // what is in force
	config    v1alpha1.SwitchConfig
	seen      []v1alpha1.SwitchConfigSpec
	wake      chan struct{}
}

// join makes a switch with ports and an agent.
func (l *lab) join(t *testing.T, name string, spec v1alpha1.SwitchSpec) *agent {
	t.Helper()
	l.create(t, &v1alpha1.Switch{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: spec})
	l.report(t, name, v1alpha1.SwitchStatus{Ports: ports(), ForeignVLANs: []int32{150}})
	return l.startAgent(t, name)
}

// startAgent starts the agent of a switch.
func (l *lab) startAgent(t *testing.T, name string) *agent {
	t.Helper()
	a := &agent{name: name, client: l.cluster.Admin(t), wake: make(chan struct{}, 1)}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := a.run(ctx); err != nil {
			t.Errorf("agent %s: %v", name, err)
		}
	}()
	a.stop = func() {
		cancel()
		<-ended
	}
	l.agents[name] = a
	return a
}

// leaves makes leaf1, leaf2, …
func (l *lab) leaves(t *testing.T, n int) {
	t.Helper()
	for i := range n {
		l.join(t, fmt.Sprintf("leaf%d", i+1), v1alpha1.SwitchSpec{Role: v1alpha1.RoleLeaf})
	}
}

// report writes the status of a Switch as its agent does.
func (l *lab) report(t *testing.T, name string, status v1alpha1.SwitchStatus) {
	t.Helper()
	if err := applyStatus(t.Context(), l.Client, &v1alpha1.Switch{}, "Switch", name, status); err != nil {
		t.Fatal(err)
	}
}

// ports are those of every switch here: Ethernet112 is in a port channel,
// Ethernet120 is routed, Ethernet124 has a VLAN made by hand.
func ports() []v1alpha1.SwitchPort {
	out := []v1alpha1.SwitchPort{{Name: "PortChannel0001"}}
	for i := range 32 {
		out = append(out, v1alpha1.SwitchPort{Name: fmt.Sprintf("Ethernet%d", 4*i), AdminUp: true})
	}
	set := func(name string, use v1alpha1.PortUse, by string, native int32) {
		i := slices.IndexFunc(out, func(p v1alpha1.SwitchPort) bool { return p.Name == name })
		out[i].Use, out[i].UsedBy, out[i].NativeVLAN = use, by, native
	}
	set("Ethernet112", v1alpha1.PortUsePortChannelMember, "PortChannel0001", 0)
	set("Ethernet120", v1alpha1.PortUseRouted, "INTERFACE|Ethernet120", 0)
	set("Ethernet124", "", "", 150)
	return out
}

func applyStatus(ctx context.Context, c client.Client, o client.Object, kind, name string, status any) error {
	data, err := json.Marshal(map[string]any{
		"apiVersion": v1alpha1.GroupVersion().String(), "kind": kind,
		"metadata": map[string]any{"name": name}, "status": status,
	})
	if err != nil {
		return err
	}
	o.SetName(name)
	return c.Status().Patch(ctx, o, client.RawPatch(types.ApplyPatchType, data), client.FieldOwner("switchlet-agent"), client.ForceOwnership)
}

// run reports until ctx ends.
func (a *agent) run(ctx context.Context) error {
	events, err := a.client.Watch(ctx, &v1alpha1.SwitchConfigList{}, client.MatchingFields{"metadata.name": a.name})
	if ctx.Err() != nil {
		return nil
	}
	if err != nil {
		return err
	}
	defer events.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-a.wake:
		case e, open := <-events.ResultChan():
			if !open {
				if ctx.Err() != nil {
					return nil
				}
				return errors.New("the watch ended")
			}
			if err := a.see(e); err != nil {
				if ctx.Err() != nil { // the last event may be cut off
					return nil
				}
				return err
			}
		}
		if err := a.answer(ctx); err != nil && ctx.Err() == nil {
			return err
		}
	}
}

// see takes over what has changed.
func (a *agent) see(e watch.Event) error {
	config, ok := e.Object.(*v1alpha1.SwitchConfig)
	if !ok {
		return fmt.Errorf("watch: %v", e.Object)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if e.Type == watch.Deleted {
		a.config = v1alpha1.SwitchConfig{}
		return nil
	}
	if n := len(a.seen); n == 0 || !cmp.Equal(a.seen[n-1], config.Spec) {
		a.seen = append(a.seen, config.Spec)
	}
	a.config = *config
	return validate(&config.Spec)
}

// answer reports the configuration as applied unless it is reported already.
func (a *agent) answer(ctx context.Context) error {
	a.mu.Lock()
	have, want, silent := a.config.Status, a.status(), a.silent || a.config.Name == ""
	a.mu.Unlock()
	if silent || cmp.Equal(have, want) {
		return nil
	}
	return client.IgnoreNotFound(applyStatus(ctx, a.client, &v1alpha1.SwitchConfig{}, "SwitchConfig", a.name, want))
}

// status is what an agent reports that has put everything into force, apart from
// what it takes back.
func (a *agent) status() v1alpha1.SwitchConfigStatus {
	s := v1alpha1.SwitchConfigStatus{ObservedGeneration: a.config.Generation, Problems: a.problems, Conditions: routed(&a.config)}
	if owner := a.refuses(); owner != nil {
		s.BadRevision = a.config.Spec.Revision
		s.Problems = []v1alpha1.Problem{{Owner: *owner, Reason: "RolledBack", Message: fmt.Sprintf("Revision %s was taken back by the switch. bgp/10.0.0.1 is down.", s.BadRevision)}}
	} else {
		a.good = a.config
	}
	if !a.onTrial {
		a.confirmed = a.good.Generation
	}
	s.AppliedGeneration, s.ConfirmedGeneration, s.AppliedRevision = a.good.Generation, a.confirmed, a.good.Spec.Revision
	for _, v := range a.good.Spec.VRFs {
		s.VNIs = append(s.VNIs, v.VNI)
	}
	for _, g := range a.good.Spec.Segments {
		s.VNIs = append(s.VNIs, g.VNI)
	}
	slices.Sort(s.VNIs)
	if len(s.VNIs) > 0 {
		s.VTEPs = []string{a.good.Spec.VTEP}
	}
	return s
}

func (a *agent) refuses() *v1alpha1.ObjectReference {
	if a.takesBack == nil {
		return nil
	}
	return a.takesBack(&a.config.Spec)
}

// say changes how the agent behaves, and has it report anew.
func (a *agent) say(change func(*agent)) {
	a.mu.Lock()
	change(a)
	a.mu.Unlock()
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

// history is every spec that the switch was given, in order.
func (a *agent) history() []v1alpha1.SwitchConfigSpec {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.seen)
}

// validate says what makes a spec impossible on any switch.
func validate(s *v1alpha1.SwitchConfigSpec) error {
	vlans, vnis, vrfs := map[int32]bool{150: true}, map[int32]bool{}, map[int32]bool{}
	once := func(what string, seen map[int32]bool, id int32) error {
		if id == 0 || seen[id] {
			return fmt.Errorf("%s %d is used twice, is 0 or is somebody else's", what, id)
		}
		seen[id] = true
		return nil
	}
	var errs []error
	for _, v := range s.VRFs {
		errs = append(errs, once("VLAN", vlans, v.VLAN), once("VNI", vnis, v.VNI))
		vrfs[v.VNI] = true
	}
	for _, v := range s.VRFs {
		for _, i := range v.Imports {
			if !vrfs[i.VRF] || i.VRF == v.VNI || len(i.Prefixes) == 0 {
				errs = append(errs, fmt.Errorf("VRF %d cannot take over %+v", v.VNI, i))
			}
		}
	}
	for _, g := range s.Segments {
		errs = append(errs, once("VLAN", vlans, g.VLAN), once("VNI", vnis, g.VNI))
		if !vrfs[g.VRF] {
			errs = append(errs, fmt.Errorf("segment %d is in VRF %d, which is not there", g.VNI, g.VRF))
		}
		if len(g.Ports) == 0 {
			errs = append(errs, fmt.Errorf("segment %d has no port", g.VNI))
		}
	}
	if _, err := netip.ParseAddr(s.VTEP); err != nil && len(vnis) > 0 {
		errs = append(errs, fmt.Errorf("VNIs without a VTEP: %w", err))
	}
	return errors.Join(errs...)
}
