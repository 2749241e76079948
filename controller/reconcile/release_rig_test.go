package reconcile_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/controller/reconcile"
	"github.com/switchlet/switchlet/controller/release"
	"github.com/switchlet/switchlet/deploy/rbac/rbactest"
)

// yard is a cluster of switches in which releases are tried: a real API server,
// a real kube-controller-manager and scheduler, and played kubelets and agents.
type yard struct {
	client.Client // the administrator's
	t             *testing.T
	cluster       *rbactest.Cluster
	stop          func() // the controller
	stopOthers    func()
	agentSpec     appsv1.DaemonSetSpec // of the product

	mu           sync.Mutex
	alwaysDrains bool   // a release drains a switch for its agent, too
	agentPods    bool   // agents are pods, and do something only while these run
	mute         string // agents that have it in the name of their image do nothing
	lingering    bool   // pods that are deleted do not end
	boxes        map[string]*played
	crashing     string   // images that have it in their name crash
	faults       []string // promises that were broken
	doomed       bool     // Jobs fail
	ended        bool     // everything is being deleted
}

// played is what a switch does, apart from what is in the API server.
type played struct {
	group           string
	silent, refuses bool
	real            bool // a real agent is at work
	drained         bool
	agent           string // the image of the agent that runs, empty while none does
	wanted          string // of a real agent: the image that is to run
	pulled          map[string]bool
	ran             bool // bgp has run here
	last            *v1alpha1.SwitchMaintenance
}

// newYard makes switches, named with their redundancy group: "leaf1/rack1".
func newYard(t *testing.T, cluster *rbactest.Cluster, switches ...string) *yard {
	y := &yard{Client: cluster.Admin(t), t: t, cluster: cluster, boxes: map[string]*played{}, stop: func() {}, stopOthers: func() {}}
	t.Cleanup(y.clear)
	for _, s := range switches {
		name, group, _ := strings.Cut(s, "/")
		y.join(name)
		sw := &v1alpha1.Switch{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: v1alpha1.SwitchSpec{Role: v1alpha1.RoleLeaf, RedundancyGroup: group}}
		y.must(y.Create(t.Context(), sw))
		y.boxes[name] = &played{group: release.GroupOf(sw), pulled: map[string]bool{}}
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { y.play(ctx, cluster.Admin(t)) })
	y.stopOthers = func() { cancel(); running.Wait() }
	y.start()
	return y
}

// join makes the Node of a switch, as its kubelet does.
func (y *yard) join(name string) {
	y.t.Helper()
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{v1alpha1.LabelRole: "leaf"}}}
	y.must(y.Create(y.t.Context(), node))
	before := node.DeepCopy()
	node.Status.Allocatable = corev1.ResourceList{"cpu": resource.MustParse("4"), "memory": resource.MustParse("8Gi"), "pods": resource.MustParse("64")}
	node.Status.Capacity = node.Status.Allocatable
	y.must(y.Status().Patch(y.t.Context(), node, client.MergeFrom(before)))
}

// start starts the controller.
func (y *yard) start() {
	y.t.Helper()
	config := y.cluster.Controller(y.t)
	config.Wrap(func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(request *http.Request) (*http.Response, error) {
			response, err := next.RoundTrip(request)
			if err == nil && (response.StatusCode == http.StatusForbidden || response.StatusCode == http.StatusUnprocessableEntity || response.StatusCode == http.StatusBadRequest) {
				y.t.Errorf("%s %s: %s", request.Method, request.URL.Path, response.Status)
			}
			return response, err
		})
	})
	mgr, err := ctrl.NewManager(config, yardOptions(y))
	y.must(err)
	ctx, cancel := context.WithCancel(context.Background())
	y.must(reconcile.Setup(ctx, mgr))
	y.must(reconcile.SetupRelease(mgr, rbactest.Namespace))
	ended := make(chan error, 1)
	go func() { ended <- mgr.Start(ctx) }()
	y.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			y.t.Errorf("the manager ended: %v", err)
		}
	})
}

func yardOptions(y *yard) ctrl.Options {
	names := true
	return ctrl.Options{
		Scheme: y.cluster.Scheme, Cache: reconcile.CacheOptions(), Metrics: server.Options{BindAddress: "0"}, HealthProbeBindAddress: "0",
		Controller: config.Controller{SkipNameValidation: &names},
		Logger:     logr.FromSlogHandler(slog.NewTextHandler(y.t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})),
	}
}

