package reconcile

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/controller/release"
)

// What a pod's status says of the service.
func TestServicePod(t *testing.T) {
	ready := []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}
	waiting := corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff"}}
	ended := corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 139, Reason: "Error", Message: "no config"}}
	now := metav1.Now()
	for _, c := range []struct {
		name    string
		meta    metav1.ObjectMeta
		status  corev1.PodStatus
		ready   bool
		trouble string
	}{
		{"it starts", metav1.ObjectMeta{}, corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{{Name: "bgp"}}}, false, ""},
		{"it is well", metav1.ObjectMeta{}, corev1.PodStatus{Conditions: ready}, true, ""},
		{"it is well and has been restarted in its long life", metav1.ObjectMeta{}, corev1.PodStatus{Conditions: ready, ContainerStatuses: []corev1.ContainerStatus{{Name: "bgp", RestartCount: 7}}}, true, ""},
		{"it does not become ready", metav1.ObjectMeta{Name: "p"}, corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{{Name: "bgp", RestartCount: 3, LastTerminationState: ended}}}, false, "container bgp of pod p has ended 3 times, at last with exit code 139 (Error) no config. See kubectl logs --previous."},
		{"it crashes", metav1.ObjectMeta{Name: "p"}, corev1.PodStatus{Conditions: ready, ContainerStatuses: []corev1.ContainerStatus{{Name: "bgp", RestartCount: 1, State: waiting}}}, false, "container bgp of pod p has ended 1 times. See"},
		{"it ends", metav1.ObjectMeta{DeletionTimestamp: &now}, corev1.PodStatus{Conditions: ready, ContainerStatuses: []corev1.ContainerStatus{{State: waiting}}}, false, ""},
	} {
		got := servicePod(&corev1.Pod{ObjectMeta: c.meta, Status: c.status})
		if got.Ready != c.ready || (c.trouble == "") != (got.Trouble == "") || !strings.HasPrefix(got.Trouble, c.trouble) {
			t.Errorf("%s: got %+v", c.name, got)
		}
	}
}

