package main

import (
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/deploy/lab/cabling"
	"github.com/switchlet/switchlet/deploy/rbac/rbactest"
)

// maxResidentKiB is what the program may take of a node's memory.
const maxResidentKiB = 25 << 10

// status is the Host's for reading: a line for each NIC, and one for each
// neighbour, and what Ready says.
func (r *rig) status(t *testing.T) (string, error) {
	t.Helper()
	var h v1alpha1.Host
	if err := r.admin.Get(t.Context(), client.ObjectKey{Name: "host1"}, &h); err != nil {
		return "", err
	}
	var lines []string
	for _, n := range h.Status.NICs {
		lines = append(lines, fmt.Sprintf("%s up=%t", n.Name, n.Up))
	}
	for _, n := range h.Status.Neighbors {
		lines = append(lines, strings.TrimSpace(fmt.Sprintf("%s - %s %s %s %s %s", n.Port, n.SystemName, n.ChassisID, n.PortID, n.PortDescription, map[bool]string{true: "stale"}[n.Stale])))
	}
	if c := meta.FindStatusCondition(h.Status.Conditions, v1alpha1.ConditionReady); c != nil {
		lines = append(lines, fmt.Sprintf("Ready=%s %s", c.Status, c.Reason))
	}
	return strings.Join(lines, "\n"), nil
}

// shows waits until the status is this, and tells how long that took.
func (r *rig) shows(t *testing.T, want ...string) time.Duration {
	t.Helper()
	began := time.Now()
	rbactest.Eventually(t, func() error {
		got, err := r.status(t)
		if diff := cmp.Diff(want, strings.Split(got, "\n")); err != nil || diff != "" {
			return fmt.Errorf("error %w, status (-want +got):\n%s", err, diff)
		}
		return nil
	})
	return time.Since(began)
}

const (
	eth1AtLeaf1 = "eth1 - leaf1 52:54:00:5c:00:01 etp1 Ethernet0"
	eth2AtLeaf2 = "eth2 - leaf2 52:54:00:5c:00:02 etp1 Ethernet0"
	eth2Moved   = "eth2 - leaf1 52:54:00:5c:00:01 etp2 Ethernet4"
)

func newHost() *v1alpha1.Host { return &v1alpha1.Host{ObjectMeta: metav1.ObjectMeta{Name: "host1"}} }

// The whole way: the program with the rights that it is deployed with, a real API
// server, and the real lldpd on the switches.
func TestHostAgent(t *testing.T) {
	r, rig := newRig(t), t // programs end with this test, not with a part of it
	t.Run("the switch hears the host", func(t *testing.T) {
		rbactest.Eventually(t, func() error {
			got, err := r.leaves["leaf1"].hears(t.Context())
			if want := "Ethernet0: local host1 ifname eth1 eth1"; err != nil || got != want {
				return fmt.Errorf("it hears %q, error %w; want %q", got, err, want)
			}
			return nil
		})
		if _, err := r.status(t); !apierrors.IsNotFound(err) {
			t.Errorf("the Host is there before anybody has made it: %v", err)
		}
	})
	must(t, r.admin.Create(t.Context(), newHost()))
	t.Run("the Host shows the switches", func(t *testing.T) {
		r.shows(t, "eth1 up=true", "eth2 up=true", eth1AtLeaf1, eth2AtLeaf2, "Ready=True Ready")
		r.cabled(t)
	})
	eth2 := cabling.End{Node: "host1", Port: "eth2"}
	t.Run("a cable is moved", func(t *testing.T) {
		must(t, r.panel.Move(eth2, cabling.End{Node: "leaf1", Port: "Ethernet4"}))
		r.leaves["leaf1"].links <- struct{}{}
		took := r.shows(t, "eth1 up=true", "eth2 up=true", eth1AtLeaf1, eth2Moved, "Ready=True Ready")
		t.Logf("the new switch port was in the status after %v; the switch sends every %v", took.Round(time.Millisecond), interval)
		if took > interval+2*time.Second {
			t.Error("that is too long")
		}
	})
	t.Run("a cable is pulled", func(t *testing.T) {
		must(t, r.panel.Pull(eth2))
		r.shows(t, "eth1 up=true", "eth2 up=false", eth1AtLeaf1, eth2Moved+" stale", "Ready=True Ready")
	})
	t.Run("a crash forgets nobody", func(t *testing.T) {
		r.end(t, syscall.SIGKILL)
		must(t, r.admin.Delete(t.Context(), newHost())) // what is there next, the new agent has written
		must(t, r.admin.Create(t.Context(), newHost()))
		r.start(rig, "+net_raw")
		r.shows(t, "eth1 up=true", "eth2 up=false", eth1AtLeaf1, eth2Moved+" stale", "Ready=True Ready")
		r.cabled(t)
	})
	before := r.conditions(t)
	t.Run("the API server is away meanwhile", func(t *testing.T) {
		must(t, r.cluster.KillAPIServer())
		r.end(t, syscall.SIGTERM)
		must(t, r.panel.Plug(eth2, cabling.End{Node: "leaf2", Port: "Ethernet0"}))
		r.start(rig, "+net_raw")
		must(t, r.cluster.StartAPIServer(t.Context()))
		r.shows(t, "eth1 up=true", "eth2 up=true", eth1AtLeaf1, eth2AtLeaf2, "Ready=True Ready")
		if diff := cmp.Diff(before, r.conditions(t)); diff != "" {
			t.Errorf("conditions (-before +after):\n%s", diff)
		}
	})
	t.Run("the Host is made anew", func(t *testing.T) {
		must(t, r.admin.Delete(t.Context(), newHost()))
		must(t, r.admin.Create(t.Context(), newHost()))
		r.shows(t, "eth1 up=true", "eth2 up=true", eth1AtLeaf1, eth2AtLeaf2, "Ready=True Ready")
	})
	resident := r.residentKiB(t)
	t.Logf("the agent has taken %.1f MiB at most", float64(resident)/1024)
	if resident > maxResidentKiB {
		t.Errorf("the agent has taken %d KiB, more than %d", resident, maxResidentKiB)
	}
	t.Run("it may do nothing else", r.mayNotMore)
	t.Run("it takes back what it said when it ends", func(t *testing.T) {
		r.end(t, syscall.SIGTERM)
		rbactest.Eventually(t, func() error {
			got, err := r.leaves["leaf1"].hears(t.Context())
			if err != nil || got != "" {
				return fmt.Errorf("leaf1 hears %q, error %w", got, err)
			}
			return nil
		})
	})
	t.Run("it says when it may not speak", func(t *testing.T) {
		r.start(rig, "")
		r.shows(t, "eth1 up=true", "eth2 up=true", eth1AtLeaf1+" stale", eth2AtLeaf2+" stale", "Ready=False LLDPSilent")
	})
}

