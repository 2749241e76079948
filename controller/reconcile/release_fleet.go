package reconcile

import (
	"context"
	"fmt"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/switchlet/switchlet/api/natural"
	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/controller/release"
)

// fleet is what releases look at: all switches, with their Nodes, SwitchConfigs
// and pods, and all releases, the oldest first.
type fleet struct {
	releases []v1alpha1.NOSRelease
	list     []v1alpha1.Switch
	nodes    map[string]*corev1.Node
	configs  map[string]*v1alpha1.SwitchConfig
	pods     map[string][]release.Pod // by Node
	// deployed is the pod template of the agent that switches have without a release;
	// nil if none was deployed.
	deployed *corev1.PodTemplateSpec
	// singleHomed are, by switch, the hosts that a drain cuts off.
	singleHomed map[string][]v1alpha1.SingleHomedHost
}

func (r *releaseReconciler) fleet(ctx context.Context, releases []v1alpha1.NOSRelease) (*fleet, error) {
	var switches v1alpha1.SwitchList
	var nodes corev1.NodeList
	var configs v1alpha1.SwitchConfigList
	for _, list := range []client.ObjectList{&switches, &nodes, &configs} {
		if err := r.List(ctx, list, client.UnsafeDisableDeepCopy); err != nil {
			return nil, fmt.Errorf("list what releases look at: %w", err)
		}
	}
	var pods corev1.PodList
	var err error
	if err = r.workloads.List(ctx, &pods, client.InNamespace(r.namespace), client.HasLabels{v1alpha1.LabelServiceHash}, client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("list the pods of releases: %w", err)
	}
	f := &fleet{releases: releases, list: slices.Clone(switches.Items), nodes: map[string]*corev1.Node{}, configs: map[string]*v1alpha1.SwitchConfig{}, pods: map[string][]release.Pod{}}
	slices.SortFunc(f.list, func(a, b v1alpha1.Switch) int { return natural.Compare(a.Name, b.Name) })
	for i := range nodes.Items {
		f.nodes[nodes.Items[i].Name] = &nodes.Items[i]
	}
	for i := range configs.Items {
		f.configs[configs.Items[i].Name] = &configs.Items[i]
	}
	for i := range pods.Items {
		if p := &pods.Items[i]; nodeOfPod(p) != "" {
			f.pods[nodeOfPod(p)] = append(f.pods[nodeOfPod(p)], servicePod(p))
		}
	}
	if f.deployed, err = r.deployedAgent(ctx); err != nil {
		return nil, err
	}
	return f, r.homes(ctx, f)
}

// deployedAgent is the pod template of the DaemonSet switchlet-agent, by its labels.
func (r *releaseReconciler) deployedAgent(ctx context.Context) (*corev1.PodTemplateSpec, error) {
	var list appsv1.DaemonSetList
	labels := client.MatchingLabels{v1alpha1.LabelService: v1alpha1.ServiceAgent, v1alpha1.LabelServiceHash: v1alpha1.HashDeployed}
	if err := r.workloads.List(ctx, &list, client.InNamespace(r.namespace), labels); err != nil {
		return nil, fmt.Errorf("list the DaemonSets of the agent: %w", err)
	}
	if len(list.Items) == 0 {
		return nil, nil //nolint:nilnil // there is none
	}
	return &list.Items[0].Spec.Template, nil
}

// nodeOfPod is where a pod runs, or, before the scheduler has bound it, where the
// DaemonSet wants it.
func nodeOfPod(p *corev1.Pod) string {
	if p.Spec.NodeName != "" || p.Spec.Affinity == nil || p.Spec.Affinity.NodeAffinity == nil || p.Spec.Affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution == nil {
		return p.Spec.NodeName
	}
	for _, term := range p.Spec.Affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution.NodeSelectorTerms {
		for _, field := range term.MatchFields {
			if field.Key == "metadata.name" && len(field.Values) == 1 {
				return field.Values[0]
			}
		}
	}
	return ""
}

// patience is how often a container may end, without its pod being ready, before
// its service is given up.
const patience = 3

// servicePod is what a release looks at in a pod.
func servicePod(p *corev1.Pod) release.Pod {
	out := release.Pod{Service: p.Labels[v1alpha1.LabelService], Hash: p.Labels[v1alpha1.LabelServiceHash]}
	if p.DeletionTimestamp != nil {
		return out
	}
	out.Ready = slices.ContainsFunc(p.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	})
	for _, c := range append(slices.Clone(p.Status.InitContainerStatuses), p.Status.ContainerStatuses...) {
		if !out.Ready && c.RestartCount >= patience || c.State.Waiting != nil && c.State.Waiting.Reason == "CrashLoopBackOff" {
			out.Ready, out.Trouble = false, crash(p, c)
		}
	}
	return out
}

