// Package service makes the pod templates of switch services: what SONiC's own
// service scripts give a container (docker_image_ctl.j2 and the rules of each image
// in sonic-buildimage), as far as a pod can have it, with what a NOSRelease
// overrides. It computes only.
//
// All of them have the switch's network, Redis and configuration. None has a memory
// limit: SONiC sets vm.panic_on_oom, with which a pod that reaches its limit takes
// the switch down.
package service

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

// trait is what a service has apart from others.
type trait struct {
	// harmless services forward nothing: replacing one disturbs no traffic.
	harmless bool
	caps     []corev1.Capability
	mounts   []mount
}

// mount is a folder of the switch.
type mount struct {
	name, host, path string
	readOnly         bool
	kind             corev1.HostPathType
}

// traitOf is what is known of a service. One that is not known is taken to be
// disruptive, and has what all have.
func traitOf(name string) trait {
	switch name {
	case "bgp":
		return trait{
			caps: []corev1.Capability{"NET_ADMIN", "NET_RAW", "SYS_ADMIN"},
			mounts: []mount{
				{name: "frr-config", host: "/etc/sonic/frr", path: "/etc/frr", kind: corev1.HostPathDirectoryOrCreate},
				// the sockets of FRR's daemons, where the agent looks for them
				{name: "frr", host: "/var/run/frr", path: "/var/run/frr", kind: corev1.HostPathDirectoryOrCreate},
			},
		}
	case "lldp":
		return trait{harmless: true, caps: []corev1.Capability{"NET_ADMIN", "NET_RAW"}}
	case "radv":
		return trait{caps: []corev1.Capability{"NET_ADMIN", "NET_RAW"}} // hosts lose their IPv6 gateway
	case "dhcp-relay":
		return trait{harmless: true, caps: []corev1.Capability{"NET_ADMIN", "NET_RAW"}}
	case v1alpha1.ServiceAgent:
		return trait{harmless: true} // what is in force stays while it is away
	case "snmp", "telemetry", "gnmi", "eventd", "mgmt-framework", "sflow", "mux", "pmon":
		return trait{harmless: true}
	}
	return trait{}
}

// Disruptive says whether replacing a service disturbs traffic, as far as nobody
// has said so.
func Disruptive(name string) bool { return !traitOf(name).harmless }

// shared are the folders that every service has. Those of the platform come as a
// whole: which of them is this switch's is not known when the template is made, and
// SONiC's libraries look there when a container has none of its own.
func shared() []mount {
	return []mount{
		{name: "redis", host: "/var/run/redis", path: "/var/run/redis", kind: corev1.HostPathDirectory},
		{name: "sonic", host: "/etc/sonic", path: "/etc/sonic", readOnly: true, kind: corev1.HostPathDirectory},
		{name: "device", host: "/usr/share/sonic/device", path: "/usr/share/sonic/device", readOnly: true, kind: corev1.HostPathDirectoryOrCreate},
		{name: "localtime", host: "/etc/localtime", path: "/etc/localtime", readOnly: true},
	}
}

// builtin is the pod template of a service before anything is overridden.
func builtin(name, image string) corev1.PodTemplateSpec {
	trait := traitOf(name)
	no, grace := false, int64(30)
	container := corev1.Container{
		Name: name, Image: image, ImagePullPolicy: corev1.PullIfNotPresent, TTY: true,
		Env: []corev1.EnvVar{{Name: "CONTAINER_NAME", Value: name}, {Name: "RUNTIME_OWNER", Value: "local"}, {Name: "NAMESPACE_ID"}, {Name: "NAMESPACE_PREFIX", Value: "asic"}, {Name: "NAMESPACE_COUNT", Value: "1"}},
		Resources: corev1.ResourceRequirements{Requests: corev1.ResourceList{
			corev1.ResourceCPU: resource.MustParse("10m"), corev1.ResourceMemory: resource.MustParse("64Mi"),
		}},
	}
	if len(trait.caps) > 0 {
		container.SecurityContext = &corev1.SecurityContext{Capabilities: &corev1.Capabilities{Add: trait.caps}}
	}
	spec := corev1.PodSpec{
		HostNetwork: true, DNSPolicy: corev1.DNSDefault, PriorityClassName: "system-node-critical",
		AutomountServiceAccountToken: &no, EnableServiceLinks: &no, TerminationGracePeriodSeconds: &grace,
		Tolerations: []corev1.Toleration{{Operator: corev1.TolerationOpExists}}, // whatever is wrong with a switch, its services stay
	}
	for _, m := range append(shared(), trait.mounts...) {
		kind := m.kind
		spec.Volumes = append(spec.Volumes, corev1.Volume{Name: m.name, VolumeSource: corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: m.host, Type: &kind}}})
		container.VolumeMounts = append(container.VolumeMounts, corev1.VolumeMount{Name: m.name, MountPath: m.path, ReadOnly: m.readOnly})
	}
	spec.Containers = []corev1.Container{container}
	return corev1.PodTemplateSpec{Spec: spec}
}
