package matrix_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/deploy/lab/matrix"
)

func pod(namespace, name, host, networks string) matrix.Pod {
	return matrix.Pod{NamespacedName: types.NamespacedName{Namespace: namespace, Name: name}, Host: host, Networks: networks}
}

// withPods are a VPC that a host is attached to, and pods in it and in another one.
func withPods() matrix.Objects {
	blue := vpc("a", "blue", subnet("web", "10.1.0.0/29", "fd00:1::/64"))
	red := vpc("b", "red", subnet("app", "10.2.0.0/24"), subnet("db", "10.2.1.0/24"))
	red.Status.Subnets = []v1alpha1.SubnetStatus{{Name: "app", VNI: 2222}, {Name: "db", VNI: 3333}}
	return matrix.Objects{
		VPCs:        []v1alpha1.VPC{blue, red},
		Attachments: []v1alpha1.VPCAttachment{attachment("a", "web", "blue", "web", "", place("host1/eth1 leaf1/Ethernet0 101"), place("host2/eth1 leaf1/Ethernet4 101"))},
		Definitions: map[string]string{
			"a/web":   `{"cniVersion":"1.0.0","type":"switchlet","vpc":"blue"}`,
			"b/deck":  `{"cniVersion":"0.3.0","type":"switchlet","VNI":"2222"}`,
			"b/none":  `{"cniVersion":"0.3.0","type":"switchlet","VNI":4444}`,
			"b/other": `{"type":"bridge"}`,
		},
		Pods: []matrix.Pod{
			pod("a", "web-1", "host1", `[{"name":"a/web","interface":"eth0","ips":["10.1.0.2","fd00:1::2"]}]`),
			pod("b", "both", "host2", `[{"name":"cluster","interface":"eth0","ips":["10.9.0.1"]},{"name":"b/deck","interface":"net1","ips":["10.2.0.9"]},{"name":"a/web","interface":"net2","ips":["10.1.0.3","fd00:1::3"]},{"name":"b/other","interface":"net3"}]`),
			pod("b", "none", "host2", `[{"name":"b/none","interface":"eth0","ips":["10.2.0.8"]}]`),
			pod("b", "elsewhere", "host2", `[{"name":"b/deck","interface":"eth0","ips":["10.2.1.8"]}]`),
			pod("b", "garbage", "host2", `{`), pod("b", "plain", "host2", ""), pod("b", "cp", "cp1", `[]`),
		},
	}
}

// A pod is an endpoint in each of its networks that is a subnet of a VPC, with the
// addresses that it has, which no other endpoint gets.
func TestPodsAreEndpoints(t *testing.T) {
	endpoints, problems := matrix.Endpoints(withPods(), 9000, isHost)
	if diff := cmp.Diff([]string{
		"host1/eth1 a/blue/web leaf1/Ethernet0 vlan 101 [10.1.0.4/29 fd00:1::7fd2:6819/64] gateway [10.1.0.1 fd00:1::1]",
		"host1/a/web-1/eth0 a/blue/web / vlan 0 [10.1.0.2/29 fd00:1::2/64] gateway []",
		"host2/eth1 a/blue/web leaf1/Ethernet4 vlan 101 [10.1.0.5/29 fd00:1::a915:b6fb/64] gateway [10.1.0.1 fd00:1::1]",
		"host2/b/both/net2 a/blue/web / vlan 0 [10.1.0.3/29 fd00:1::3/64] gateway []",
		"host2/b/both/net1 b/red/app / vlan 0 [10.2.0.9/24] gateway []",
	}, shown(endpoints)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{
		"Pod b/elsewhere: network b/deck: its address 10.2.1.8 is not in subnet b/red/app",
		"Pod b/garbage: annotation k8s.v1.cni.cncf.io/network-status: unexpected end of JSON input",
		"Pod b/none: network b/none: VNI 4444: there is no such subnet",
	}, told(problems)); diff != "" {
		t.Error(diff)
	}
}

// A pod in two VPCs is asked about each by the interface that is there, and not about
// itself.
func TestPodInTwoVPCs(t *testing.T) {
	endpoints, _ := matrix.Endpoints(withPods(), 9000, isHost)
	asked := map[string]bool{}
	names := map[matrix.ID]string{}
	for i := range endpoints {
		names[endpoints[i].ID()] = endpoints[i].Place()
	}
	for _, q := range matrix.Questions(endpoints) {
		asked[names[q.From]+" "+names[q.To]] = true
	}
	for pair, want := range map[string]bool{
		"host1/a/web-1/eth0 host2/b/both/net2": true, "host2/b/both/net2 host1/eth1": true, "host1/a/web-1/eth0 host1/eth1": true,
		"host2/b/both/net1 host2/b/both/net2": false, "host2/b/both/net1 host1/a/web-1/eth0": false, "host1/eth1 host2/b/both/net1": false,
	} {
		if asked[pair] != want {
			t.Errorf("%s is asked: %t", pair, asked[pair])
		}
	}
}