// crash says how a container ends again and again.
func crash(p *corev1.Pod, c corev1.ContainerStatus) string {
	text := fmt.Sprintf("container %s of pod %s has ended %d times", c.Name, p.Name, c.RestartCount)
	if last := c.LastTerminationState.Terminated; last != nil {
		text += fmt.Sprintf(", at last with exit code %d (%s) %s", last.ExitCode, last.Reason, last.Message)
	}
	return strings.TrimSpace(text) + ". See kubectl logs --previous."
}

// nodeReady says whether a Node's kubelet is heard.
func nodeReady(n *corev1.Node) bool {
	return slices.ContainsFunc(n.Status.Conditions, func(c corev1.NodeCondition) bool {
		return c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue
	})
}

// switches are all of them as one release sees them.
func (f *fleet) switches(rel *v1alpha1.NOSRelease) []release.Switch {
	out := make([]release.Switch, 0, len(f.list))
	for i := range f.list {
		sw := &f.list[i]
		s := release.Switch{
			Name: sw.Name, Group: release.GroupOf(sw), Role: sw.Spec.Role, Selected: sw.DeletionTimestamp.IsZero() && selects(rel, sw),
			Unavailable: f.unavailable(sw), Labels: f.admitted(sw.Name), Pods: f.pods[sw.Name],
			ByHand: sw.Spec.Drained, SingleHomed: f.singleHomed[sw.Name],
		}
		s.Conflict, s.HeldBy = f.others(rel, sw)
		if c := f.configs[sw.Name]; c != nil {
			s.Maintenance, s.Answer = c.Spec.Maintenance, c.Status.Maintenance
		}
		out = append(out, s)
	}
	return out
}

// selects says whether a release is for a switch.
func selects(rel *v1alpha1.NOSRelease, sw *v1alpha1.Switch) bool {
	want := rel.Spec.Switches
	if len(want.Roles) > 0 && !slices.Contains(want.Roles, sw.Spec.Role) {
		return false
	}
	if want.Selector == nil {
		return true
	}
	selector, err := metav1.LabelSelectorAsSelector(want.Selector)
	return err == nil && selector.Matches(labels.Set(sw.Labels))
}

func (f *fleet) unavailable(sw *v1alpha1.Switch) string {
	node := f.nodes[sw.Name]
	switch {
	case node == nil:
		return "It has no Node: its kubelet has not joined the cluster."
	case !nodeReady(node):
		return "Its Node is not ready: its kubelet is not heard."
	case f.configs[sw.Name] == nil:
		return "It has no SwitchConfig yet."
	case disconnected(sw) != "":
		return "Its agent says: " + disconnected(sw)
	}
	return ""
}

// admitted are the hashes by service that may run on a Node. One without a label has the
// agent that was deployed, if that was.
func (f *fleet) admitted(name string) map[string]string {
	out := map[string]string{}
	node := f.nodes[name]
	if node == nil {
		return out
	}
	if f.deployed != nil {
		out[v1alpha1.ServiceAgent] = v1alpha1.HashDeployed
	}
	for key, value := range node.Labels {
		service, ok := strings.CutPrefix(key, v1alpha1.LabelAdmitted)
		switch {
		case !ok:
		case value == v1alpha1.AdmittedNone:
			delete(out, service)
		case value != "":
			out[service] = value
		}
	}
	return out
}

// others are the older release that has a service of this one on a switch, and
// the one that works on it.
func (f *fleet) others(rel *v1alpha1.NOSRelease, sw *v1alpha1.Switch) (conflict, heldBy string) {
	older := true
	for i := range f.releases {
		other := &f.releases[i]
		if other.Name == rel.Name {
			older = false
			continue
		}
		if older && conflict == "" && other.DeletionTimestamp.IsZero() && shares(rel, other) && selects(other, sw) {
			conflict = other.Name
		}
		for _, s := range other.Status.Switches {
			if s.Name == sw.Name && release.AtWork(s.Phase) {
				heldBy = other.Name
			}
		}
	}
	return conflict, heldBy
}

// shares says whether two releases have a service in common.
func shares(a, b *v1alpha1.NOSRelease) bool {
	return slices.ContainsFunc(a.Spec.Services, func(s v1alpha1.ReleaseService) bool {
		return slices.ContainsFunc(b.Spec.Services, func(o v1alpha1.ReleaseService) bool { return o.Name == s.Name })
	})
}

// atWork says whether a release has anything to finish.
func (f *fleet) atWork(rel *v1alpha1.NOSRelease) bool {
	for i := range f.list {
		if c := f.configs[f.list[i].Name]; c != nil && c.Spec.Maintenance != nil && c.Spec.Maintenance.Release == rel.Name {
			return true
		}
	}
	return slices.ContainsFunc(rel.Status.Switches, func(s v1alpha1.ReleaseSwitchStatus) bool { return release.AtWork(s.Phase) })
}
