package cabling_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/switchlet/switchlet/deploy/lab/cabling"
)

func TestCablesOfANewLab(t *testing.T) {
	for _, test := range []struct {
		name   string
		fabric cabling.Fabric
		want   []string
	}{
		{"the demonstration", cabling.Fabric{Leaves: 2, Spines: 1, Hosts: 2}, []string{
			"host1/eth1 leaf1/Ethernet0", "host1/eth2 leaf2/Ethernet0",
			"host2/eth1 leaf1/Ethernet4", "host2/eth2 leaf2/Ethernet4",
			"leaf1/Ethernet120 spine1/Ethernet0", "leaf2/Ethernet120 spine1/Ethernet4",
		}},
		{"one leaf", cabling.Fabric{Leaves: 1, Hosts: 2}, []string{
			"host1/eth1 leaf1/Ethernet0", "host1/eth2 leaf1/Ethernet4",
			"host2/eth1 leaf1/Ethernet8", "host2/eth2 leaf1/Ethernet12",
		}},
		{"four spines", cabling.Fabric{Leaves: 1, Spines: 4}, []string{
			"leaf1/Ethernet100 spine4/Ethernet0", "leaf1/Ethernet104 spine3/Ethernet0",
			"leaf1/Ethernet108 spine2/Ethernet0", "leaf1/Ethernet120 spine1/Ethernet0",
		}},
		{"more than two leaves", cabling.Fabric{Leaves: 3, Hosts: 1}, []string{
			"host1/eth1 leaf1/Ethernet0", "host1/eth2 leaf2/Ethernet0",
		}},
		{"a mesh", cabling.Fabric{Leaves: 3, Mesh: true}, []string{
			"leaf1/Ethernet108 leaf3/Ethernet120", "leaf1/Ethernet120 leaf2/Ethernet120", "leaf2/Ethernet108 leaf3/Ethernet108",
		}},
		{"hosts alone", cabling.Fabric{Spines: 1, Hosts: 2}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			cables, err := test.fabric.Cables()
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, c := range cables {
				got = append(got, fmt.Sprint(c.A, " ", c.B))
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("cables (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTooFewPorts(t *testing.T) {
	for _, test := range []struct {
		name   string
		fabric cabling.Fabric
		want   string
	}{
		{"a mesh with a spine", cabling.Fabric{Leaves: 2, Spines: 1, Mesh: true}, "--spines 0"},
		{"leaves", cabling.Fabric{Leaves: 33, Spines: 1}, "no port of spine1 is left for a cable to leaf33/Ethernet120"},
		{"hosts", cabling.Fabric{Leaves: 2, Spines: 1, Hosts: 31}, "leaf1/Ethernet120 would have cables to host31/eth1 and to spine1/Ethernet0"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := test.fabric.Cables()
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("Cables() = %v, want an error with %q", err, test.want)
			}
		})
	}
}

// However large a fabric is: no end has two cables, every NIC has one, and every
// leaf reaches every spine or, in a mesh, every other leaf.
func TestEveryFabricIsWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := cabling.Fabric{Leaves: rapid.IntRange(1, 8).Draw(t, "leaves"), Hosts: rapid.IntRange(0, 10).Draw(t, "hosts")}
		if f.Mesh = rapid.Bool().Draw(t, "mesh"); !f.Mesh {
			f.Spines = rapid.IntRange(0, 8).Draw(t, "spines")
		}
		cables, err := f.Cables()
		if err != nil {
			t.Fatal(err)
		}
		want := f.Leaves*f.Spines + f.Hosts*cabling.NICs
		if f.Mesh {
			want += f.Leaves * (f.Leaves - 1) / 2
		}
		ends, pairs := map[cabling.End]bool{}, map[string]bool{}
		for _, c := range cables {
			ends[c.A], ends[c.B] = true, true
			pairs[c.A.Node+" "+c.B.String()] = true
		}
		if len(cables) != want || len(ends) != 2*want || len(pairs) != want {
			t.Fatalf("%d cables with %d ends, want %d: %v", len(cables), len(ends), want, cables)
		}
	})
}

func TestParseEnd(t *testing.T) {
	if got, err := cabling.ParseEnd("leaf1/Ethernet0"); err != nil || got != (cabling.End{Node: "leaf1", Port: "Ethernet0"}) {
		t.Errorf("ParseEnd() = %v, %v", got, err)
	}
	for _, text := range []string{"", "leaf1", "leaf1/", "/Ethernet0", "leaf1/Ethernet0/1"} {
		if got, err := cabling.ParseEnd(text); err == nil {
			t.Errorf("ParseEnd(%q) = %v, want an error", text, got)
		}
	}
}

func TestEndsAreSortedByNumber(t *testing.T) {
	cables := []cabling.Cable{
		cabling.New(cabling.End{Node: "leaf1", Port: "Ethernet4"}, cabling.End{Node: "host10", Port: "eth1"}),
		cabling.New(cabling.End{Node: "leaf1", Port: "Ethernet0"}, cabling.End{Node: "host2", Port: "eth1"}),
	}
	cabling.Sort(cables)
	if got := cables[0].A.Node; got != "host2" {
		t.Errorf("%s comes first, want host2", got)
	}
}
