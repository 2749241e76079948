package switches

import (
	"context"
	"fmt"
	"strings"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/controller/release"
)

// cutOff says which hosts lose a network when a switch is drained, as the controller
// finds out by the cables and by what the other switches have in force.
func (o *options) cutOff(ctx context.Context, kube client.Reader, name string) (string, error) {
	var switches v1alpha1.SwitchList
	var hosts v1alpha1.HostList
	var links v1alpha1.LinkList
	var configs v1alpha1.SwitchConfigList
	for _, list := range []client.ObjectList{&switches, &hosts, &links, &configs} {
		if err := kube.List(ctx, list); err != nil {
			return "", fmt.Errorf("find out which hosts have no other way: %w", err)
		}
	}
	carried, forwards := map[string][]release.Carried{}, map[string]bool{}
	for i := range configs.Items {
		c := &configs.Items[i]
		carried[c.Name], forwards[c.Name] = release.Segments(c), release.Forwards(c)
	}
	for i := range switches.Items {
		if s := &switches.Items[i]; s.Spec.Drained {
			forwards[s.Name] = false
		}
	}
	cables := release.Cables(switches.Items, hosts.Items, links.Items)
	return o.say(release.SingleHomed(name, cables, carried, func(other string) bool { return !forwards[other] })), nil
}

// say names the hosts, and what becomes of them.
func (o *options) say(hosts []v1alpha1.SingleHomedHost) string {
	if len(hosts) == 0 {
		return "No host loses a network: all have another way."
	}
	var names, nameless []string
	for _, h := range hosts {
		ports := " (" + strings.Join(h.Ports, ", ") + ")"
		if h.Name == "" {
			nameless = append(nameless, "somebody whom no Link knows"+ports)
		} else {
			names = append(names, "host "+h.Name+ports)
		}
	}
	names = append(names, nameless...)
	fate := "The drain is refused because of them; --force drains nevertheless."
	if o.force {
		fate = "Their ports stay up, and they lose it when the switch goes."
	}
	return "With no other way to a network: " + strings.Join(names, ", ") + ". " + fate
}
