package reconcile_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/go-logr/logr"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/deploy/lab/controlplane"
	"github.com/switchlet/switchlet/deploy/rbac/rbactest"
)

// Releases on a real API server with real DaemonSets. In each case played agents
// and kubelets watch that no two switches of a group are out, and that nothing
// runs before it was pulled.
func TestReleases(t *testing.T) {
	ctrl.SetLogger(logr.Discard()) // each manager has its own
	cluster := rbactest.Start(t, controlplane.Config{ControllerManager: true, Scheduler: true})
	var agents appsv1.DaemonSet // as deploy/ has it
	if err := cluster.Admin(t).Get(t.Context(), client.ObjectKey{Namespace: rbactest.Namespace, Name: "switchlet-agent"}, &agents); err != nil {
		t.Fatal(err)
	}
	// Switchlet's own pods are of no concern here, but where a case deploys them.
	if err := cluster.Admin(t).DeleteAllOf(t.Context(), &appsv1.DaemonSet{}, client.InNamespace(rbactest.Namespace)); err != nil {
		t.Fatal(err)
	}
	if err := cluster.Admin(t).DeleteAllOf(t.Context(), &appsv1.Deployment{}, client.InNamespace(rbactest.Namespace)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		run  func(*testing.T, *yard)
	}{
		{"goes from switch to switch, and to the next version", upgraded},
		{"a version that crashes is taken back and stops the release", crashes},
		{"a switch that cannot be drained stops the release", refused},
		{"a restart of the controller goes on where it was", releaseRestarted},
		{"the second group waits for approval, and a pause holds", approvedAndPaused},
		{"a switch that joins anew is admitted in its turn", rejoined},
		{"a release that is deleted leaves what runs and lets go", releaseDeleted},
		{"checks of one's own", ownChecks},
		{"two releases keep out of each other's way", twoReleases},
		{"a mistake in the overrides is a condition", wrongOverrides},
		{"the agent is upgraded before the rest", agentUpgraded},
		{"an agent that crashes or does nothing is taken back", agentBroken},
		{"the real agent is replaced in the middle of a release", realAgentReplaced},
		{"the real agent goes through a release, and is drained by hand", realAgent},
	} {
		t.Run(c.name, func(t *testing.T) {
			y := newYard(t, cluster, "leaf1/rack1", "leaf2/rack1", "leaf3/")
			y.agentSpec = agents.Spec
			c.run(t, y)
		})
	}
}

func everywhere(image string) map[string]string {
	return map[string]string{"leaf1": image, "leaf2": image, "leaf3": image}
}

func upgraded(t *testing.T, y *yard) {
	y.must(y.Create(t.Context(), releaseOf("core", "bgp-1", "lldp-1")))
	y.reaches("core", v1alpha1.ReleaseComplete, "3 switches run it, 3 of them are well.")
	y.runs("bgp", everywhere("bgp-1"))
	y.images("core", "bgp-2", "lldp-1")
	s := y.reaches("core", v1alpha1.ReleaseComplete, "3 switches")
	y.runs("bgp", everywhere("bgp-2"))
	y.runs("lldp", everywhere("lldp-1"))
	y.rested()
	if s.Progress != "3/3" || s.RolledOutRevision != s.Revision {
		t.Errorf("status %+v", s)
	}
	rbactest.Eventually(t, func() error { // the DaemonSet of bgp-1 is of no use any more
		var sets appsv1.DaemonSetList
		if err := y.List(t.Context(), &sets, client.InNamespace(rbactest.Namespace), client.HasLabels{v1alpha1.LabelRelease}); err != nil || len(sets.Items) == 2 {
			return err
		}
		return fmt.Errorf("%d DaemonSets", len(sets.Items))
	})
	y.images("core", "bgp-1", "lldp-1") // going back is the same revision as before
	if back := y.reaches("core", v1alpha1.ReleaseComplete, "3 switches"); back.Revision == s.Revision {
		t.Error("the revision is still the newer one")
	}
	y.runs("bgp", everywhere("bgp-1"))
	var revisions appsv1.ControllerRevisionList
	y.must(y.List(t.Context(), &revisions, client.MatchingLabels{v1alpha1.LabelHistory: "core"}))
	if len(revisions.Items) != 2 {
		t.Errorf("%d revisions, want 2", len(revisions.Items))
	}
}

