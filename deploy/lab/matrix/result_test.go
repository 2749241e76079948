package matrix_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/deploy/lab/labtest/golden"
	"github.com/switchlet/switchlet/deploy/lab/matrix"
)

// tenants are two VPCs; blue has IPv6, red has not.
func tenants(t *testing.T) []matrix.Endpoint {
	t.Helper()
	list, problems := matrix.Endpoints(matrix.Objects{
		VPCs: []v1alpha1.VPC{vpc("a", "blue", subnet("web", "10.1.0.0/24", "fd00:1::/64"), subnet("db", "10.1.1.0/24")), vpc("b", "red", subnet("app", "10.1.0.0/24"))},
		Attachments: []v1alpha1.VPCAttachment{
			attachment("a", "web", "blue", "web", "", place("host1/eth1 leaf1/Ethernet0 101"), place("host2/eth1 leaf1/Ethernet4 101")),
			attachment("a", "db", "blue", "db", "", place("host10/eth1 leaf2/Ethernet0 102")),
			attachment("b", "app", "red", "app", "", place("host1/eth1 leaf1/Ethernet0 103"), place("host2/eth2 leaf2/Ethernet4 103")),
		},
	}, 9000, isHost)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return list
}

// seen are observations of what is expected, but for what change says of a pair such as
// "host1/eth1 a/blue/web → host2/eth1 a/blue/web".
func seen(list []matrix.Endpoint, change func(pair string, q matrix.Question) (matrix.Seen, bool)) []matrix.Observation {
	names := map[matrix.ID]string{}
	for _, e := range list {
		names[e.ID()] = e.String()
	}
	expect := matrix.VPCRules().Expect(list)
	var all []matrix.Observation
	for _, q := range matrix.Questions(list) {
		o := matrix.Observation{Question: q}
		if expect[q.Pair] {
			o.Seen, o.Took = matrix.Answered, 3*time.Millisecond
		}
		if s, changed := change(names[q.From]+" → "+names[q.To], q); changed {
			o.Seen = s
		}
		all = append(all, o)
	}
	return all
}

// The table and the lines below it, as a person sees them; colours as their numbers.
func TestTable(t *testing.T) {
	list := tenants(t)
	for name, change := range map[string]func(string, matrix.Question) (matrix.Seen, bool){
		"as-expected": func(string, matrix.Question) (matrix.Seen, bool) { return 0, false },
		"differences": func(pair string, q matrix.Question) (matrix.Seen, bool) {
			switch pair {
			case "host1/eth1 a/blue/web → host2/eth1 a/blue/web":
				return matrix.Nothing, q.Full && q.IPv6
			case "host10/eth1 a/blue/db → host1/eth1 a/blue/web":
				return matrix.Nothing, true
			case "host2/eth1 a/blue/web → host10/eth1 a/blue/db":
				return matrix.Arrived, q.Protocol == matrix.UDP
			case "host1/eth1 b/red/app → host1/eth1 a/blue/web":
				return matrix.Answered, true
			case "host2/eth2 b/red/app → host10/eth1 a/blue/db":
				return matrix.Arrived, q.Protocol == matrix.UDP && !q.Full
			}
			return 0, false
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := matrix.Compare(list, matrix.VPCRules().Expect(list), seen(list, change))
			got := txtar.Format(&txtar.Archive{Files: []txtar.File{
				{Name: "table", Data: []byte(r.Table(false))},
				{Name: "colour", Data: []byte(strings.ReplaceAll(r.Table(true), "\x1b[", "^["))},
				{Name: "lines", Data: []byte(strings.Join(append(r.Lines(), ""), "\n"))},
			}})
			golden.File(t, filepath.Join("testdata", name+".txtar"), got)
		})
	}
}

// Everyone asks everyone by each protocol, in both sizes, over what both have.
func TestQuestions(t *testing.T) {
	list := tenants(t)
	count := map[bool]int{}
	for _, q := range matrix.Questions(list) {
		count[q.IPv6]++
	}
	// 5 endpoints with IPv4, two of them with IPv6; three protocols, two sizes.
	if count[false] != 5*4*6 || count[true] != 2*1*6 {
		t.Errorf("questions by IPv6: %v", count)
	}
}

// Who shares an address with one of the asker's own VPC is not asked by ICMP.
func TestAmbiguousAddress(t *testing.T) {
	list := tenants(t)
	blue, red := &list[1], &list[3]
	red.Addresses = blue.Addresses[:1]
	for _, q := range matrix.Questions(list) {
		if q.Protocol == matrix.ICMP && (q.To == red.ID() && q.From == list[0].ID() || q.To == blue.ID() && q.From == list[4].ID() && !q.IPv6) {
			t.Errorf("%+v", q)
		}
	}
}
