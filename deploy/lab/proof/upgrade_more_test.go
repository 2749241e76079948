package proof_test

import (
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/deploy/lab/cabling"
	"github.com/switchlet/switchlet/deploy/lab/node/control"
)

// away cuts a switch off from the cluster, as if it were off, and waits until that is
// noticed. What it returns connects it again.
func (r *rig) away(name string) (back func()) {
	r.Helper()
	end := cabling.End{Node: name, Port: "eth0"}
	r.links(false, end)
	took := r.within(patience, name+" is missed", func() string {
		var n corev1.Node
		r.ok(r.cluster.Get(r.Context(), client.ObjectKey{Name: name}, &n))
		if ready(&n) {
			return "its Node is ready"
		}
		return ""
	})
	r.Logf("%s is missed after %v", name, took.Round(time.Second))
	return func() { r.links(true, end) }
}

func ready(n *corev1.Node) bool {
	return slices.ContainsFunc(n.Status.Conditions, func(c corev1.NodeCondition) bool {
		return c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue
	})
}

// killController kills the controller when a switch enters each of some phases.
func (j *journal) killController(phases ...v1alpha1.SwitchPhase) {
	controller := control.NewClient(j.r.lab.NodeSocket("cp1"))
	j.killing = func(s v1alpha1.ReleaseSwitchStatus) {
		i := slices.Index(phases, s.Phase)
		if i < 0 {
			return
		}
		phases = slices.Delete(phases, i, i+1)
		if err := controller.Signal(j.r.Context(), "controller", "KILL"); err != nil {
			j.r.Errorf("kill the controller: %v", err)
			return
		}
		j.killed++
		j.r.Logf("%6.1f s the controller is killed: %s %s", time.Since(j.begin).Seconds(), s.Name, s.Phase)
	}
}

// waits waits until all that is left of a release are some switches, for a reason.
func (r *rig) waits(reasons map[string]string) {
	r.Helper()
	r.within(r.arrival(), "only those that are away are left", func() string {
		for _, s := range r.release().Status.Switches {
			want, left := reasons[s.Name]
			if left && (s.Phase != v1alpha1.SwitchWaiting || s.Reason != want) || !left && s.Phase != v1alpha1.SwitchCurrent {
				return r.progress()
			}
		}
		return ""
	})
}

// stopped waits until a release has stopped and nothing is done any more, and returns why.
func (r *rig) stopped() *v1alpha1.ReleaseStop {
	r.Helper()
	var stop *v1alpha1.ReleaseStop
	took := r.within(r.arrival(), "the release stops, and all is as before", func() string {
		rel := r.release()
		stop = rel.Status.Stop
		if rel.Status.Phase != v1alpha1.ReleaseStopped || stop == nil {
			return r.progress()
		}
		for _, s := range rel.Status.Switches {
			if s.Name == stop.Switch && s.Phase != v1alpha1.SwitchRolledBack || s.Name != stop.Switch && s.Phase != v1alpha1.SwitchWaiting && s.Phase != v1alpha1.SwitchCurrent {
				return r.progress()
			}
		}
		return ""
	})
	r.Logf("stopped and back after %v: %s at %s: %s", took.Round(time.Second), stop.Reason, stop.Switch, stop.Message)
	return stop
}

// runs fails unless the pods of a service on all switches have this image and are ready.
func (r *rig) runs(service v1alpha1.ReleaseService) {
	r.Helper()
	var pods corev1.PodList
	r.ok(r.cluster.List(r.Context(), &pods, client.MatchingLabels{v1alpha1.LabelService: service.Name}))
	at := map[string]bool{}
	for _, p := range pods.Items {
		s := p.Status.ContainerStatuses
		switch {
		case len(s) != 1 || !s[0].Ready:
			r.Errorf("pod %s on %s is not ready", p.Name, p.Spec.NodeName)
		case p.Spec.Containers[0].Image != service.Image || !strings.HasSuffix(service.Image, digest(s[0].ImageID)):
			r.Errorf("pod %s on %s runs %s, wanted %s", p.Name, p.Spec.NodeName, s[0].ImageID, service.Image)
		default:
			at[p.Spec.NodeName] = true
		}
	}
	if len(at) != len(r.switches) {
		r.Errorf("%s %s runs on %v, wanted all of %v", service.Name, service.Image, at, r.switches)
	}
}

// says waits until the agents of all switches say that they are this version.
func (r *rig) says(version string) {
	r.Helper()
	r.within(patience, "all agents are "+version, func() string {
		for _, name := range r.switches {
			var sw v1alpha1.Switch
			r.ok(r.cluster.Get(r.Context(), client.ObjectKey{Name: name}, &sw))
			if is := sw.Status.AgentVersion; is != version {
				return fmt.Sprintf("%s says %q", name, is)
			}
		}
		return ""
	})
}

// digest is what follows the last @.
func digest(image string) string { return image[strings.LastIndex(image, "@")+1:] }

// began says whether anything was done to a switch in a journal.
func (j *journal) began(name string) bool {
	return slices.ContainsFunc(j.phases, func(b begun) bool { return b.name == name && b.phase == v1alpha1.SwitchPulling })
}