// The pod of a DaemonSet is its Node's before the scheduler has bound it.
func TestNodeOfPod(t *testing.T) {
	wanted := &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{
		NodeSelectorTerms: []corev1.NodeSelectorTerm{{MatchFields: []corev1.NodeSelectorRequirement{{Key: "metadata.name", Operator: "In", Values: []string{"leaf1"}}}}},
	}}}
	for want, spec := range map[string]corev1.PodSpec{"leaf1": {Affinity: wanted}, "leaf2": {NodeName: "leaf2", Affinity: wanted}, "": {}} {
		if got := nodeOfPod(&corev1.Pod{Spec: spec}); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// Where two releases have a service for a switch, the older one has it.
func TestOthers(t *testing.T) {
	rel := func(name string, role v1alpha1.SwitchRole, services ...string) v1alpha1.NOSRelease {
		r := v1alpha1.NOSRelease{ObjectMeta: metav1.ObjectMeta{Name: name}}
		r.Spec.Switches.Roles = []v1alpha1.SwitchRole{role}
		for _, s := range services {
			r.Spec.Services = append(r.Spec.Services, v1alpha1.ReleaseService{Name: s})
		}
		return r
	}
	old, spines, young := rel("old", v1alpha1.RoleLeaf, "bgp", "lldp"), rel("spines", v1alpha1.RoleSpine, "bgp"), rel("young", v1alpha1.RoleLeaf, "bgp")
	spines.Status.Switches = []v1alpha1.ReleaseSwitchStatus{{Name: "leaf1", Phase: v1alpha1.SwitchReleasing}} // a spine until now
	f := &fleet{releases: []v1alpha1.NOSRelease{old, spines, young}}
	leaf := &v1alpha1.Switch{ObjectMeta: metav1.ObjectMeta{Name: "leaf1"}, Spec: v1alpha1.SwitchSpec{Role: v1alpha1.RoleLeaf}}
	if conflict, held := f.others(&young, leaf); conflict != "old" || held != "spines" {
		t.Errorf("young: %q has the service, %q works on it", conflict, held)
	}
	if conflict, held := f.others(&old, leaf); conflict != "" || held != "spines" {
		t.Errorf("old: %q has the service, %q works on it", conflict, held)
	}
}

// What a Node says of versions is what the controller reads of it. Where an agent was
// deployed, a Node without a label for it has that one.
func TestAdmission(t *testing.T) {
	const bgp, agent = "bgp", v1alpha1.ServiceAgent
	for _, c := range []struct {
		service, hash string
		says          any
	}{
		{bgp, "v1", "v1"}, {bgp, "", nil},
		{agent, "v1", "v1"}, {agent, "", "none"}, {agent, v1alpha1.HashDeployed, nil},
	} {
		says := admission(release.Label{Service: c.service, Hash: c.hash})
		if says != c.says {
			t.Errorf("%s %q: the label is %v, want %v", c.service, c.hash, says, c.says)
		}
		node := &corev1.Node{}
		if says != nil {
			node.Labels = map[string]string{v1alpha1.LabelAdmitted + c.service: says.(string)}
		}
		f := &fleet{nodes: map[string]*corev1.Node{"leaf1": node}, deployed: &corev1.PodTemplateSpec{}}
		if got := f.admitted("leaf1")[c.service]; got != c.hash {
			t.Errorf("%s: of the label %v is read %q, want %q", c.service, says, got, c.hash)
		}
	}
	bare := &fleet{nodes: map[string]*corev1.Node{"leaf1": {}}}
	if got := bare.admitted("leaf1"); len(got) > 0 {
		t.Errorf("a switch without anything has %v", got)
	}
}

// A pod check is a Job that is named after all that it is about, so that it is made
// once for each phase, and told which switch it is for.
func TestCheckJob(t *testing.T) {
	r := &releaseReconciler{namespace: "sys"}
	rel := &v1alpha1.NOSRelease{ObjectMeta: metav1.ObjectMeta{Name: "core", UID: "1"}}
	check := v1alpha1.ReleaseCheck{Name: "ping", Pod: &v1alpha1.PodCheck{RunOn: v1alpha1.CheckOnSwitch, Template: runtime.RawExtension{Raw: []byte(`{"spec": {"containers": [{"name": "c", "image": "i"}]}}`)}}}
	names := map[string]bool{}
	for _, phase := range []v1alpha1.SwitchPhase{v1alpha1.SwitchPrechecking, v1alpha1.SwitchVerifying} {
		job, err := r.checkJob(rel, &v1alpha1.ReleaseSwitchStatus{Name: "leaf1", Pass: "core-1.1.1", Phase: phase}, check)
		if err != nil {
			t.Fatal(err)
		}
		names[job.Name] = true
		pod := job.Spec.Template.Spec
		if pod.NodeName != "leaf1" || !pod.HostNetwork || pod.RestartPolicy != corev1.RestartPolicyNever || pod.Containers[0].Env[0].Value != "leaf1" {
			t.Errorf("the pod of the check: %+v", pod)
		}
		if stage := pod.Containers[0].Env[1].Value; (stage == "Before") != (phase == v1alpha1.SwitchPrechecking) {
			t.Errorf("%s: stage %s", phase, stage)
		}
	}
	if len(names) != 2 {
		t.Errorf("the Jobs of two phases are %v", names)
	}
}

// The metrics of a release say how it is, and are gone with it.
func TestReleaseMetrics(t *testing.T) {
	m, err := newReleaseMetrics()
	if err != nil {
		t.Fatal(err)
	}
	rel := v1alpha1.NOSRelease{ObjectMeta: metav1.ObjectMeta{Name: "measured"}}
	at := func(phase v1alpha1.SwitchPhase, second int64) v1alpha1.ReleaseSwitchStatus {
		since := metav1.Unix(second, 0)
		return v1alpha1.ReleaseSwitchStatus{Name: "leaf1", Phase: phase, Since: &since}
	}
	rel.Status.Switches = []v1alpha1.ReleaseSwitchStatus{at(v1alpha1.SwitchDraining, 0), {Name: "leaf2", Phase: v1alpha1.SwitchWaiting}}
	m.tell([]v1alpha1.NOSRelease{rel})
	waited, drained, back := at(v1alpha1.SwitchWaiting, 0), at(v1alpha1.SwitchDraining, 50), at(v1alpha1.SwitchReleasing, 62)
	m.left(rel.Name, &waited, &drained)
	m.left(rel.Name, &drained, &back)
	m.countStop(rel.Name, "DrainFailed")
	rel.Status.Switches[0], rel.Status.Stop = back, &v1alpha1.ReleaseStop{Reason: "DrainFailed"}
	m.tell([]v1alpha1.NOSRelease{rel})
	if diff := cmp.Diff(map[string]float64{
		"switchlet_release_switches Releasing": 1, "switchlet_release_switches Waiting": 1,
		"switchlet_release_stopped DrainFailed": 1, "switchlet_release_stops_total DrainFailed": 1,
		"switchlet_release_last_step_seconds Draining": 12,
	}, measured(t, rel.Name)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	m.tell(nil)
	if left := measured(t, rel.Name); len(left) > 0 {
		t.Errorf("of a release that is gone there is still %v", left)
	}
}

// measured are the metrics of a release, by their name and phase or reason.
func measured(t *testing.T, name string) map[string]float64 {
	t.Helper()
	families, err := metrics.Registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			key, ours := f.GetName(), false
			for _, l := range m.GetLabel() {
				if l.GetName() == "release" {
					ours = l.GetValue() == name
				} else {
					key += " " + l.GetValue()
				}
			}
			if ours {
				out[key] = m.GetGauge().GetValue() + m.GetCounter().GetValue()
			}
		}
	}
	return out
}

func TestJobResult(t *testing.T) {
	for want, conditions := range map[release.Result][]batchv1.JobCondition{
		{}:                     nil,
		{Done: true, OK: true}: {{Type: batchv1.JobSuccessCriteriaMet, Status: "True"}, {Type: batchv1.JobComplete, Status: "True"}},
		{Done: true, Value: "Job j failed: BackoffLimitExceeded: too often"}: {{Type: batchv1.JobFailed, Status: "True", Reason: "BackoffLimitExceeded", Message: "too often"}},
	} {
		if got := jobResult(&batchv1.Job{ObjectMeta: metav1.ObjectMeta{Name: "j"}, Status: batchv1.JobStatus{Conditions: conditions}}); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
}
