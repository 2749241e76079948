package reconcile

import (
	"fmt"
	"testing"

	"k8s.io/apimachinery/pkg/types"
)

// One pod more on one host of 1,000, each of which needs 20 subnets: what is
// remembered of the others is not looked at.
func BenchmarkOnePodOn1000Hosts(b *testing.B) {
	n := newNeeds()
	of := func(pods int) *hostNeeds {
		h := &hostNeeds{subnets: map[subnetName]need{}}
		for i := range 20 {
			h.subnets[subnetName{types.NamespacedName{Namespace: "tenant-a", Name: fmt.Sprint("vpc", i)}, "web"}] = need{pods: pods}
		}
		return h
	}
	for i := range 1000 {
		n.note(fmt.Sprint("host", i), of(10))
	}
	pods := 0
	for b.Loop() {
		pods++
		if subnets, anything := n.note("host500", of(10+pods)); subnets || !anything {
			b.Fatal("the host needs what it did not need before, or nothing")
		}
	}
}
