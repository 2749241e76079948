package matrix_test

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/deploy/lab/matrix"
)

func vpc(namespace, name string, subnets ...v1alpha1.Subnet) v1alpha1.VPC {
	return v1alpha1.VPC{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}, Spec: v1alpha1.VPCSpec{Subnets: subnets}}
}

func subnet(name string, cidrs ...string) v1alpha1.Subnet {
	return v1alpha1.Subnet{Name: name, CIDRs: cidrs}
}

func attachment(namespace, name, vpc, subnet string, mode v1alpha1.AttachmentMode, places ...v1alpha1.AttachmentPlace) v1alpha1.VPCAttachment {
	return v1alpha1.VPCAttachment{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec:       v1alpha1.VPCAttachmentSpec{VPC: vpc, Subnet: subnet, Mode: mode},
		Status:     v1alpha1.VPCAttachmentStatus{Places: places, PlacesTotal: int32(len(places))},
	}
}

// place reads such as "host1/eth1 leaf1/Ethernet0 101".
func place(text string) v1alpha1.AttachmentPlace {
	var p v1alpha1.AttachmentPlace
	words := strings.Fields(strings.ReplaceAll(text, "/", " "))
	p.Host, p.NIC, p.Switch, p.Port = words[0], words[1], words[2], words[3]
	if _, err := fmt.Sscan(words[4], &p.VLAN); err != nil {
		panic(err)
	}
	return p
}

func isHost(name string) bool { return strings.HasPrefix(name, "host") }

// shown is one line for each endpoint.
func shown(endpoints []matrix.Endpoint) []string {
	var list []string
	for _, e := range endpoints {
		list = append(list, fmt.Sprintf("%s %s/%s vlan %d %v gateway %v", &e, e.Switch, e.Port, e.VLAN, e.Addresses, e.Gateways))
	}
	return list
}

func TestEndpointsOfObjects(t *testing.T) {
	refused := attachment("b", "refused", "red", "app", "", place("host3/eth1 leaf1/Ethernet8 7"))
	refused.Status.Conditions = []metav1.Condition{{Type: v1alpha1.AttachmentAccepted, Status: "False", Reason: "PortConflict", Message: "someone else's"}}
	now := metav1.Now()
	leaving := attachment("b", "leaving", "red", "app", "", place("host4/eth1 leaf1/Ethernet8 7"))
	leaving.DeletionTimestamp = &now
	endpoints, problems := matrix.Endpoints(matrix.Objects{
		VPCs: []v1alpha1.VPC{
			vpc("a", "blue", subnet("web", "10.1.0.0/24", "fd00:1::/64"), v1alpha1.Subnet{Name: "db", CIDRs: []string{"10.1.1.0/29"}, Gateways: []string{"10.1.1.6"}}),
			vpc("b", "red", subnet("app", "10.1.0.0/24")),
			vpc("b", "tiny", subnet("one", "10.9.0.0/30")),
		},
		Attachments: []v1alpha1.VPCAttachment{
			attachment("a", "web", "blue", "web", v1alpha1.ModeTagged, place("host10/eth1 leaf1/Ethernet4 101"), place("host2/eth1 leaf1/Ethernet0 101"), place("host2/eth2 leaf2/Ethernet0 102")),
			attachment("a", "db", "blue", "db", v1alpha1.ModeNative, place("host2/eth1 leaf1/Ethernet0 103")),
			attachment("a", "late", "blue", "db", v1alpha1.ModeTagged, place("host2/eth1 leaf1/Ethernet0 103")),
			attachment("a", "nowhere", "green", "x", "", place("host2/eth1 leaf1/Ethernet0 103")),
			attachment("a", "nothing", "blue", "x", "", place("host2/eth1 leaf1/Ethernet0 103")),
			attachment("b", "app", "red", "app", "", place("host2/eth1 leaf1/Ethernet0 104"), place("host3/eth1 leaf1/Ethernet8 0"), place("server/eth1 leaf1/Ethernet8 1")),
			attachment("b", "tiny", "tiny", "one", "", place("host2/eth1 leaf1/Ethernet0 105"), place("host3/eth1 leaf1/Ethernet0 105")),
			refused, leaving,
		},
	}, 9000, isHost)
	if diff := cmp.Diff([]string{
		"host2/eth1 a/blue/db leaf1/Ethernet0 vlan 0 [10.1.1.1/29] gateway [10.1.1.6]",
		"host2/eth1 a/blue/web leaf1/Ethernet0 vlan 101 [10.1.0.173/24 fd00:1::a915:b6fb/64] gateway [10.1.0.1 fd00:1::1]",
		"host2/eth2 a/blue/web leaf2/Ethernet0 vlan 102 [10.1.0.29/24 fd00:1::b549:7591/64] gateway [10.1.0.1 fd00:1::1]",
		"host10/eth1 a/blue/web leaf1/Ethernet4 vlan 101 [10.1.0.101/24 fd00:1::25f3:be89/64] gateway [10.1.0.1 fd00:1::1]",
		"host2/eth1 b/red/app leaf1/Ethernet0 vlan 104 [10.1.0.174/24] gateway [10.1.0.1]",
		"host2/eth1 b/tiny/one leaf1/Ethernet0 vlan 105 [10.9.0.2/30] gateway [10.9.0.1]",
	}, shown(endpoints)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{
		"VPCAttachment a/late: host2/eth1 a/blue/db is there already, by VPCAttachment a/db",
		"VPCAttachment a/nothing: VPC blue has no subnet x",
		"VPCAttachment a/nowhere: there is no VPC green in namespace a",
		"VPCAttachment b/app: it has no VLAN yet on leaf1/Ethernet8",
		"VPCAttachment b/app: server is no host that packets can be sent from",
		"VPCAttachment b/refused: it was not accepted: PortConflict: someone else's",
		"VPC b/tiny: subnet one: 10.9.0.0/30 has no address left for host3/eth1",
	}, told(problems)); diff != "" {
		t.Error(diff)
	}
}

