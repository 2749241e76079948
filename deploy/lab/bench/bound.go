package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/deploy/lab/fabric"
	"github.com/switchlet/switchlet/deploy/lab/kube"
	"github.com/switchlet/switchlet/deploy/lab/repo"
	"github.com/switchlet/switchlet/deploy/lab/swss"
)

const (
	boundPods = 50      // networks, each with a pod that is the first and one that is not
	boundHost = "host1" // whose NIC eth1 is cabled to both's only leaf
	// seenDelay is how long SONiC's daemons and, after them, orchagent take: on a switch
	// a marker comes after 0.1 to 0.2 s.
	seenDelay = 50 * time.Millisecond
)

// measureBound binds pods to a host and attaches them as soon as that is known, as a
// kubelet does, each to a network that nobody on the host had before, and then a second
// one to the same network.
func measureBound(ctx context.Context, dir string) (_ []Result, err error) {
	source, err := kube.Find(ctx)
	if err != nil {
		return nil, err
	}
	binaries, err := source.Build(ctx, func(int, int) {})
	if err != nil {
		return nil, err
	}
	f, err := fabric.Start(ctx, fabric.Config{Dir: dir, Kubernetes: binaries, Leaves: 1, Daemons: swss.Config{Manager: seenDelay, Orchagent: seenDelay, Tick: time.Second}})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Stop()) }()
	m := &boundMeter{Fabric: f, kubectl: filepath.Join(binaries, "kubectl")}
	if err := m.prepare(ctx, dir); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, m.host.close(), m.rows.Close()) }()
	var cold, own, beyond, warm []time.Duration
	for i := range cniWarmups + boundPods {
		first, switched, err := m.cold(ctx, i)
		if err != nil {
			return nil, err
		}
		second, err := m.pod(ctx, fmt.Sprintf("warm%d", i), i)
		if err != nil {
			return nil, err
		}
		if i < cniWarmups {
			continue
		}
		cold, own, beyond, warm = append(cold, first), append(own, switched), append(beyond, first-switched), append(warm, second)
	}
	goal := []time.Duration{150 * time.Millisecond}
	return []Result{
		durations("pod_bound_to_add", "binding of a pod → its ADD is answered, in a subnet that its leaf has to take first; floor: the switch's own share of that, first row of CONFIG_DB → last one that the stand-in for SONiC's daemons shows as taken", cold, own),
		durations("pod_bound_to_add_beyond", "the same without the switch's own share; floor: the goal of 150 ms", beyond, goal),
		durations("pod_bound_to_add_warm", "the same for a second pod in a subnet; floor: the goal of 150 ms", warm, goal),
	}, nil
}

// boundMeter is a fabric with a host.
type boundMeter struct {
	*fabric.Fabric
	kubectl string
	plugin  cniProgram
	host    *cniHost
	rows    *redis.PubSub

	mu          sync.Mutex
	first, last time.Time // of what the leaf's databases saw since begin
}

// prepare makes the networks, the host and its cable.
func (m *boundMeter) prepare(ctx context.Context, dir string) error {
	root, err := repo.Root()
	if err != nil {
		return err
	}
	if out, err := exec.CommandContext(ctx, m.kubectl, "--kubeconfig", m.ControlPlane.Kubeconfig(), "apply", "-k", filepath.Join(root, "deploy/cni/definition")).CombinedOutput(); err != nil {
		return fmt.Errorf("kubectl apply: %w: %s", err, out)
	}
	if err := (&fabricMeter{Fabric: m.Fabric}).prepare(ctx); err != nil {
		return err
	}
	if err := m.cable(ctx); err != nil {
		return err
	}
	for i := range cniWarmups + boundPods {
		if err := m.network(ctx, i); err != nil {
			return err
		}
	}
	programs, err := cniPrograms(ctx, dir)
	if err != nil {
		return err
	}
	m.plugin = programs[0]
	if m.host, err = newCNIHost(dir); err != nil {
		return err
	}
	if err := m.host.follow(ctx, m.ControlPlane.Kubeconfig()); err != nil {
		return err
	}
	return m.listen(ctx)
}

// cable makes the host as its agent and a kubelet would, with a cable that somebody has
// declared.
func (m *boundMeter) cable(ctx context.Context) error {
	// Without a controller manager nobody else makes the service account of pods.
	for _, o := range []client.Object{
		&corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: boundHost}}, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: bench, Name: "default"}},
	} {
		if err := m.Client.Create(ctx, o); err != nil {
			return err
		}
	}
	host := &v1alpha1.Host{ObjectMeta: metav1.ObjectMeta{Name: boundHost}}
	err := wait.PollUntilContextTimeout(ctx, 20*time.Millisecond, 30*time.Second, true, func(ctx context.Context) (bool, error) {
		return m.Client.Get(ctx, client.ObjectKeyFromObject(host), host) == nil, ctx.Err() // the controller makes it
	})
	if err != nil {
		return err
	}
	before := host.DeepCopy()
	host.Status = v1alpha1.HostStatus{NICs: []v1alpha1.HostNIC{{Name: "eth1", MAC: "52:54:01:00:00:01", Up: true}}, SystemName: boundHost, ChassisID: boundHost}
	if err := m.Client.Status().Patch(ctx, host, client.MergeFrom(before)); err != nil {
		return err
	}
	return m.Client.Create(ctx, &v1alpha1.Link{ObjectMeta: metav1.ObjectMeta{Name: "cable"}, Spec: v1alpha1.LinkSpec{Ends: []v1alpha1.LinkEnd{
		{Switch: "leaf1", Port: "Ethernet8"}, {Host: boundHost, NIC: "eth1"},
	}}})
}

