package reconcile_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/deploy/rbac/rbactest"
)

// deployAgents has all agents be pods of the product's DaemonSet, and waits for them.
func (y *yard) deployAgents() {
	y.t.Helper()
	y.mu.Lock()
	y.agentPods = true
	y.mu.Unlock()
	y.must(y.Create(y.t.Context(), &appsv1.DaemonSet{
		ObjectMeta: metav1.ObjectMeta{Namespace: rbactest.Namespace, Name: "switchlet-agent", Labels: y.agentSpec.Template.Labels}, Spec: y.agentSpec,
	}))
	y.agentsRun("switchlet.io/agent:dev")
}

// agentsRun waits until the agent of each switch runs in this image, and no other pod of an
// agent is there.
func (y *yard) agentsRun(image string) {
	y.t.Helper()
	rbactest.Eventually(y.t, func() error {
		var pods corev1.PodList
		if err := y.List(y.t.Context(), &pods, client.MatchingLabels{v1alpha1.LabelService: v1alpha1.ServiceAgent}); err != nil {
			return err
		}
		have := map[string]string{}
		for i := range pods.Items {
			if p := &pods.Items[i]; ready(p) {
				have[p.Spec.NodeName] = p.Spec.Containers[0].Image
			}
		}
		for name := range y.boxes {
			if have[name] != image || len(pods.Items) != len(y.boxes) {
				return fmt.Errorf("%d agents: %v, want %s everywhere", len(pods.Items), have, image)
			}
		}
		return nil
	})
}

// watchAgents notes which agents run, and that there are never two on a switch, nor a
// drained switch without one.
func (y *yard) watchAgents(pods []corev1.Pod) {
	running := map[string][]string{}
	for i := range pods {
		if p := &pods[i]; p.Labels[v1alpha1.LabelService] == v1alpha1.ServiceAgent && ready(p) {
			running[p.Spec.NodeName] = append(running[p.Spec.NodeName], p.Spec.Containers[0].Image)
		}
	}
	for name, box := range y.boxes {
		switch agents := running[name]; {
		case !y.agentPods || box.real:
		case len(agents) > 1:
			y.fault("%s has %d agents: %v", name, len(agents), agents)
		case len(agents) == 1:
			box.agent = agents[0]
		default:
			box.agent = ""
		}
		if y.agentPods && !y.alwaysDrains && box.drained && len(running[name]) == 0 {
			y.fault("%s is drained, and has no agent", name)
		}
	}
}

// keepsAgent has the real agent of a switch be what its pod is: the image, or none. It
// reports true until that is so.
func (p *played) keepsAgent(pod *corev1.Pod, image string) bool {
	if !p.real || pod.Labels[v1alpha1.LabelService] != v1alpha1.ServiceAgent {
		return false
	}
	p.wanted = image
	return p.agent != image
}

// admitted is what a Node says of the agent.
func (y *yard) admitted(name string) string {
	y.t.Helper()
	var node corev1.Node
	y.must(y.Get(y.t.Context(), client.ObjectKey{Name: name}, &node))
	return node.Labels[v1alpha1.LabelAdmitted+v1alpha1.ServiceAgent]
}

func agentUpgraded(t *testing.T, y *yard) {
	y.deployAgents()
	y.must(y.Create(t.Context(), releaseOf("core", "bgp-1", "agent-1")))
	y.reaches("core", v1alpha1.ReleaseComplete, "3 switches run it, 3 of them are well.")
	y.agentsRun(digestOf("agent-1"))
	y.runs("bgp", everywhere("bgp-1"))

	// The controller is away when a switch has no agent: nobody takes its place.
	y.mu.Lock()
	y.lingering = true
	y.mu.Unlock()
	y.images("core", "bgp-2", "agent-2")
	rbactest.Eventually(t, func() error {
		if is := y.admitted("leaf1"); is != v1alpha1.AdmittedNone {
			return fmt.Errorf("leaf1 has the label %q", is)
		}
		return nil
	})
	y.stop()
	y.mu.Lock()
	y.lingering = false
	y.mu.Unlock()
	rbactest.Eventually(t, func() error {
		y.mu.Lock()
		defer y.mu.Unlock()
		if running := y.boxes["leaf1"].agent; running != "" {
			return fmt.Errorf("%s still runs on leaf1", running)
		}
		return nil
	})
	y.runs("bgp", everywhere("bgp-1"))
	y.start()
	y.reaches("core", v1alpha1.ReleaseComplete, "3 switches run it, 3 of them are well.")
	y.agentsRun(digestOf("agent-2"))
	y.runs("bgp", everywhere("bgp-2"))
	y.rested()

	// A switch that joins anew has the agent that is deployed, which fetches the other.
	y.mu.Lock()
	y.boxes["leaf2"].ran, y.boxes["leaf2"].pulled = false, map[string]bool{}
	y.mu.Unlock()
	y.must(y.Delete(t.Context(), &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "leaf2"}}))
	y.reaches("core", v1alpha1.ReleaseWaiting, "leaf2: Unavailable: It has no Node")
	y.join("leaf2")
	y.reaches("core", v1alpha1.ReleaseComplete, "3 switches run it, 3 of them are well.")
	y.agentsRun(digestOf("agent-2"))
	y.rested()
}