func crashes(t *testing.T, y *yard) {
	y.crashing = "bgp-bad"
	y.must(y.Create(t.Context(), releaseOf("core", "bgp-1", "lldp-1")))
	y.reaches("core", v1alpha1.ReleaseComplete, "3 switches")
	y.images("core", "bgp-bad", "lldp-2")
	s := y.reaches("core", v1alpha1.ReleaseStopped, "CrashLoop")
	y.runs("bgp", everywhere("bgp-1"))
	y.runs("lldp", everywhere("lldp-1"))
	y.rested()
	rbactest.Eventually(t, func() error {
		if stopped, step := gauge(t, "switchlet_release_stopped"), gauge(t, "switchlet_release_last_step_seconds"); stopped != 1 || step < 1 {
			return fmt.Errorf("metrics say of %v releases that they stopped, and of %v s of steps", stopped, step)
		}
		return nil
	})
	if s.Stop == nil || s.Stop.Switch != "leaf1" || !strings.Contains(s.Stop.Message, "gets back what it had") {
		t.Errorf("stop %+v", s.Stop)
	}
	var events corev1.EventList
	y.must(y.List(t.Context(), &events))
	if !strings.Contains(fmt.Sprint(events.Items), "CrashLoop") {
		t.Error("no event tells of it")
	}
	y.images("core", "bgp-2", "lldp-2") // a better version goes on at once
	y.reaches("core", v1alpha1.ReleaseComplete, "3 switches")
	y.runs("bgp", everywhere("bgp-2"))
}

func refused(t *testing.T, y *yard) {
	y.mu.Lock()
	y.boxes["leaf1"].refuses = true
	y.mu.Unlock()
	r := releaseOf("core", "bgp-1")
	r.Spec.Strategy.Drain.TimeoutSeconds = 5
	y.must(y.Create(t.Context(), r))
	s := y.reaches("core", v1alpha1.ReleaseStopped, "DrainFailed: host7 has no other switch.")
	y.rested()
	y.mu.Lock()
	y.boxes["leaf1"].refuses = false
	y.mu.Unlock()
	y.change("core", fmt.Sprintf(`{"metadata": {"annotations": {%q: %q}}}`, v1alpha1.AnnotationRetry, s.Stop.Retry))
	y.reaches("core", v1alpha1.ReleaseComplete, "3 switches")
}

func releaseRestarted(t *testing.T, y *yard) {
	y.must(y.Create(t.Context(), releaseOf("core", "bgp-1")))
	y.reaches("core", v1alpha1.ReleaseComplete, "3 switches")
	y.images("core", "bgp-2")
	for _, phase := range []string{"replacing", "soaking"} {
		y.reaches("core", v1alpha1.ReleaseProgressing, phase)
		y.stop()
		y.start()
	}
	y.reaches("core", v1alpha1.ReleaseComplete, "3 switches")
	y.runs("bgp", everywhere("bgp-2"))
	y.rested()
}

func approvedAndPaused(t *testing.T, y *yard) {
	r := releaseOf("core", "bgp-1")
	r.Spec.Strategy.Approval = v1alpha1.ApprovalFirst
	y.must(y.Create(t.Context(), r))
	s := y.reaches("core", v1alpha1.ReleaseAwaitingApproval, "kubectl switchlet release approve core")
	y.runs("bgp", map[string]string{"leaf1": "bgp-1", "leaf2": "bgp-1"})
	y.change("core", `{"spec": {"paused": true}}`)
	y.reaches("core", v1alpha1.ReleasePaused, "spec.paused is true.")
	y.change("core", fmt.Sprintf(`{"spec": {"paused": false}, "metadata": {"annotations": {%q: %q}}}`, v1alpha1.AnnotationApproved, s.Approval))
	y.reaches("core", v1alpha1.ReleaseComplete, "3 switches")
	y.runs("bgp", everywhere("bgp-1"))
}

// A switch whose Node is made anew has no label, so no pod: the controller admits it
// when nobody else of its group is out. Its kubelet cannot admit it.
func rejoined(t *testing.T, y *yard) {
	y.must(y.Create(t.Context(), releaseOf("core", "bgp-1")))
	y.reaches("core", v1alpha1.ReleaseComplete, "3 switches")
	kubelet := y.cluster.As(t, "system:node:leaf2", "system:nodes")
	patch := client.RawPatch(types.MergePatchType, []byte(fmt.Sprintf(`{"metadata": {"labels": {%q: "anything"}}}`, v1alpha1.LabelAdmitted+"bgp")))
	if err := kubelet.Patch(t.Context(), &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "leaf2"}}, patch); !apierrors.IsForbidden(err) {
		t.Errorf("a kubelet admits itself: %v", err)
	}
	y.mu.Lock()
	y.boxes["leaf2"].ran, y.boxes["leaf2"].pulled = false, map[string]bool{}
	y.mu.Unlock()
	y.must(y.Delete(t.Context(), &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "leaf2"}}))
	y.reaches("core", v1alpha1.ReleaseWaiting, "leaf2: Unavailable: It has no Node")
	y.join("leaf2")
	y.reaches("core", v1alpha1.ReleaseComplete, "3 switches run it, 3 of them are well.")
	y.runs("bgp", everywhere("bgp-1"))
	y.rested()
}