// clear ends everything and deletes everything.
func (y *yard) clear() {
	y.stop()
	y.mu.Lock()
	y.ended = true
	y.mu.Unlock()
	l := &lab{Client: y.Client}
	for _, list := range []client.ObjectList{
		&v1alpha1.NOSReleaseList{}, &appsv1.DaemonSetList{}, &appsv1.ControllerRevisionList{}, &batchv1.JobList{}, &v1alpha1.SwitchList{},
		&v1alpha1.SwitchConfigList{}, &corev1.NodeList{}, &v1alpha1.HostList{}, &v1alpha1.AllocationList{},
	} {
		l.deleteAll(y.t, list)
	}
	rbactest.Eventually(background{y.t}, func() error { // they would be taken for the next test's
		var pods, agents corev1.PodList
		if err := y.List(context.Background(), &pods, client.HasLabels{v1alpha1.LabelRelease}); err != nil {
			return err
		}
		if err := y.List(context.Background(), &agents, client.MatchingLabels{v1alpha1.LabelServiceHash: v1alpha1.HashDeployed}); err != nil {
			return err
		}
		if pods.Items = append(pods.Items, agents.Items...); len(pods.Items) == 0 {
			return nil
		}
		for i := range pods.Items {
			_ = y.Delete(context.Background(), &pods.Items[i], client.GracePeriodSeconds(0))
		}
		return fmt.Errorf("%d pods are left", len(pods.Items))
	})
	y.stopOthers()
	for _, fault := range y.faults {
		y.t.Error(fault)
	}
}

// background is a test that is being cleaned up.
type background struct{ testing.TB }

func (background) Context() context.Context { return context.Background() }

func (y *yard) must(err error) {
	y.t.Helper()
	if err != nil {
		y.t.Fatal(err)
	}
}

// play has kubelets and agents do their work until ctx ends. It looks at everything
// anew each time, as its only memory is what a switch would have on its disk.
func (y *yard) play(ctx context.Context, c client.Client) {
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		y.mu.Lock()
		for _, err := range []error{y.kubelets(ctx, c), y.agents(ctx, c)} {
			if err != nil && ctx.Err() == nil {
				y.fault("%v", err)
			}
		}
		y.mu.Unlock()
	}
}

// fault notes a promise that was broken, once.
func (y *yard) fault(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !y.ended && !slices.Contains(y.faults, text) {
		y.faults = append(y.faults, text)
	}
}

// kubelets have pods run, crash and end, and Nodes be ready.
func (y *yard) kubelets(ctx context.Context, c client.Client) error {
	var nodes corev1.NodeList
	if err := c.List(ctx, &nodes); err != nil {
		return err
	}
	for i := range nodes.Items {
		if err := heartbeat(ctx, c, &nodes.Items[i]); err != nil {
			return err
		}
	}
	var pods corev1.PodList
	if err := c.List(ctx, &pods, client.InNamespace(rbactest.Namespace)); err != nil {
		return err
	}
	var out []string
	for name, box := range y.boxes {
		has := slices.ContainsFunc(pods.Items, func(p corev1.Pod) bool {
			return p.Spec.NodeName == name && p.Labels[v1alpha1.LabelService] == "bgp" && p.DeletionTimestamp == nil && ready(&p)
		})
		box.ran = box.ran || has
		if box.ran && !has || box.drained {
			out = append(out, box.group+" "+name)
		}
	}
	y.watchAgents(pods.Items)
	slices.Sort(out)
	for i := range out[:max(0, len(out)-1)] {
		if a, b := strings.Fields(out[i]), strings.Fields(out[i+1]); a[0] == b[0] {
			y.fault("both switches of a group are out: %v", out)
		}
	}
	for i := range pods.Items {
		if err := y.kubelet(ctx, c, &pods.Items[i]); client.IgnoreNotFound(err) != nil && !strings.Contains(err.Error(), "modified") {
			return err
		}
	}
	return nil
}

func ready(p *corev1.Pod) bool {
	return slices.ContainsFunc(p.Status.Conditions, func(c corev1.PodCondition) bool { return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue })
}

