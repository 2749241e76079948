package reconcile

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/switchlet/switchlet/controller/plan"
)

// limit takes out what is more than a HostConfig can carry, and notes it as the mistake
// of the pods that want it. What the host had so far it keeps; of the rest the first
// ones by name come in.
func (h *hostNeeds) limit(host string, kept map[subnetName]time.Time, wanting map[subnetName][]wish) {
	more := len(h.subnets) + len(h.gone) - plan.MaxHostNetworks
	if more <= 0 {
		return
	}
	fresh := slices.Collect(maps.Keys(h.subnets))
	fresh = slices.DeleteFunc(fresh, func(s subnetName) bool { _, had := kept[s]; return had })
	slices.SortFunc(fresh, func(a, b subnetName) int { return byName(b, a) })
	for _, s := range fresh[:min(more, len(fresh))] {
		delete(h.subnets, s)
		delete(h.masters, s)
		for _, w := range wanting[s] {
			h.mistakes[w.pod] = mistake{"TooManyNetworks", fmt.Sprintf(
				"Subnet %q of VPC %s: the pods on %s are in %d subnets already, and a host can have no more. Have the pod run on another node, or delete pods of other subnets; it is attached when one of these has been given up.",
				s.subnet, s.vpc, host, plan.MaxHostNetworks)}
		}
	}
}
