package kubelet

import (
	"context"
	"fmt"
	"path"
	"strings"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/switchlet/switchlet/deploy/lab/node/control"
)

// secrets is where a pod finds its token.
const secrets = "/var/run/secrets/kubernetes.io/serviceaccount"

// tokenLifetime is longer than a lab runs: the token is not renewed.
const tokenLifetime = int64(30 * 24 * 3600)

// run starts the program that a pod is, waits until living is done and ends it.
func (k *kubelets) run(ctx, living context.Context, n Node, pod *corev1.Pod) {
	err := k.until(living, "pod "+pod.Name+" is not started", func(ctx context.Context) error { return k.start(ctx, n, pod) })
	if err == nil {
		<-living.Done()
	}
	_ = k.until(ctx, "pod "+pod.Name+" is not ended", func(ctx context.Context) error {
		if err := n.Control.Stop(ctx, pod.Name); err != nil {
			return err
		}
		return k.remove(ctx, pod)
	})
}

// start starts the program and says that the pod runs.
func (k *kubelets) start(ctx context.Context, n Node, pod *corev1.Pod) error {
	if len(pod.Spec.Containers) != 1 {
		return fmt.Errorf("it has %d containers: in a lab without kubelets a pod has one", len(pod.Spec.Containers))
	}
	token, err := k.token(ctx, pod)
	if err != nil {
		return err
	}
	if err := n.Control.Run(ctx, pod.Name, k.program(n, pod, token)); err != nil {
		return err
	}
	k.cfg.Log.Info("pod runs", "pod", pod.Name, "node", n.Name)
	runs := pod.DeepCopy()
	runs.Status = status(n, pod)
	return k.client.Status().Patch(ctx, runs, client.MergeFrom(pod))
}

// token is one that is bound to the pod, by which the API server knows its node.
func (k *kubelets) token(ctx context.Context, pod *corev1.Pod) (string, error) {
	lifetime := tokenLifetime
	request := authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{
		ExpirationSeconds: &lifetime,
		BoundObjectRef:    &authenticationv1.BoundObjectReference{APIVersion: "v1", Kind: "Pod", Name: pod.Name, UID: pod.UID},
	}}
	account := corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: pod.Namespace, Name: pod.Spec.ServiceAccountName}}
	err := k.client.SubResource("token").Create(ctx, &account, &request)
	return request.Status.Token, err
}

// program is what a pod is.
func (k *kubelets) program(n Node, pod *corev1.Pod, token string) control.Program {
	container := pod.Spec.Containers[0]
	name, _, _ := strings.Cut(path.Base(container.Image), ":")
	env := []string{"KUBERNETES_SERVICE_HOST=" + k.cfg.Service.String(), "KUBERNETES_SERVICE_PORT=443"}
	for _, variable := range container.Env {
		env = append(env, variable.Name+"="+value(variable, n, pod))
	}
	return control.Program{
		Path: path.Join(k.cfg.Programs, name), Args: container.Args, Env: env,
		Files: map[string]string{
			secrets + "/token": token, secrets + "/ca.crt": string(k.cfg.CA), secrets + "/namespace": pod.Namespace,
		},
		Log: fmt.Sprintf("/var/log/pods/%s_%s_%s/%s/0.log", pod.Namespace, pod.Name, pod.UID, container.Name),
	}
}

// value is that of a variable of a container's environment.
func value(variable corev1.EnvVar, n Node, pod *corev1.Pod) string {
	if variable.ValueFrom == nil || variable.ValueFrom.FieldRef == nil {
		return variable.Value
	}
	switch variable.ValueFrom.FieldRef.FieldPath {
	case "spec.nodeName":
		return n.Name
	case "metadata.name":
		return pod.Name
	case "metadata.namespace":
		return pod.Namespace
	case "status.hostIP", "status.podIP":
		return n.Address.String()
	default:
		return ""
	}
}

// status is that of a pod that runs.
func status(n Node, pod *corev1.Pod) corev1.PodStatus {
	now, started := metav1.Now(), true
	s := corev1.PodStatus{
		Phase: corev1.PodRunning, StartTime: &now,
		HostIP: n.Address.String(), HostIPs: []corev1.HostIP{{IP: n.Address.String()}},
		PodIP: n.Address.String(), PodIPs: []corev1.PodIP{{IP: n.Address.String()}},
	}
	for _, kind := range []corev1.PodConditionType{corev1.PodScheduled, corev1.PodInitialized, corev1.ContainersReady, corev1.PodReady} {
		s.Conditions = append(s.Conditions, corev1.PodCondition{Type: kind, Status: corev1.ConditionTrue, LastTransitionTime: now})
	}
	for _, c := range pod.Spec.Containers {
		s.ContainerStatuses = append(s.ContainerStatuses, corev1.ContainerStatus{
			Name: c.Name, Image: c.Image, Ready: true, Started: &started,
			State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: now}},
		})
	}
	return s
}

// remove says that nothing of a pod is left, which deletes its object.
func (k *kubelets) remove(ctx context.Context, pod *corev1.Pod) error {
	none := int64(0)
	err := k.client.Delete(ctx, pod, &client.DeleteOptions{GracePeriodSeconds: &none, Preconditions: &metav1.Preconditions{UID: &pod.UID}})
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) { // another one has its name
		return nil
	}
	return err
}