// heartbeat says that a Node is well, about every ten seconds.
func heartbeat(ctx context.Context, c client.Client, node *corev1.Node) error {
	for _, have := range node.Status.Conditions {
		if have.Type == corev1.NodeReady && have.Status == corev1.ConditionTrue && time.Since(have.LastHeartbeatTime.Time) < 10*time.Second {
			return nil
		}
	}
	now := metav1.Now()
	before := node.DeepCopy()
	node.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue, Reason: "KubeletReady", LastHeartbeatTime: now, LastTransitionTime: now}}
	if err := c.Status().Patch(ctx, node, client.MergeFrom(before)); client.IgnoreNotFound(err) != nil {
		return err
	}
	before = node.DeepCopy()
	node.Spec.Taints = nil // those of a Node that was not ready when it was made
	return client.IgnoreNotFound(c.Patch(ctx, node, client.MergeFrom(before)))
}

func (y *yard) kubelet(ctx context.Context, c client.Client, p *corev1.Pod) error {
	box := y.boxes[p.Spec.NodeName]
	switch {
	case box == nil:
		return nil
	case p.DeletionTimestamp != nil && (y.lingering || box.keepsAgent(p, "")):
		return nil
	case p.DeletionTimestamp != nil:
		return c.Delete(ctx, p, client.GracePeriodSeconds(0))
	case p.Labels[batchv1.JobNameLabel] != "":
		return y.runCheck(ctx, c, p)
	}
	image := p.Spec.Containers[0].Image
	if !box.pulled[image] && !ready(p) && p.Labels[v1alpha1.LabelServiceHash] != v1alpha1.HashDeployed {
		y.fault("%s is to run on %s, and was not pulled", image, p.Spec.NodeName)
	}
	crashes := y.crashing != "" && strings.Contains(image, y.crashing)
	if ready(p) || box.keepsAgent(p, image) || crashes && len(p.Status.ContainerStatuses) > 0 {
		return nil
	}
	p.Status.Phase = corev1.PodRunning
	p.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: p.Spec.Containers[0].Name, Image: image}}
	if crashes {
		p.Status.ContainerStatuses[0].RestartCount = 4
		p.Status.ContainerStatuses[0].State.Waiting = &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff"}
	} else {
		p.Status.Conditions = append(p.Status.Conditions, corev1.PodCondition{Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: metav1.Now()})
	}
	return c.Status().Update(ctx, p)
}

// runCheck has the pod of a check end.
func (y *yard) runCheck(ctx context.Context, c client.Client, p *corev1.Pod) error {
	if p.Status.Phase == corev1.PodSucceeded || p.Status.Phase == corev1.PodFailed {
		return nil
	}
	p.Status.Phase = corev1.PodSucceeded
	if y.doomed {
		p.Status.Phase = corev1.PodFailed
	}
	return c.Status().Update(ctx, p)
}

// agents do what spec.maintenance asks for.
func (y *yard) agents(ctx context.Context, c client.Client) error {
	var list v1alpha1.SwitchConfigList
	if err := c.List(ctx, &list); err != nil {
		return err
	}
	for i := range list.Items {
		config := &list.Items[i]
		box := y.boxes[config.Name]
		if box == nil || box.silent || box.real || y.agentPods && (box.agent == "" || y.mute != "" && strings.Contains(box.agent, y.mute)) {
			continue
		}
		answer := y.agent(config, box)
		if cmp.Equal(answer, config.Status.Maintenance) {
			continue
		}
		status := config.Status
		status.ObservedGeneration, status.Maintenance = config.Generation, answer
		if err := applyStatus(ctx, c, &v1alpha1.SwitchConfig{}, "SwitchConfig", config.Name, status); client.IgnoreNotFound(err) != nil {
			return err
		}
	}
	return nil
}

// agent is what an agent answers. It is strict: it holds the controller to what
// SwitchMaintenance says.
func (y *yard) agent(config *v1alpha1.SwitchConfig, box *played) *v1alpha1.MaintenanceStatus {
	m := config.Spec.Maintenance
	fault := func(format string, args ...any) {
		y.fault("%s: %s", config.Name, fmt.Sprintf(format, args...))
	}
	if last := box.last; m != nil && last != nil && (last.Step == m.Step) != cmp.Equal(last, m) {
		fault("another step and the same words, or the other way round:\n%s", cmp.Diff(last, m))
	}
	if m == nil && box.last != nil && box.drained {
		fault("the request was taken away while the switch was drained")
	}
	box.last = m.DeepCopy()
	if m == nil {
		box.drained = false
		return nil
	}
	answer := &v1alpha1.MaintenanceStatus{ObservedStep: m.Step}
	for _, image := range m.Images {
		box.pulled[image] = true
		answer.PulledImages = append(answer.PulledImages, image)
	}
	if m.Drain && box.refuses && !m.Force {
		answer.DrainReason = "host7 has no other switch."
	} else {
		box.drained = m.Drain
	}
	answer.Drained = box.drained
	for _, c := range m.Checks {
		answer.Checks = append(answer.Checks, v1alpha1.SwitchCheckResult{Name: string(c), Before: "2", OK: true})
	}
	return answer
}

