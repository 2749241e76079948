package plan

import (
	"fmt"
	"slices"
	"testing"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

// What pods in a subnet reach through its gateways.
func TestRoutes(t *testing.T) {
	both := v1alpha1.Subnet{Name: "web", CIDRs: []string{"10.1.0.0/24", "fd00:1::/64"}}
	four := v1alpha1.Subnet{Name: "db", CIDRs: []string{"10.1.10.0/24"}}
	six := v1alpha1.Subnet{Name: "log", CIDRs: []string{"fd00:2::/64"}}
	low := v1alpha1.Subnet{Name: "ops", CIDRs: []string{"10.0.9.0/24", "fd00:3::/64"}}
	around := v1alpha1.Subnet{Name: "all", CIDRs: []string{"10.0.0.0/8"}}
	for _, c := range []struct {
		name    string
		own     v1alpha1.Subnet
		subnets []v1alpha1.Subnet
		want    []string
	}{
		{"a VPC with one subnet", both, nil, nil},
		{"both families, in rising order", both, []v1alpha1.Subnet{six, four, low}, []string{"10.0.9.0/24", "10.1.10.0/24", "fd00:2::/64", "fd00:3::/64"}},
		{"no gateway, no routes: IPv4 alone", four, []v1alpha1.Subnet{six, low}, []string{"10.0.9.0/24"}},
		{"no gateway, no routes: IPv6 alone", six, []v1alpha1.Subnet{four, low}, []string{"fd00:3::/64"}},
		{"neighbours are not reached by a gateway", both, []v1alpha1.Subnet{around, six}, []string{"fd00:2::/64"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			vpc := blueVPC()
			vpc.Spec.Subnets = append([]v1alpha1.Subnet{c.own}, c.subnets...)
			spec := BuildHost(HostInputs{
				Host: "host1", Networks: []HostNetwork{{Name: blue(), Subnet: c.own.Name, VPC: vpc, VNI: 10101}},
				Standing: func(Carrier) Standing { return Standing{} },
			})
			if got := spec.Networks[0].Routes; !slices.Equal(got, c.want) {
				t.Errorf("routes %q, want %q", got, c.want)
			}
		})
	}
}

// No VPC has more routes than a HostConfig can carry.
func TestRoutesOfTheLargestVPC(t *testing.T) {
	vpc := blueVPC()
	vpc.Spec.Subnets = nil
	for i := range 64 { // as many as a VPC can have
		vpc.Spec.Subnets = append(vpc.Spec.Subnets, v1alpha1.Subnet{Name: fmt.Sprint("s", i), CIDRs: []string{fmt.Sprintf("10.%d.0.0/16", i), fmt.Sprintf("fd00:%x::/64", i)}})
	}
	gateways, err := Gateways(&vpc.Spec.Subnets[0])
	if err != nil {
		t.Fatal(err)
	}
	if n := len(routes(vpc, &vpc.Spec.Subnets[0], gateways)); n != 126 {
		t.Errorf("%d routes, want 126", n)
	}
}