func releaseDeleted(t *testing.T, y *yard) {
	y.must(y.Create(t.Context(), releaseOf("core", "bgp-1")))
	y.reaches("core", v1alpha1.ReleaseComplete, "3 switches")
	y.mu.Lock()
	y.boxes["leaf1"].refuses = true
	y.mu.Unlock()
	y.images("core", "bgp-2")
	y.reaches("core", v1alpha1.ReleaseProgressing, "draining")
	y.must(y.Delete(t.Context(), &v1alpha1.NOSRelease{ObjectMeta: metav1.ObjectMeta{Name: "core"}}))
	rbactest.Eventually(t, func() error {
		err := y.Get(t.Context(), client.ObjectKey{Name: "core"}, &v1alpha1.NOSRelease{})
		if err == nil {
			return errors.New("it is still there")
		}
		return client.IgnoreNotFound(err)
	})
	y.rested()
	y.runs("bgp", everywhere("bgp-1"))
}

func ownChecks(t *testing.T, y *yard) {
	up := "1"
	prometheus := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if query := r.URL.Query().Get("query"); !strings.HasPrefix(query, `up{switch="leaf`) {
			t.Errorf("query %s", query)
		}
		y.mu.Lock()
		defer y.mu.Unlock()
		fmt.Fprintf(w, `{"status": "success", "data": {"resultType": "vector", "result": [{"metric": {}, "value": [1, %q]}]}}`, up)
	}))
	defer prometheus.Close()
	r := releaseOf("core", "bgp-1")
	r.Spec.Checks = []v1alpha1.ReleaseCheck{
		{Name: "up", Prometheus: &v1alpha1.PrometheusCheck{URL: prometheus.URL, Query: `up{switch="$switch"}`, Is: ">=", Value: "1"}},
		{Name: "ping", Pod: &v1alpha1.PodCheck{RunOn: v1alpha1.CheckOnSwitch, Template: runtime.RawExtension{
			Raw: []byte(`{"spec": {"containers": [{"name": "ping", "image": "busybox", "command": ["ping", "-c1", "10.0.0.1"]}]}}`),
		}}},
	}
	y.must(y.Create(t.Context(), r))
	y.reaches("core", v1alpha1.ReleaseComplete, "3 switches")
	var jobs batchv1.JobList
	y.must(y.List(t.Context(), &jobs, client.MatchingLabels{v1alpha1.LabelRelease: "core"}))
	if len(jobs.Items) != 9 { // before, after and while it soaks, on three switches
		t.Errorf("%d Jobs, want 9", len(jobs.Items))
	}
	y.mu.Lock()
	up = "0"
	y.mu.Unlock()
	y.change("core", `{"spec": {"strategy": {"progressDeadlineSeconds": 5}}}`)
	y.images("core", "bgp-2")
	y.reaches("core", v1alpha1.ReleaseStopped, "leaf1: PrecheckFailed: up: 0 is not >= 1")
	y.runs("bgp", everywhere("bgp-1"))
	y.rested()
}

func twoReleases(t *testing.T, y *yard) {
	y.must(y.Create(t.Context(), releaseOf("core", "bgp-1")))
	y.reaches("core", v1alpha1.ReleaseComplete, "3 switches")
	y.must(y.Create(t.Context(), releaseOf("tools", "lldp-1")))
	y.images("core", "bgp-2") // at the same time
	y.reaches("tools", v1alpha1.ReleaseComplete, "3 switches")
	y.reaches("core", v1alpha1.ReleaseComplete, "3 switches")
	y.must(y.Create(t.Context(), releaseOf("zebra", "bgp-3")))
	y.reaches("zebra", v1alpha1.ReleaseWaiting, "Conflict: NOSRelease core, which is older, has one of the services")
	y.runs("bgp", everywhere("bgp-2"))
	y.rested()
}

func wrongOverrides(t *testing.T, y *yard) {
	r := releaseOf("core", "bgp-1")
	r.Spec.Services[0].Overrides = &runtime.RawExtension{Raw: []byte(`{"spec": {"nodeName": "leaf3"}}`)}
	y.must(y.Create(t.Context(), r))
	y.reaches("core", v1alpha1.ReleaseRejected, "spec.services[bgp].overrides: spec.nodeName, nodeSelector and affinity must be left out")
	y.images("core", "bgp-1")
	y.change("core", `{"spec": {"services": [{"name": "bgp", "image": "`+digestOf("bgp-1")+`"}]}}`)
	y.reaches("core", v1alpha1.ReleaseComplete, "3 switches")
}
