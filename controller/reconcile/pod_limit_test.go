package reconcile

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/switchlet/switchlet/controller/plan"
)

// What a HostConfig cannot carry is not cut off silently: its pods are told, and those
// that run are not touched, whatever their subnets are called.
func TestPodsOfTooManyNetworks(t *testing.T) {
	named := func(i int) subnetName {
		return subnetName{types.NamespacedName{Namespace: "tenant-a", Name: fmt.Sprintf("vpc%04d", i)}, "web"}
	}
	h := &hostNeeds{subnets: map[subnetName]need{}, gone: map[subnetName]time.Time{}, mistakes: map[podRef]mistake{}}
	kept, wanting := map[subnetName]time.Time{}, map[subnetName][]wish{}
	for i := range plan.MaxHostNetworks + 2 {
		h.subnets[named(i)] = need{pods: 1}
		wanting[named(i)] = []wish{{pod: podRef{uid: types.UID(fmt.Sprint(i))}}}
		if i >= 3 { // 0, 1 and 2 are new
			kept[named(i)] = time.Time{}
		}
	}
	h.limit("host1", kept, wanting)
	if _, first := h.subnets[named(0)]; len(h.subnets) != plan.MaxHostNetworks || !first || len(h.mistakes) != 2 {
		t.Fatalf("the host has %d subnets, the first of the new ones: %t; %d pods are told", len(h.subnets), first, len(h.mistakes))
	}
	for _, i := range []int{1, 2} {
		m := h.mistakes[podRef{uid: types.UID(fmt.Sprint(i))}]
		if m.reason != "TooManyNetworks" || !strings.Contains(m.message, fmt.Sprintf("VPC tenant-a/vpc%04d", i)) {
			t.Errorf("pod %d is told %+v", i, m)
		}
	}
}
