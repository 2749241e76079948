package rbac_test

import (
	"path/filepath"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/deploy/lab/repo"
	"github.com/switchlet/switchlet/deploy/rbac/rbactest"
)

// hostAgentWithPods is what a host agent may do where it attaches pods, with the
// component deploy/cni: r is one on host1, and unbound has a token of no pod.
func (w who) hostAgentWithPods(t *testing.T, r, unbound rights) {
	ctx := t.Context()
	admin := rights{w.admin, t}
	for _, name := range []string{"host1", "host2"} {
		admin.may("make a HostConfig", w.admin.Create(ctx, &v1alpha1.HostConfig{
			ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: v1alpha1.HostConfigSpec{Revision: "r1"},
		}))
	}
	const applied = `{"appliedRevision":"r1"}`
	r.mayNot("read HostConfigs without the component", r.read(&v1alpha1.HostConfigList{}))
	r.mayNot("write the status of its HostConfig without the component", r.status("HostConfig", "host1", applied))

	root, err := repo.Root()
	if err != nil {
		t.Fatal(err)
	}
	w.cluster.Kubectl(t, "apply", "-f", filepath.Join(root, "deploy", "cni", "rbac.yaml"))
	// The API server takes a moment to know of new rights.
	rbactest.Eventually(t, func() error { return r.read(&v1alpha1.HostConfigList{}) })

	own := func() client.Object { return named(&v1alpha1.HostConfig{}, "host1") }
	r.may("write the status of its HostConfig", r.status("HostConfig", "host1", applied))
	r.may("list the pods of its node", r.read(&corev1.PodList{}, client.MatchingFields{"spec.nodeName": "host1"}))
	r.mayNot("write the status of another HostConfig", r.status("HostConfig", "host2", applied), "own node only", "this one runs on host1")
	r.mayNot("write the status of a SwitchConfig", r.status("SwitchConfig", "leaf1", applied))
	r.mayNot("change its HostConfig", r.spec(own(), `{"spec":{"revision":"r2"}}`))
	r.mayNot("delete its HostConfig", r.Delete(ctx, own()))
	r.mayNot("make a HostConfig", r.Create(ctx, named(&v1alpha1.HostConfig{}, "host3")))
	r.mayNot("delete its pod", r.Delete(ctx, &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: rbactest.Namespace, Name: "agent-on-host1"}}))
	r.mayNot("read secrets", r.read(&corev1.SecretList{}))
	r.mayNot("read VPCs", r.read(&v1alpha1.VPCList{}))
	unbound.mayNot("write the status of a HostConfig", unbound.status("HostConfig", "host1", applied), "its token is not bound to a pod")

	var written v1alpha1.HostConfig
	admin.may("read a HostConfig", w.admin.Get(ctx, client.ObjectKey{Name: "host2"}, &written))
	if written.Status.AppliedRevision != "" {
		t.Errorf("the status of host2 was written: %q", written.Status.AppliedRevision)
	}
}