// digestOf is an image by digest, with a name to tell it by.
func digestOf(name string) string {
	return "registry.example.com/" + name + "@sha256:" + strings.Repeat("0", 64)
}

// releaseOf is a release of services, each named by its image: bgp-1. Its deadlines
// are for what has to come about; a case that waits for one sets it.
func releaseOf(name string, images ...string) *v1alpha1.NOSRelease {
	r := &v1alpha1.NOSRelease{ObjectMeta: metav1.ObjectMeta{Name: name}}
	for _, image := range images {
		service, _, _ := strings.Cut(image, "-")
		r.Spec.Services = append(r.Spec.Services, v1alpha1.ReleaseService{Name: service, Image: digestOf(image)})
	}
	r.Spec.Strategy.ProgressDeadlineSeconds = 50
	r.Spec.Strategy.Drain.TimeoutSeconds = 50
	r.Spec.Strategy.SoakSeconds = new(int32(1))
	return r
}

// change merges a patch into a release.
func (y *yard) change(name, patch string) {
	y.t.Helper()
	y.must(y.Patch(y.t.Context(), &v1alpha1.NOSRelease{ObjectMeta: metav1.ObjectMeta{Name: name}}, client.RawPatch(types.MergePatchType, []byte(patch))))
}

// images has a release get other images.
func (y *yard) images(name string, images ...string) {
	y.t.Helper()
	var services []string
	for _, s := range releaseOf("", images...).Spec.Services {
		services = append(services, fmt.Sprintf(`{"name": %q, "image": %q}`, s.Name, s.Image))
	}
	y.change(name, fmt.Sprintf(`{"spec": {"services": [%s]}}`, strings.Join(services, ", ")))
}

// reaches waits until a release is in a phase, with its spec as it is now.
func (y *yard) reaches(name string, phase v1alpha1.ReleasePhase, says string) v1alpha1.NOSReleaseStatus {
	y.t.Helper()
	var r v1alpha1.NOSRelease
	rbactest.Eventually(y.t, func() error {
		if err := y.Get(y.t.Context(), client.ObjectKey{Name: name}, &r); err != nil {
			return err
		}
		if r.Status.Phase != phase || r.Status.ObservedGeneration != r.Generation || !strings.Contains(r.Status.Message, says) {
			return fmt.Errorf("%s is %s: %s; want %s: %s", name, r.Status.Phase, r.Status.Message, phase, says)
		}
		return nil
	})
	return r.Status
}

// runs checks what a service's pod is on each switch, by image, and that nothing is
// left of the work.
func (y *yard) runs(service string, want map[string]string) {
	y.t.Helper()
	rbactest.Eventually(y.t, func() error {
		var pods corev1.PodList
		if err := y.List(y.t.Context(), &pods, client.MatchingLabels{v1alpha1.LabelService: service}); err != nil {
			return err
		}
		have := map[string]string{}
		for _, p := range pods.Items {
			image := strings.TrimPrefix(p.Spec.Containers[0].Image, "registry.example.com/")
			name, _, _ := strings.Cut(image, "@")
			have[p.Spec.NodeName] += name
		}
		if diff := cmp.Diff(want, have); diff != "" {
			return fmt.Errorf("what runs (-want +have):\n%s", diff)
		}
		return nil
	})
}

// rested checks that no switch is in maintenance or drained.
func (y *yard) rested() {
	y.t.Helper()
	rbactest.Eventually(y.t, func() error {
		var list v1alpha1.SwitchConfigList
		if err := y.List(y.t.Context(), &list); err != nil {
			return err
		}
		y.mu.Lock()
		defer y.mu.Unlock()
		for _, c := range list.Items {
			if c.Spec.Maintenance != nil || c.Status.Maintenance != nil || y.boxes[c.Name].drained {
				return fmt.Errorf("%s is still in maintenance: %+v", c.Name, c.Spec.Maintenance)
			}
		}
		return nil
	})
}
