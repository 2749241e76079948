package fabric

import (
	"context"
	"fmt"
	"path/filepath"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

// join makes what a kubelet and the DaemonSet controller make for a switch: its
// Node, a pod on it, and the token that is mounted into the pod.
func (f *Fabric) join(ctx context.Context, name string) error {
	node := corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{v1alpha1.LabelRole: "leaf"}},
		Spec:       corev1.NodeSpec{Taints: []corev1.Taint{{Key: v1alpha1.TaintSwitch, Effect: corev1.TaintEffectNoSchedule}}},
	}
	if err := f.Client.Create(ctx, &node); err != nil {
		return err
	}
	token, err := f.agentToken(ctx, name)
	if err != nil {
		return err
	}
	return f.ControlPlane.WriteTokenKubeconfig(f.agentKubeconfig(name), token)
}

// agentToken makes a pod on the node and a token bound to it, by which the API
// server knows the node of whoever holds it.
func (f *Fabric) agentToken(ctx context.Context, node string) (string, error) {
	noMount, lifetime := false, int64(24*3600)
	pod := corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "switchlet-agent-" + node},
		Spec: corev1.PodSpec{
			NodeName: node, ServiceAccountName: "switchlet-agent", AutomountServiceAccountToken: &noMount,
			Containers:  []corev1.Container{{Name: "agent", Image: "switchlet.io/agent:dev"}},
			Tolerations: []corev1.Toleration{{Operator: corev1.TolerationOpExists}},
		},
	}
	if err := f.Client.Create(ctx, &pod); err != nil {
		return "", err
	}
	request := authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{
		ExpirationSeconds: &lifetime,
		BoundObjectRef:    &authenticationv1.BoundObjectReference{APIVersion: "v1", Kind: "Pod", Name: pod.Name, UID: pod.UID},
	}}
	account := corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "switchlet-agent"}}
	if err := f.Client.SubResource("token").Create(ctx, &account, &request); err != nil {
		return "", fmt.Errorf("request a token for the agent on %s: %w", node, err)
	}
	return request.Status.Token, nil
}

func (f *Fabric) agentKubeconfig(name string) string {
	return filepath.Join(f.cfg.Dir, "agent-"+name+".kubeconfig")
}

// Apply applies objects as kubectl does.
func (f *Fabric) Apply(ctx context.Context, objects ...client.Object) error {
	for _, o := range objects {
		gvk, err := f.Client.GroupVersionKindFor(o)
		if err != nil {
			return err
		}
		o.GetObjectKind().SetGroupVersionKind(gvk)
		o.SetManagedFields(nil)
		o.SetResourceVersion("")
		if err := f.Client.Patch(ctx, o, client.Apply, client.FieldOwner("kubectl"), client.ForceOwnership); err != nil { //nolint:staticcheck // typed objects are enough here
			return fmt.Errorf("apply %s %s: %w", gvk.Kind, client.ObjectKeyFromObject(o), err)
		}
	}
	return nil
}