// Endpoints keep their addresses whoever else comes and goes, in all but the rare case
// that two want the same one; nobody has a gateway's, a network's or a broadcast's.
func TestAddresses(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		bits := rapid.IntRange(20, 30).Draw(t, "bits")
		four := netip.PrefixFrom(netip.MustParseAddr("10.1.0.0"), bits)
		six := netip.PrefixFrom(netip.MustParseAddr("fd00:1::"), rapid.IntRange(32, 126).Draw(t, "bits of IPv6"))
		hosts := rapid.IntRange(1, 40).Draw(t, "hosts")
		var objects matrix.Objects
		for _, tenant := range []string{"a", "b"} {
			objects.VPCs = append(objects.VPCs, vpc(tenant, "v", subnet("s", four.String(), six.String())))
			var places []v1alpha1.AttachmentPlace
			for n := range hosts {
				places = append(places, place(fmt.Sprintf("host%d/eth1 leaf1/Ethernet0 101", n)))
			}
			objects.Attachments = append(objects.Attachments, attachment(tenant, "v", "v", "s", "", places...))
		}
		endpoints, problems := matrix.Endpoints(objects, 9000, isHost)
		room := min(1<<(32-bits)-3, 1<<min(128-six.Bits(), 32)-2) // without network, gateway and, in IPv4, broadcast
		if want := 2 * min(hosts, room); len(endpoints) != want || len(endpoints)+len(problems) != 2*hosts {
			t.Fatalf("%d endpoints, %d problems, wanted %d", len(endpoints), len(problems), want)
		}
		inVPC, anywhere := map[string]bool{}, map[netip.Addr]bool{}
		last := netip.AddrFrom4([4]byte{10, 1, byte(^uint32(0) >> bits >> 8), byte(^uint32(0) >> bits)})
		for _, e := range endpoints {
			e.Namespace = "/proc/1/ns/net"
			if err := e.Check(); err != nil {
				t.Fatal(err)
			}
			for i, p := range []netip.Prefix{four, six} {
				a := e.Addresses[i].Addr()
				if !p.Contains(a) || a == p.Addr() || a == e.Gateways[i] || a == last || inVPC[e.VPC+a.String()] {
					t.Fatalf("%s: address %s of %s", &e, a, p)
				}
				if anywhere[a] && 2*hosts <= room {
					t.Fatalf("%s: address %s is in another VPC too, though there is room", &e, a)
				}
				inVPC[e.VPC+a.String()], anywhere[a] = true, true
			}
		}
	})
}

