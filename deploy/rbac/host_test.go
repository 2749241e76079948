package rbac_test

import (
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/deploy/rbac/rbactest"
)

// hostAgent has the agent of a host write what it may and what it may not.
func (w who) hostAgent(t *testing.T) {
	ctx := t.Context()
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: rbactest.Namespace, Name: "agent-on-host1"},
		Spec: corev1.PodSpec{
			ServiceAccountName: "switchlet-host-agent", NodeName: "host1",
			Containers: []corev1.Container{{Name: "host-agent", Image: "switchlet.io/host-agent:dev"}},
		},
	}
	admin := rights{w.admin, t}
	admin.may("make a node", w.admin.Create(ctx, &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "host1"}}))
	for _, name := range []string{"host1", "host2", "leaf1"} {
		admin.may("make a Host", w.admin.Create(ctx, &v1alpha1.Host{ObjectMeta: metav1.ObjectMeta{Name: name}}))
	}
	admin.may("make a pod", w.admin.Create(ctx, pod))
	r := rights{w.tokenOf(t, "switchlet-host-agent", pod), t}
	// The API server takes a moment to enforce a new policy.
	rbactest.Eventually(t, func() error {
		err := r.status("Host", "host2", `{"systemName":"x"}`)
		if !apierrors.IsForbidden(err) && !apierrors.IsInvalid(err) {
			return fmt.Errorf("an agent on host1 wrote the status of Host host2 (error %w)", err)
		}
		return nil
	})
	r.may("write the status of its Host", r.status("Host", "host1", `{"systemName":"host1"}`))
	r.may("read Hosts", r.read(&v1alpha1.HostList{}))
	r.mayNot("write the status of another Host", r.status("Host", "host2", `{"systemName":"x"}`), "own node only", "this one runs on host1")
	r.mayNot("write the status of a Switch", r.status("Switch", "leaf1", `{"platform":"x"}`))
	r.mayNot("change its Host", r.spec(named(&v1alpha1.Host{}, "host1"), `{"metadata":{"labels":{"app":"web"}}}`))
	r.mayNot("delete its Host", r.Delete(ctx, named(&v1alpha1.Host{}, "host1")))
	r.mayNot("make a Host", r.Create(ctx, named(&v1alpha1.Host{}, "host3")))
	r.mayNot("declare a Link", r.Create(ctx, named(&v1alpha1.Link{}, "mine")))
	r.mayNot("read Links", r.read(&v1alpha1.LinkList{}))
	r.mayNot("read Switches", r.read(&v1alpha1.SwitchList{}))

	unbound := rights{w.tokenOf(t, "switchlet-host-agent", nil), t}
	unbound.mayNot("write the status of a Host", unbound.status("Host", "host1", `{"systemName":"x"}`), "its token is not bound to a pod")
	w.hostAgentWithPods(t, r, unbound)
	// The agent of a switch is no agent of a host, though one has the switch's name.
	sw := rights{w.token(t, &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: rbactest.Namespace, Name: "agent-on-leaf1"}}), t}
	sw.mayNot("write the status of a Host", sw.status("Host", "leaf1", `{"systemName":"x"}`))
	sw.mayNot("read Hosts", sw.read(&v1alpha1.HostList{}))
}

// selects makes an attachment of whatever hosts.
func selects(name string) *v1alpha1.VPCAttachment {
	a := port(name, "")
	a.Spec.Port, a.Spec.Hosts = v1alpha1.PortReference{}, &v1alpha1.HostSelection{All: true}
	return a
}

// hosts are what a tenant and the network team may do with hosts and cables.
func (w who) hosts(t *testing.T) {
	ctx := t.Context()
	tina := rights{w.cluster.As(t, "tina"), t}
	tina.may("attach hosts", tina.Create(ctx, selects("hosts")))
	tina.may("attach other hosts", tina.spec(selects("hosts"), `{"spec":{"hosts":{"nics":["eth0"]}}}`))
	tina.mayNot("name a port instead of hosts", tina.spec(selects("hosts"), `{"spec":{"hosts":null,"port":{"switch":"leaf1","name":"Ethernet8"}}}`), "spec.port", "ask the network team")
	tina.may("delete it", tina.Delete(ctx, selects("hosts")))
	tina.mayNot("declare a Link", tina.Create(ctx, named(&v1alpha1.Link{}, "mine")))
	tina.mayNot("label a Host", tina.spec(named(&v1alpha1.Host{}, "host1"), `{"metadata":{"labels":{"app":"web"}}}`))

	nina := rights{w.cluster.As(t, "nina", "network-team"), t}
	nina.may("declare a Link", nina.Create(ctx, parse(t, `{metadata: {name: server9}, spec: {ends: [{host: server9, nic: a}, {switch: leaf1, port: Ethernet0}]}}`, &v1alpha1.Link{})))
	nina.may("write a Host down", nina.Create(ctx, parse(t, `{metadata: {name: server9}, spec: {nics: [{name: a}]}}`, &v1alpha1.Host{})))
	nina.may("label a Host", nina.spec(named(&v1alpha1.Host{}, "host1"), `{"metadata":{"labels":{"app":"web"}}}`))
	nina.may("attach hosts instead of a port", nina.Create(ctx, port("port", "leaf1")))
	nina.may("attach hosts instead of a port", nina.spec(port("port", ""), `{"spec":{"port":null,"hosts":{"all":true}}}`))
	nina.mayNot("write the status of a Link, which the controller does", nina.status("Link", "server9", `{"state":"Confirmed"}`))
}
