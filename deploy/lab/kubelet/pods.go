package kubelet

import (
	"context"
	"errors"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// runPods runs what the pods on the nodes are until ctx is done.
func (k *kubelets) runPods(ctx context.Context) {
	running := map[types.UID]context.CancelFunc{}
	for ctx.Err() == nil {
		err := k.watchPods(ctx, running)
		if ctx.Err() == nil {
			k.cfg.Log.Info("pods are watched anew", "cause", err)
		}
		select {
		case <-time.After(retryAfter):
		case <-ctx.Done():
		}
	}
}

// watchPods looks at all pods, and then at each that changes. It returns when the
// watch ends, as it does from time to time.
func (k *kubelets) watchPods(ctx context.Context, running map[types.UID]context.CancelFunc) error {
	var pods corev1.PodList
	if err := k.client.List(ctx, &pods); err != nil {
		return err
	}
	there := map[types.UID]bool{}
	for i := range pods.Items {
		there[pods.Items[i].UID] = true
		k.see(ctx, &pods.Items[i], running)
	}
	for uid, stop := range running {
		if !there[uid] {
			stop()
			delete(running, uid)
		}
	}
	watcher, err := k.client.Watch(ctx, &corev1.PodList{}, &client.ListOptions{Raw: &metav1.ListOptions{ResourceVersion: pods.ResourceVersion}})
	if err != nil {
		return err
	}
	defer watcher.Stop()
	for event := range watcher.ResultChan() {
		pod, ok := event.Object.(*corev1.Pod)
		if !ok {
			return errors.New("the watch is too old")
		}
		if event.Type == watch.Deleted {
			if stop := running[pod.UID]; stop != nil {
				stop()
				delete(running, pod.UID)
			}
			continue
		}
		k.see(ctx, pod, running)
	}
	return nil
}

// see starts a pod that is new, and ends one that is to be deleted.
func (k *kubelets) see(ctx context.Context, pod *corev1.Pod, running map[types.UID]context.CancelFunc) {
	n, ours := k.nodes[pod.Spec.NodeName]
	if !ours {
		return
	}
	stop := running[pod.UID]
	switch {
	case pod.DeletionTimestamp != nil && stop == nil: // it has never run
		go func() {
			if err := k.remove(ctx, pod); err != nil {
				k.cfg.Log.Warn("pod not removed", "pod", pod.Name, "error", err)
			}
		}()
	case pod.DeletionTimestamp != nil:
		stop()
	case stop == nil:
		living, cancel := context.WithCancel(ctx)
		running[pod.UID] = cancel
		go k.run(ctx, living, n, pod)
	}
}