// mayNotMore tries what the agent's rights do not let it do.
func (r *rig) mayNotMore(t *testing.T) {
	must(t, r.admin.Create(t.Context(), &v1alpha1.Host{ObjectMeta: metav1.ObjectMeta{Name: "host2"}}))
	agent := r.cluster.WithToken(t, r.token)
	host2 := &v1alpha1.Host{ObjectMeta: metav1.ObjectMeta{Name: "host2"}}
	status := client.RawPatch(types.ApplyPatchType, []byte(`{"apiVersion":"fabric.switchlet.io/v1alpha1","kind":"Host","metadata":{"name":"host2"},"status":{"systemName":"x"}}`))
	spec := client.RawPatch(types.MergePatchType, []byte(`{"spec":{"nics":[{"name":"eth9"}]}}`))
	for what, err := range map[string]error{
		"write the status of another Host": agent.Status().Patch(t.Context(), host2, status, client.FieldOwner("switchlet-host-agent")),
		"change its Host":                  agent.Patch(t.Context(), newHost(), spec),
		"create a Host":                    agent.Create(t.Context(), &v1alpha1.Host{ObjectMeta: metav1.ObjectMeta{Name: "host3"}}),
		"delete its Host":                  agent.Delete(t.Context(), newHost()),
		"read Switches":                    agent.List(t.Context(), &v1alpha1.SwitchList{}),
		"read Secrets":                     agent.List(t.Context(), &corev1.SecretList{}),
	} {
		if !apierrors.IsForbidden(err) && !apierrors.IsInvalid(err) {
			t.Errorf("it may %s: error %v", what, err)
		}
	}
}

// cabled writes the condition that is the controller's, as it does.
func (r *rig) cabled(t *testing.T) {
	t.Helper()
	const patch = `{"apiVersion":"fabric.switchlet.io/v1alpha1","kind":"Host","metadata":{"name":"host1"},"status":{"conditions":[
		{"type":"Cabled","status":"True","reason":"Cabled","message":"","lastTransitionTime":"2030-01-01T00:00:00Z"}]}}`
	must(t, r.admin.Status().Patch(t.Context(), newHost(), client.RawPatch(types.ApplyPatchType, []byte(patch)), client.FieldOwner("switchlet-controller")))
}

// conditions are those of the Host: the agent's and the controller's.
func (r *rig) conditions(t *testing.T) []metav1.Condition {
	t.Helper()
	var h v1alpha1.Host
	must(t, r.admin.Get(t.Context(), client.ObjectKey{Name: "host1"}, &h))
	slices.SortFunc(h.Status.Conditions, func(a, b metav1.Condition) int { return strings.Compare(a.Type, b.Type) })
	if len(h.Status.Conditions) != 2 {
		t.Errorf("conditions are %+v, want Cabled and Ready", h.Status.Conditions)
	}
	return h.Status.Conditions
}