// network makes a VPC and its definition.
func (m *boundMeter) network(ctx context.Context, i int) error {
	definition := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "k8s.cni.cncf.io/v1", "kind": "NetworkAttachmentDefinition",
		"metadata": map[string]any{"namespace": bench, "name": vpc(i).Name}, "spec": map[string]any{"config": boundConfig(i)},
	}}
	if err := m.Client.Create(ctx, definition); err != nil {
		return err
	}
	return m.Client.Create(ctx, vpc(i))
}

func boundConfig(i int) string {
	return fmt.Sprintf(`{"cniVersion":"1.0.0","name":%[1]q,"type":"switchlet","vpc":%[1]q,"vpcNamespace":%[2]q,"subnet":"web"}`, vpc(i).Name, bench)
}

// listen notes when the leaf's databases change.
func (m *boundMeter) listen(ctx context.Context) error {
	c := redis.NewClient(&redis.Options{Network: "unix", Addr: m.Leaves["leaf1"].Socket(), Protocol: 2, DisableIdentity: true})
	m.rows = c.PSubscribe(ctx, "__keyspace@*")
	if _, err := m.rows.Receive(ctx); err != nil {
		return err
	}
	go func() {
		for row := range m.rows.Channel(redis.WithChannelSize(1 << 16)) {
			m.note(strings.HasPrefix(row.Channel, "__keyspace@4__"), time.Now())
		}
	}()
	return nil
}

// note takes the first change of CONFIG_DB, and the last of any database.
func (m *boundMeter) note(config bool, at time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.first.IsZero() && config {
		m.first = at
	}
	m.last = at
}

// cold is how long the first pod of a network took, and how long of that the switch.
func (m *boundMeter) cold(ctx context.Context, i int) (took, switched time.Duration, err error) {
	if err := (&fabricMeter{Fabric: m.Fabric}).idle(ctx); err != nil {
		return 0, 0, err
	}
	m.mu.Lock()
	m.first, m.last = time.Time{}, time.Time{}
	m.mu.Unlock()
	took, err = m.pod(ctx, fmt.Sprintf("cold%d", i), i)
	m.mu.Lock()
	defer m.mu.Unlock()
	if err == nil && m.first.IsZero() {
		err = fmt.Errorf("network %d: the leaf had it before its pod", i)
	}
	return took, m.last.Sub(m.first), err
}

// pod binds a pod, attaches it once that is known, and says how long both took.
func (m *boundMeter) pod(ctx context.Context, name string, i int) (time.Duration, error) {
	noMount := false
	p := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: bench, Name: name, Annotations: map[string]string{"k8s.v1.cni.cncf.io/networks": vpc(i).Name}},
		Spec: corev1.PodSpec{
			AutomountServiceAccountToken: &noMount, SchedulerName: "nobody", Containers: []corev1.Container{{Name: "c", Image: "none"}},
			Tolerations: []corev1.Toleration{{Operator: corev1.TolerationOpExists}},
		},
	}
	if err := m.Client.Create(ctx, p); err != nil {
		return 0, err
	}
	namespace, err := newNamespace()
	if err != nil {
		return 0, err
	}
	m.host.pods = append(m.host.pods, namespace)
	events, err := m.Client.Watch(ctx, &corev1.PodList{}, client.InNamespace(bench), client.MatchingFields{"metadata.name": name})
	if err != nil {
		return 0, err
	}
	defer events.Stop()
	began := time.Now()
	binding := &corev1.Binding{ObjectMeta: metav1.ObjectMeta{Namespace: bench, Name: name}, Target: corev1.ObjectReference{Kind: "Node", Name: boundHost}}
	if err := m.Client.SubResource("binding").Create(ctx, p, binding); err != nil {
		return 0, err
	}
	if err := isBound(ctx, events); err != nil {
		return 0, err
	}
	plugin := m.plugin
	plugin.config = boundConfig(i)
	err = inNamespace(m.host.host, func() error {
		_, err := m.host.call(ctx, plugin, "ADD", namespace, bench, name)
		return err
	})
	return time.Since(began), err
}

// isBound waits for the event by which a kubelet learns of a pod.
func isBound(ctx context.Context, events watch.Interface) error {
	for {
		select {
		case event, ok := <-events.ResultChan():
			if !ok {
				return errors.New("the watch ended")
			}
			if p, is := event.Object.(*corev1.Pod); is && p.Spec.NodeName == boundHost {
				return nil
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