func agentBroken(t *testing.T, y *yard) {
	y.mu.Lock()
	y.crashing, y.mute = "agent-bad", "agent-mute"
	y.mu.Unlock()
	y.deployAgents()
	y.must(y.Create(t.Context(), releaseOf("core", "bgp-1", "agent-bad")))
	y.reaches("core", v1alpha1.ReleaseStopped, "CrashLoop: agent: container agent of pod")
	y.rested()
	y.agentsRun("switchlet.io/agent:dev")
	y.runs("bgp", map[string]string{})

	y.change("core", `{"spec": {"strategy": {"progressDeadlineSeconds": 5, "checks": []}}}`)
	y.images("core", "bgp-1", "agent-mute")
	y.reaches("core", v1alpha1.ReleaseStopped, "AgentSilent: After 5s: The agent does not answer.")
	y.rested()
	y.agentsRun("switchlet.io/agent:dev")

	y.change("core", `{"spec": {"strategy": {"progressDeadlineSeconds": 50}}}`)
	y.images("core", "bgp-1", "agent-1")
	y.reaches("core", v1alpha1.ReleaseComplete, "3 switches")
	y.agentsRun(digestOf("agent-1"))
	y.images("core", "bgp-2", "agent-bad")
	y.reaches("core", v1alpha1.ReleaseStopped, "CrashLoop")
	y.rested()
	y.agentsRun(digestOf("agent-1"))
	y.runs("bgp", everywhere("bgp-1"))
}

// realAgentReplaced drains for every change, also for that of the agent: what the new one
// finds on the disk is all that it knows.
func realAgentReplaced(t *testing.T, y *yard) {
	y.mu.Lock()
	y.alwaysDrains = true
	y.mu.Unlock()
	l, b := newRealFabric(t, y)
	dualHomed(t, l)
	b.followPod(t)
	y.deployAgents()
	r := releaseOf("core", "bgp-1", "agent-1")
	r.Spec.Strategy.Checks = []v1alpha1.SwitchCheck{v1alpha1.CheckUplinks, v1alpha1.CheckAgentConverged, v1alpha1.CheckContainersHealthy}
	r.Spec.Strategy.Drain.Mode = v1alpha1.DrainAlways
	y.must(y.Create(t.Context(), r))
	y.reaches("core", v1alpha1.ReleaseComplete, "3 switches run it, 3 of them are well.")
	y.agentsRun(digestOf("agent-1"))
	y.runs("bgp", everywhere("bgp-1"))
	y.rested()
	y.drained("InService", "")
	if got := b.admin(t, "Ethernet8"); got != "up" {
		t.Errorf("Ethernet8 is %s after the release", got)
	}
	if b.resumed.Load() == 0 {
		t.Error("no agent was started on a drained switch")
	}
}

// followPod has the agent run while its pod does, and looks whether a drained switch stays so
// as one agent ends and the next one begins.
func (b *realBox) followPod(t *testing.T) {
	b.stop()
	done, ended := make(chan struct{}), sync.WaitGroup{}
	ended.Go(func() {
		ticker := time.NewTicker(10 * time.Millisecond)
		defer ticker.Stop()
		for {
			select {
			case <-done:
				return
			case <-ticker.C:
			}
			b.y.mu.Lock()
			box := b.y.boxes["leaf1"]
			have, want := box.agent, box.wanted
			b.y.mu.Unlock()
			if have == want {
				continue
			}
			if b.stop(); want != "" {
				b.start(t)
			}
			b.y.mu.Lock()
			drained := box.drained
			b.y.mu.Unlock()
			if drained {
				b.resumed.Add(1)
				if got := b.admin(t, "Ethernet8"); got != "down" {
					t.Errorf("Ethernet8 is %s while agents change on a drained switch", got)
				}
			}
			b.y.mu.Lock()
			box.agent = want // now its pod may be ready, or go
			b.y.mu.Unlock()
		}
	})
	t.Cleanup(func() { close(done); ended.Wait() })
}