// endpoints draws some, of a few VPCs and subnets.
func endpoints(t *rapid.T) []matrix.Endpoint {
	list := rapid.SliceOfNDistinct(rapid.Custom(func(t *rapid.T) matrix.Endpoint {
		return matrix.Endpoint{
			Host: rapid.SampledFrom([]string{"host1", "host2", "host3"}).Draw(t, "host"), NIC: rapid.SampledFrom([]string{"eth1", "eth2"}).Draw(t, "nic"),
			VPC: rapid.SampledFrom([]string{"a/blue", "a/red", "b/blue"}).Draw(t, "vpc"), Subnet: rapid.SampledFrom([]string{"web", "db"}).Draw(t, "subnet"),
		}
	}), 0, 12, func(e matrix.Endpoint) matrix.ID { return e.ID() }).Draw(t, "endpoints")
	return list
}

// Who reaches whom is the same both ways, and what is in one VPC is all that is.
func TestExpectation(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := endpoints(t)
		expect := matrix.VPCRules().Expect(list)
		for _, a := range list {
			for _, b := range list {
				want := a.VPC == b.VPC && (a.Host != b.Host || a.NIC != b.NIC || a.Subnet != b.Subnet)
				if got := expect[matrix.Pair{From: a.ID(), To: b.ID()}]; got != want {
					t.Fatalf("%s reaches %s: %v", &a, &b, got)
				}
			}
		}
	})
}

// A peering lets two VPCs reach each other, an isolated subnet is reached by itself only:
// each is a rule before the others, and changes the pairs that it speaks of alone.
func TestRulesAreAdded(t *testing.T) {
	peering := func(from, to *matrix.Endpoint) matrix.Verdict {
		if names := []string{from.VPC, to.VPC}; slices.Contains(names, "a/blue") && slices.Contains(names, "a/red") {
			return matrix.Reach
		}
		return matrix.Unsaid
	}
	isolated := func(from, to *matrix.Endpoint) matrix.Verdict {
		if from.Segment() != to.Segment() && (from.Subnet == "db" || to.Subnet == "db") {
			return matrix.Apart
		}
		return matrix.Unsaid
	}
	rapid.Check(t, func(t *rapid.T) {
		list := endpoints(t)
		expect := append(matrix.Rules{isolated, peering}, matrix.VPCRules()...).Expect(list)
		for i := range list {
			for j := range list {
				a, b := &list[i], &list[j]
				together := a.VPC == b.VPC || a.VPC != "b/blue" && b.VPC != "b/blue"
				want := i != j && together && (a.Segment() == b.Segment() || a.Subnet != "db" && b.Subnet != "db")
				if got := expect[matrix.Pair{From: a.ID(), To: b.ID()}]; got != want {
					t.Fatalf("%s reaches %s: %v", a, b, got)
				}
			}
		}
	})
}

// What is sent to another process comes out as it was.
func TestEndpointAsJSON(t *testing.T) {
	list, _ := matrix.Endpoints(matrix.Objects{
		VPCs:        []v1alpha1.VPC{vpc("a", "blue", subnet("web", "10.1.0.0/24", "fd00:1::/64"))},
		Attachments: []v1alpha1.VPCAttachment{attachment("a", "web", "blue", "web", "", place("host1/eth1 leaf1/Ethernet0 101"))},
	}, 9000, isHost)
	text, err := json.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	var back []matrix.Endpoint
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(list, back, cmp.Comparer(func(a, b netip.Prefix) bool { return a == b }), cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
		t.Error(diff)
	}
}

func TestWrongEndpoints(t *testing.T) {
	good := matrix.Endpoint{Host: "host1", NIC: "eth1", Namespace: "/ns", VPC: "a/blue", Subnet: "web", MTU: 1500, Addresses: []netip.Prefix{netip.MustParsePrefix("10.1.0.5/24")}}
	if err := good.Check(); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(*matrix.Endpoint){
		"nic is empty": func(e *matrix.Endpoint) { e.NIC = "" },
		"vlan 4095":    func(e *matrix.Endpoint) { e.VLAN = 4095 },
		"mtu 100":      func(e *matrix.Endpoint) { e.MTU = 100 },
		"addresses []": func(e *matrix.Endpoint) { e.Addresses = nil },
		"addresses [10.1.0.5/24 10.1.0.6/24]": func(e *matrix.Endpoint) {
			e.Addresses = append(slices.Clone(e.Addresses), netip.MustParsePrefix("10.1.0.6/24"))
		},
		"gateways [invalid IP]": func(e *matrix.Endpoint) { e.Gateways = []netip.Addr{{}} },
	} {
		e := good
		change(&e)
		if err := e.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, wanted %q", err, want)
		}
	}
}

// told are problems as people read them.
func told(problems []matrix.Problem) []string {
	var all []string
	for _, p := range problems {
		all = append(all, p.String())
	}
	return all
}
