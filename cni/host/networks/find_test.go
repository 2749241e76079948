package networks_test

import (
	"strings"
	"testing"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/cni/host/networks"
	"github.com/switchlet/switchlet/cni/host/request"
)

// What a request names is the network of that name in the namespace that it says, or,
// if it says none, the one that the pod may be in. Two that fit are an error that says
// how to choose.
func TestFind(t *testing.T) {
	network := func(vni int32, namespace, subnet string, allowed ...string) v1alpha1.HostNetwork {
		return v1alpha1.HostNetwork{
			VNI: vni, Owner: v1alpha1.ObjectReference{Kind: v1alpha1.KindVPC, Namespace: namespace, Name: "blue"}, Subnet: subnet,
			Namespaces: append(allowed, namespace), CIDRs: []string{"10.1.0.0/24"},
		}
	}
	set, problems := networks.Compile(v1alpha1.HostConfigSpec{Networks: []v1alpha1.HostNetwork{
		network(1, "a", "web", "c"), network(2, "a", "db"), network(3, "b", "web", "c"), network(4, "b", "app", "c"),
	}})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	for _, c := range []struct {
		pod, vpcNamespace, subnet string
		vni, want                 int32
		message                   string
	}{
		{pod: "a", subnet: "web", want: 1},
		{pod: "a", subnet: "db", want: 2},
		{pod: "c", subnet: "app", want: 4},
		{pod: "c", vpcNamespace: "b", subnet: "web", want: 3},
		{pod: "a", vni: 2, want: 2},
		{pod: "c", subnet: "web", message: `namespace c may use several VPCs with the name blue: say "vpcNamespace": one of a, b`},
		{pod: "a", message: `it names VPC a/blue and no subnet: say "subnet": one of web, db`},
		{pod: "a", vpcNamespace: "b", subnet: "web", message: "pods of namespace a may not be attached"},
		{pod: "c", vni: 2, message: "pods of namespace c may not be attached"},
		{pod: "d", subnet: "web", message: "this node has no network for subnet web of VPC d/blue yet"},
	} {
		r := request.Request{VPC: "blue", Subnet: c.subnet, VPCNamespace: c.vpcNamespace, VNI: c.vni}
		r.Pod = request.Pod{Namespace: c.pod, Name: "p"}
		n, err := set.Find(r)
		switch {
		case c.message == "" && (err != nil || n.VNI != c.want):
			t.Errorf("%+v: %v, %v", c, n, err)
		case c.message != "" && (err == nil || !strings.Contains(err.Error(), c.message)):
			t.Errorf("%+v: %v", c, err)
		}
	}
}
