package networks_test

import (
	"strings"
	"testing"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/cni/host/networks"
)

// One network that makes no sense is a problem of its owner, and the others are
// there.
func TestCompile(t *testing.T) {
	good := v1alpha1.HostNetwork{VNI: 1, Owner: v1alpha1.ObjectReference{Namespace: "blue", Name: "blue"}, Subnet: "web", CIDRs: []string{"10.1.0.0/24"}}
	for _, c := range []struct {
		change func(*v1alpha1.HostNetwork)
		want   string
	}{
		{func(n *v1alpha1.HostNetwork) { n.CIDRs = []string{"10.1.0.0"} }, "cidrs: "},
		{func(n *v1alpha1.HostNetwork) { n.Gateways = []string{"10.9.0.1/24"} }, "gateways: 10.9.0.1 is in none of the cidrs"},
		{func(n *v1alpha1.HostNetwork) {
			n.Slices = []v1alpha1.AddressRange{{First: "10.1.0.9", Last: "10.1.0.2"}}
		}, "slices: 10.1.0.9 is after 10.1.0.2"},
		{func(n *v1alpha1.HostNetwork) {
			n.Slices = []v1alpha1.AddressRange{{First: "10.1.0.9", Last: "10.1.1.2"}}
		}, "slices: last: 10.1.1.2 is in none"},
		{func(n *v1alpha1.HostNetwork) { n.Reserved = []v1alpha1.ReservedAddress{{Address: "x"}} }, "reserved: "},
	} {
		bad := good
		bad.VNI = 2
		c.change(&bad)
		set, problems := networks.Compile(v1alpha1.HostConfigSpec{Revision: "r7", Networks: []v1alpha1.HostNetwork{bad, good}})
		if len(problems) != 1 || problems[0].Owner != good.Owner || !strings.Contains(problems[0].Message, "HostConfig r7: network with VNI 2: "+c.want) {
			t.Errorf("problems %v, want %s", problems, c.want)
		}
		if all := set.All(); len(all) != 1 || all[0].VNI != 1 || set.Get(2) != nil {
			t.Errorf("networks %v", all)
		}
	}
}
