package reconcile

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/controller/release"
)

// results adds to the switches what came of the user's checks, and has those made
// that are due.
func (r *releaseReconciler) results(ctx context.Context, rel *v1alpha1.NOSRelease, switches []release.Switch) error {
	if len(rel.Spec.Checks) == 0 {
		return nil
	}
	// All queries of a call together have so long: a Prometheus that does not
	// answer must not hold up the releases.
	asking, cancel := context.WithTimeout(ctx, 2*checkTimeout)
	defer cancel()
	byName := map[string]*release.Switch{}
	for i := range switches {
		byName[switches[i].Name] = &switches[i]
	}
	for i := range rel.Status.Switches {
		record := &rel.Status.Switches[i]
		s := byName[record.Name]
		if s == nil || !checking(record.Phase) {
			continue
		}
		s.Results = map[string]release.Result{}
		for _, c := range rel.Spec.Checks {
			if c.Prometheus != nil {
				s.Results[c.Name] = checkQuery(asking, r.http, *c.Prometheus, s.Name)
				continue
			}
			result, err := r.result(ctx, rel, record, c)
			if err != nil {
				return fmt.Errorf("check %s of switch %s: %w", c.Name, s.Name, err)
			}
			s.Results[c.Name] = result
		}
	}
	return nil
}

// checking says whether checks are looked at in a phase.
func checking(p v1alpha1.SwitchPhase) bool {
	return p == v1alpha1.SwitchPrechecking || p == v1alpha1.SwitchVerifying || p == v1alpha1.SwitchSoaking
}

// asksPrometheus says whether a release has to be looked at for its queries' sake.
func asksPrometheus(rel *v1alpha1.NOSRelease) bool {
	asks := false
	for _, c := range rel.Spec.Checks {
		asks = asks || c.Prometheus != nil
	}
	for _, s := range rel.Status.Switches {
		if asks && checking(s.Phase) {
			return true
		}
	}
	return false
}

// result is what came of a check by a pod, which is made if it is not there.
func (r *releaseReconciler) result(ctx context.Context, rel *v1alpha1.NOSRelease, s *v1alpha1.ReleaseSwitchStatus, c v1alpha1.ReleaseCheck) (release.Result, error) {
	job, err := r.checkJob(rel, s, c)
	if err != nil {
		return release.Result{}, err
	}
	var have batchv1.Job
	err = r.workloads.Get(ctx, client.ObjectKeyFromObject(job), &have)
	if apierrors.IsNotFound(err) {
		if err := r.Create(ctx, job, client.FieldOwner(FieldOwner)); ignoreRaces(err) != nil {
			return release.Result{}, fmt.Errorf("create Job %s: %w", job.Name, err)
		}
		return release.Result{}, nil
	}
	return jobResult(&have), err
}

// jobResult is what a Job has come to.
func jobResult(job *batchv1.Job) release.Result {
	for _, c := range job.Status.Conditions {
		switch {
		case c.Status != corev1.ConditionTrue:
		case c.Type == batchv1.JobComplete:
			return release.Result{Done: true, OK: true}
		case c.Type == batchv1.JobFailed:
			return release.Result{Done: true, Value: fmt.Sprintf("Job %s failed: %s: %s", job.Name, c.Reason, c.Message)}
		}
	}
	return release.Result{}
}

// keepJobs is how many seconds a Job of a check stays for people to look at.
const keepJobs = 24 * 60 * 60

// checkJob is the Job of a check in a phase of a switch: made once, as its name
// says all of that.
func (r *releaseReconciler) checkJob(rel *v1alpha1.NOSRelease, s *v1alpha1.ReleaseSwitchStatus, c v1alpha1.ReleaseCheck) (*batchv1.Job, error) {
	template, err := checkTemplate(c)
	if err != nil {
		return nil, err
	}
	stage := v1alpha1.StageAfter
	if s.Phase == v1alpha1.SwitchPrechecking {
		stage = v1alpha1.StageBefore
	}
	place(&template.Spec, c.Pod.RunOn, s.Name, stage)
	sum := sha256.Sum256([]byte(string(rel.UID) + "/" + s.Name + "/" + s.Pass + "/" + string(s.Phase) + "/" + c.Name))
	retries, deadline, keep := int32(2), int64(max(1, rel.Spec.Strategy.ProgressDeadlineSeconds)), int32(keepJobs)
	return &batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: r.namespace, Name: fmt.Sprintf("check-%s-%s", c.Name, hex.EncodeToString(sum[:5])),
			Labels:          map[string]string{v1alpha1.LabelRelease: rel.Name},
			Annotations:     map[string]string{v1alpha1.Group + "/switch": s.Name, v1alpha1.Group + "/pass": s.Pass},
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(rel, v1alpha1.GroupVersion().WithKind("NOSRelease"))},
		},
		Spec: batchv1.JobSpec{BackoffLimit: &retries, ActiveDeadlineSeconds: &deadline, TTLSecondsAfterFinished: &keep, Template: template},
	}, nil
}

// checkTemplate reads the pod template of a check.
func checkTemplate(c v1alpha1.ReleaseCheck) (corev1.PodTemplateSpec, error) {
	var t corev1.PodTemplateSpec
	if err := json.Unmarshal(c.Pod.Template.Raw, &t); err != nil {
		return t, fmt.Errorf("spec.checks[%s].pod.template is no pod template: %w", c.Name, err)
	}
	if len(t.Spec.Containers) == 0 {
		return t, fmt.Errorf("spec.checks[%s].pod.template.spec.containers is empty: say what has to succeed", c.Name)
	}
	return t, nil
}

// place has a check's pod run where it should, told which switch it is about.
func place(spec *corev1.PodSpec, where v1alpha1.CheckPlace, name string, stage v1alpha1.CheckStage) {
	if spec.RestartPolicy == "" || spec.RestartPolicy == corev1.RestartPolicyAlways {
		spec.RestartPolicy = corev1.RestartPolicyNever
	}
	if where == v1alpha1.CheckOnSwitch {
		spec.NodeName, spec.HostNetwork, spec.DNSPolicy = name, true, corev1.DNSDefault
		spec.Tolerations = []corev1.Toleration{{Operator: corev1.TolerationOpExists}}
	}
	told := []corev1.EnvVar{{Name: "SWITCH", Value: name}, {Name: "STAGE", Value: string(stage)}}
	for _, containers := range [][]corev1.Container{spec.InitContainers, spec.Containers} {
		for i := range containers {
			containers[i].Env = append(containers[i].Env, told...)
		}
	}
}
