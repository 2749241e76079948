package plan

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"k8s.io/apimachinery/pkg/types"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

// What pods in a subnet reach through its gateways.
func TestRoutes(t *testing.T) {
	both := v1alpha1.Subnet{Name: "web", CIDRs: []string{"10.1.0.0/24", "fd00:1::/64"}}
	four := v1alpha1.Subnet{Name: "db", CIDRs: []string{"10.1.10.0/24"}}
	six := v1alpha1.Subnet{Name: "log", CIDRs: []string{"fd00:2::/64"}}
	low := v1alpha1.Subnet{Name: "ops", CIDRs: []string{"10.0.9.0/24", "fd00:3::/64"}}
	alone := v1alpha1.Subnet{Name: "iso", CIDRs: []string{"10.0.8.0/24"}, Isolated: true}
	around := v1alpha1.Subnet{Name: "all", CIDRs: []string{"10.0.0.0/8"}}
	for _, c := range []struct {
		name    string
		own     v1alpha1.Subnet
		subnets []v1alpha1.Subnet
		peered  []netip.Prefix
		want    []string
	}{
		{"a VPC with one subnet", both, nil, nil, nil},
		{"both families, in rising order", both, []v1alpha1.Subnet{six, four, low}, nil, []string{"10.0.9.0/24", "10.1.10.0/24", "fd00:2::/64", "fd00:3::/64"}},
		{"no gateway, no routes: IPv4 alone", four, []v1alpha1.Subnet{six, low}, nil, []string{"10.0.9.0/24"}},
		{"no gateway, no routes: IPv6 alone", six, []v1alpha1.Subnet{four, low}, nil, []string{"fd00:3::/64"}},
		{"neighbours are not reached by a gateway", both, []v1alpha1.Subnet{around, six}, nil, []string{"fd00:2::/64"}},
		{"what peers show", four, []v1alpha1.Subnet{low}, []netip.Prefix{netip.MustParsePrefix("10.0.1.0/24"), netip.MustParsePrefix("fd00:9::/64")}, []string{"10.0.1.0/24", "10.0.9.0/24"}},
		{"an isolated neighbour", both, []v1alpha1.Subnet{alone, low}, nil, []string{"10.0.9.0/24", "fd00:3::/64"}},
		{"an isolated subnet", alone, []v1alpha1.Subnet{both, low}, []netip.Prefix{netip.MustParsePrefix("10.0.1.0/24")}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			vpc := blueVPC()
			vpc.Spec.Subnets = append([]v1alpha1.Subnet{c.own}, c.subnets...)
			spec := BuildHost(HostInputs{
				Host: host1(), Networks: []HostNetwork{{Name: blue(), Subnet: c.own.Name, VPC: vpc, VNI: 10101, Peered: c.peered}},
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
	if n := len(routes(vpc, &vpc.Spec.Subnets[0], gateways, nil)); n != 126 {
		t.Errorf("%d routes, want 126", n)
	}
}

// Hosts of a subnet that is shown reach what the peer shows; those of another one do not.
func TestReached(t *testing.T) {
	web := func(n int) []v1alpha1.Subnet {
		return []v1alpha1.Subnet{{Name: "web", CIDRs: []string{fmt.Sprintf("10.%d.0.0/24", n)}}, {Name: "db", CIDRs: []string{fmt.Sprintf("10.%d.1.0/24", n)}}}
	}
	red := types.NamespacedName{Namespace: "tenant-b", Name: "red"}
	in := Peers{HaveFabric: true, Classes: map[string]*v1alpha1.VPCClass{"default": {}}, VPCs: map[types.NamespacedName]*v1alpha1.VPC{}, Peerings: map[types.NamespacedName][]*v1alpha1.VPCPeering{}}
	for i, name := range []types.NamespacedName{blue(), red} {
		in.VPCs[name] = webAndDB(name)
		in.VPCs[name].Spec.Subnets = web(i + 1)
	}
	consent := func(vpc, peer types.NamespacedName, subnets ...string) {
		p := &v1alpha1.VPCPeering{Spec: v1alpha1.VPCPeeringSpec{VPC: vpc.Name, Peer: v1alpha1.VPCReference{Namespace: peer.Namespace, Name: peer.Name}, Subnets: subnets}}
		p.Namespace, p.Name = vpc.Namespace, "to-"+peer.Name
		in.Peerings[vpc] = append(in.Peerings[vpc], p)
	}
	consent(blue(), red, "web")
	if got := in.Reached(blue(), "web"); len(got) > 0 {
		t.Errorf("reached before the other side consents: %v", got)
	}
	consent(red, blue())
	if got := fmt.Sprint(in.Reached(blue(), "web"), in.Reached(blue(), "db"), in.Reached(red, "db")); got != "[10.2.0.0/24 10.2.1.0/24] [] [10.1.0.0/24]" {
		t.Errorf("reached: %s", got)
	}
}
