package release

import (
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

// Forwards says whether a switch has its networks in force, or is just getting more, and
// is not drained.
func Forwards(c *v1alpha1.SwitchConfig) bool {
	if c == nil || c.Status.Maintenance != nil && c.Status.Maintenance.Drained || c.Spec.Maintenance != nil && c.Spec.Maintenance.Drain {
		return false
	}
	p := meta.FindStatusCondition(c.Status.Conditions, v1alpha1.ConfigProgrammed)
	return p != nil && (p.Status == metav1.ConditionTrue || p.Reason == v1alpha1.ReasonConverging || p.Reason == v1alpha1.ReasonProgressing)
}

// Segments are those at the ports of a switch.
func Segments(c *v1alpha1.SwitchConfig) []Carried {
	var out []Carried
	for i := range c.Spec.Segments {
		for _, p := range c.Spec.Segments[i].Ports {
			out = append(out, Carried{VNI: c.Spec.Segments[i].VNI, Port: p.Name, Tagged: p.Mode == v1alpha1.ModeTagged})
		}
	}
	return out
}

// Cables are those between hosts and switches, as Links have them.
func Cables(switches []v1alpha1.Switch, hosts []v1alpha1.Host, links []v1alpha1.Link) []Cable {
	type end struct{ name, port string }
	bonds, channels := map[end]string{}, map[end]string{}
	for i := range hosts {
		for _, n := range hosts[i].Status.NICs {
			bonds[end{hosts[i].Name, n.Name}] = n.Bond
		}
	}
	for i := range switches {
		for _, p := range switches[i].Status.Ports {
			if p.Use == v1alpha1.PortUsePortChannelMember {
				channels[end{switches[i].Name, p.Name}] = p.UsedBy
			}
		}
	}
	var out []Cable
	for i := range links {
		s := links[i].Status
		if len(s.Ends) != 2 || s.Ends[0].Host == "" || s.Ends[1].Switch == "" || s.State == v1alpha1.LinkGone {
			continue
		}
		host, sw := s.Ends[0], s.Ends[1]
		c := Cable{Host: host.Host, NIC: host.NIC, Bond: bonds[end{host.Host, host.NIC}], Switch: sw.Switch, Port: sw.Port,
			Doubtful: s.State == v1alpha1.LinkStale || s.State == v1alpha1.LinkMismatch}
		if channel := channels[end{sw.Switch, sw.Port}]; channel != "" {
			c.Port = channel
		}
		out = append(out, c)
	}
	return out
}
