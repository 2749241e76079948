package matrix_test

import (
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/deploy/lab/matrix"
)

// peering is one side that the controller has accepted, or not.
func peering(vpc, peer string, accepted metav1.ConditionStatus, subnets ...string) v1alpha1.VPCPeering {
	var p v1alpha1.VPCPeering
	p.Namespace, p.Spec.VPC, _ = strings.Cut(vpc, "/")
	p.Spec.Peer.Namespace, p.Spec.Peer.Name, _ = strings.Cut(peer, "/")
	p.Spec.Subnets = subnets
	p.Status.Conditions = []metav1.Condition{{Type: v1alpha1.PeeringAccepted, Status: accepted}}
	return p
}

func isolated(s v1alpha1.Subnet) v1alpha1.Subnet {
	s.Isolated = true
	return s
}

// Who reaches whom follows from the objects: within VPC a/blue, and between it and a/red,
// which peer; b/blue has consented alone, and c/white is no peer of a/red by way of a/blue.
func TestWhoReachesWhom(t *testing.T) {
	rules := matrix.Objects{
		VPCs: []v1alpha1.VPC{
			vpc("a", "blue", subnet("web", "10.1.0.0/24"), subnet("db", "10.1.1.0/24"), isolated(subnet("lab", "10.1.2.0/24"))),
			vpc("a", "red", subnet("web", "10.2.0.0/24"), subnet("db", "10.2.1.0/24")), vpc("b", "blue", subnet("web", "10.3.0.0/24")), vpc("c", "white", subnet("web", "10.4.0.0/24")),
		},
		Peerings: []v1alpha1.VPCPeering{
			peering("a/blue", "a/red", "True", "web"), peering("a/red", "a/blue", "True"),
			peering("b/blue", "a/blue", "False"), peering("a/blue", "c/white", "True"), peering("c/white", "a/blue", "True"),
		},
	}.Rules()
	at := func(segment string) *matrix.Endpoint {
		i := strings.LastIndex(segment, "/")
		return &matrix.Endpoint{Host: "host1", NIC: segment, VPC: segment[:i], Subnet: segment[i+1:]}
	}
	all := []string{"a/blue/web", "a/blue/db", "a/blue/lab", "a/red/web", "a/red/db", "b/blue/web", "c/white/web"}
	reach := map[string][]string{
		"a/blue/web":  {"a/blue/web", "a/blue/db", "a/red/web", "a/red/db", "c/white/web"},
		"a/blue/db":   {"a/blue/web", "a/blue/db", "c/white/web"},
		"a/blue/lab":  {"a/blue/lab"},
		"a/red/web":   {"a/red/web", "a/red/db", "a/blue/web"},
		"a/red/db":    {"a/red/web", "a/red/db", "a/blue/web"},
		"b/blue/web":  {"b/blue/web"},
		"c/white/web": {"c/white/web", "a/blue/web", "a/blue/db"},
	}
	for _, from := range all {
		for _, to := range all {
			if got := rules.Reaches(at(from), at(to)); got != slices.Contains(reach[from], to) {
				t.Errorf("%s reaches %s: %v", from, to, got)
			}
		}
	}
	expect := rules.Expect([]matrix.Endpoint{*at("a/blue/db"), *at("a/red/web")})
	pair := matrix.Pair{From: at("a/blue/db").ID(), To: at("a/red/web").ID()}
	if reach, said := expect[pair]; reach || !said || len(expect) != 1 {
		t.Errorf("what is not shown sends: %v", expect)
	}
	seen := func(seen matrix.Seen) int {
		r := matrix.Compare([]matrix.Endpoint{*at("a/blue/db"), *at("a/red/web")}, expect, []matrix.Observation{{Question: matrix.Question{Pair: pair}, Seen: seen}})
		return len(r.Differences)
	}
	if seen(matrix.Arrived) != 0 || seen(matrix.Nothing) != 0 || seen(matrix.Answered) != 1 {
		t.Error("packets of what is not shown may come, and answers must not")
	}
}

// Whatever peers: who reaches whom is the same both ways, and what is isolated reaches
// nobody outside.
func TestReachIsMutual(t *testing.T) {
	names := []string{"a/blue", "a/red", "b/blue"}
	rapid.Check(t, func(t *rapid.T) {
		var o matrix.Objects
		for _, name := range names {
			namespace, name, _ := strings.Cut(name, "/")
			db := subnet("db", "10.1.1.0/24")
			db.Isolated = rapid.Bool().Draw(t, "isolated")
			o.VPCs = append(o.VPCs, vpc(namespace, name, subnet("web", "10.1.0.0/24"), db))
		}
		for range rapid.IntRange(0, 6).Draw(t, "peerings") {
			shown := rapid.SampledFrom([][]string{nil, {"web"}, {"db"}}).Draw(t, "shown")
			status := rapid.SampledFrom([]metav1.ConditionStatus{"True", "False"}).Draw(t, "accepted")
			o.Peerings = append(o.Peerings, peering(rapid.SampledFrom(names).Draw(t, "vpc"), rapid.SampledFrom(names).Draw(t, "peer"), status, shown...))
		}
		list, rules := endpoints(t), o.Rules()
		for i := range list {
			for j := range list {
				a, b := &list[i], &list[j]
				if rules.Reaches(a, b) != rules.Reaches(b, a) {
					t.Fatalf("%s reaches %s: %v; back: %v", a, b, rules.Reaches(a, b), rules.Reaches(b, a))
				}
				k := slices.Index(names, a.VPC)
				if a.Subnet == "db" && o.VPCs[k].Spec.Subnets[1].Isolated && a.Segment() != b.Segment() && rules.Reaches(a, b) {
					t.Fatalf("%s is isolated and reaches %s", a, b)
				}
			}
		}
	})
}
