package kubelet

import (
	"context"
	"maps"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const (
	// leases is the namespace of the nodes' leases.
	leases = "kube-node-lease"
	// renewal is how often a lease is renewed, as a kubelet does it.
	renewal = 10 * time.Second
	// version stands where a kubelet's would.
	version = "none (the lab's)"
)

// keep makes a Node object once the node has booted, and keeps it Ready.
func (k *kubelets) keep(ctx context.Context, n Node) {
	if n.Booted != nil {
		select {
		case <-n.Booted:
		case <-ctx.Done():
			return
		}
	}
	err := k.until(ctx, "node "+n.Name+" cannot be made", func(ctx context.Context) error {
		err := k.client.Create(ctx, n.object())
		if apierrors.IsAlreadyExists(err) {
			return nil
		}
		return err
	})
	if err == nil {
		k.heartbeat(ctx, n.Name)
	}
}

// object is the Node as a kubelet makes it.
func (n Node) object() *corev1.Node {
	labels := map[string]string{corev1.LabelHostname: n.Name, corev1.LabelOSStable: "linux"}
	maps.Copy(labels, n.Labels)
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: n.Name, Labels: labels}}
	if n.Taint != "" {
		node.Spec.Taints = []corev1.Taint{{Key: n.Taint, Effect: corev1.TaintEffectNoSchedule}}
	}
	room := corev1.ResourceList{
		corev1.ResourceCPU: resource.MustParse("1"), corev1.ResourceMemory: resource.MustParse("1Gi"), corev1.ResourcePods: resource.MustParse("10"),
	}
	now := metav1.Now()
	node.Status = corev1.NodeStatus{
		Capacity: room, Allocatable: room,
		Addresses: []corev1.NodeAddress{
			{Type: corev1.NodeInternalIP, Address: n.Address.String()}, {Type: corev1.NodeHostName, Address: n.Name},
		},
		Conditions: []corev1.NodeCondition{{
			Type: corev1.NodeReady, Status: corev1.ConditionTrue, Reason: "LabReady", Message: "the lab runs what the pods are",
			LastHeartbeatTime: now, LastTransitionTime: now,
		}},
		NodeInfo: corev1.NodeSystemInfo{OperatingSystem: "linux", KubeletVersion: version},
	}
	return node
}

// heartbeat keeps a node Ready.
func (k *kubelets) heartbeat(ctx context.Context, name string) {
	ticker := time.NewTicker(renewal)
	defer ticker.Stop()
	for {
		if err := k.renew(ctx, name); err != nil && ctx.Err() == nil {
			k.cfg.Log.Warn("lease not renewed; trying again later", "node", name, "error", err)
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// renew renews a node's lease, which it makes if there is none.
func (k *kubelets) renew(ctx context.Context, name string) error {
	seconds, now := int32(40), metav1.NowMicro()
	lease := &coordinationv1.Lease{}
	err := k.client.Get(ctx, client.ObjectKey{Namespace: leases, Name: name}, lease)
	if err != nil && !apierrors.IsNotFound(err) {
		return err
	}
	lease.Spec = coordinationv1.LeaseSpec{HolderIdentity: &name, LeaseDurationSeconds: &seconds, RenewTime: &now}
	if err == nil {
		return k.client.Update(ctx, lease)
	}
	lease.ObjectMeta = metav1.ObjectMeta{Namespace: leases, Name: name}
	return k.client.Create(ctx, lease)
}
