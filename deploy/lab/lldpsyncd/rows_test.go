package lldpsyncd

import (
	"maps"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/switchlet/switchlet/deploy/lab/lldpcli"
)

// What a real lldpd said of a spine, as SONiC has it in APPL_DB.
func TestRowOfARealNeighbor(t *testing.T) {
	file, err := os.Open("../lldpcli/testdata/neighbors.json")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	neighbors, err := lldpcli.DecodeInterfaces(file)
	if err != nil {
		t.Fatal(err)
	}
	want := Rows{"LLDP_ENTRY_TABLE:Ethernet124": {
		"lldp_rem_port_id_subtype":    "7",
		"lldp_rem_port_id":            "Eth1",
		"lldp_rem_port_desc":          "Ethernet0",
		"lldp_rem_chassis_id_subtype": "4",
		"lldp_rem_chassis_id":         "52:54:00:5c:00:03",
		"lldp_rem_sys_name":           "spine1",
		"lldp_rem_sys_desc":           "SONiC Software Version: SONiC.202505.0-lab - HwSku: Accton-AS7726-32X - Distribution: Debian 12.10 - Kernel: 6.1.0-29-2-amd64",
		"lldp_rem_man_addr":           "198.18.0.12",
		"lldp_rem_time_mark":          "105",
		"lldp_rem_index":              "1",
		"lldp_rem_sys_cap_supported":  "39 00",
		"lldp_rem_sys_cap_enabled":    "28 00",
	}}
	if diff := cmp.Diff(want, rowsOf(neighbors)); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}

func neighbor(port, id string) lldpcli.Interface {
	return lldpcli.Interface{Name: port, RID: "1", Chassis: lldpcli.Chassis{ID: lldpcli.ID{Type: "mac", Value: id}, Name: id}}
}

func TestWhichNeighborsHaveRows(t *testing.T) {
	rows := rowsOf([]lldpcli.Interface{
		neighbor("Ethernet0", "first"), neighbor("Ethernet0", "last"), neighbor("Ethernet-BP0", "b"), neighbor("eth0", "m"),
		neighbor("PortChannel0001", "x"), neighbor("Ethernet0.100", "x"), neighbor("docker0", "x"), neighbor("", "x"),
	})
	got := map[string]string{}
	for key, row := range rows {
		got[key] = row["lldp_rem_sys_name"]
	}
	want := map[string]string{"LLDP_ENTRY_TABLE:Ethernet0": "last", "LLDP_ENTRY_TABLE:Ethernet-BP0": "b", "LLDP_ENTRY_TABLE:eth0": "m"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}

func TestSubtypesAndCapabilities(t *testing.T) {
	n := neighbor("Ethernet0", "host1")
	n.Age = 90 * time.Minute
	n.Port.ID = lldpcli.ID{Type: "mac", Value: "52:54:01:00:00:01"}
	n.Chassis.Management = []string{"198.18.0.13", "fe80::1"}
	n.Chassis.Capabilities = []lldpcli.Capability{{Type: "Station", Enabled: true}, {Type: "Tel"}, {Type: "C-VLAN", Enabled: true}}
	row := entry(n)
	for field, want := range map[string]string{
		"lldp_rem_port_id_subtype": "3", "lldp_rem_time_mark": "5400", "lldp_rem_man_addr": "198.18.0.13,fe80::1",
		"lldp_rem_sys_cap_supported": "05 00", "lldp_rem_sys_cap_enabled": "01 00",
	} {
		if row[field] != want {
			t.Errorf("%s = %q, want %q", field, row[field], want)
		}
	}
	n.Chassis.ID.Type, n.Chassis.Capabilities = "unhandled", nil
	for field, value := range entry(n) {
		if value != "" && (field == "lldp_rem_sys_name" || field == "lldp_rem_chassis_id" || field == "lldp_rem_sys_cap_enabled") {
			t.Errorf("a chassis id of a kind that is not known: %s = %q, want it empty", field, value)
		}
	}
}

func TestWhatIsWritten(t *testing.T) {
	row := func(name, age string) map[string]string {
		return map[string]string{"lldp_rem_sys_name": name, timeMark: age}
	}
	for _, test := range []struct {
		name       string
		have, want Rows
		changes    []change
	}{
		{"nothing", Rows{"a": row("spine1", "1")}, Rows{"a": row("spine1", "1")}, nil},
		{"comes", Rows{}, Rows{"a": row("spine1", "1")}, []change{{key: "a", set: row("spine1", "1")}}},
		{"goes", Rows{"a": row("spine1", "1")}, Rows{}, []change{{key: "a", delete: true}}},
		{"only gets older", Rows{"a": row("spine1", "1")}, Rows{"a": row("spine1", "11")},
			[]change{{key: "a", set: map[string]string{timeMark: "11"}}}},
		{"is another one", Rows{"a": row("spine1", "1")}, Rows{"a": row("spine2", "0")},
			[]change{{key: "a", delete: true, set: row("spine2", "0")}}},
		{"gets older while another one comes", Rows{"a": row("spine1", "1")}, Rows{"a": row("spine1", "11"), "b": row("spine2", "0")},
			[]change{{key: "a", delete: true, set: row("spine1", "11")}, {key: "b", set: row("spine2", "0")}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.changes, changes(test.have, test.want), cmp.AllowUnexported(change{})); diff != "" {
				t.Errorf("changes (-want +got):\n%s", diff)
			}
		})
	}
}

// Whatever was there, what is wanted is there afterwards.
func TestChangesLeadToWhatIsWanted(t *testing.T) {
	rows := rapid.MapOf(rapid.SampledFrom([]string{"a", "b", "c"}), rapid.MapOfN(
		rapid.SampledFrom([]string{"name", timeMark, "index"}), rapid.SampledFrom([]string{"", "1", "2"}), 1, 3))
	rapid.Check(t, func(t *rapid.T) {
		have, want := Rows(rows.Draw(t, "have")), Rows(rows.Draw(t, "want"))
		got := Rows{}
		for key, row := range have {
			got[key] = maps.Clone(row)
		}
		for _, c := range changes(have, want) {
			if c.delete {
				delete(got, c.key)
			}
			if len(c.set) > 0 && got[c.key] == nil {
				got[c.key] = map[string]string{}
			}
			maps.Copy(got[c.key], c.set)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("after %d changes (-want +got):\n%s", len(changes(have, want)), diff)
		}
		if again := changes(got, want); len(again) > 0 {
			t.Fatalf("a second time there is something to do: %v", again)
		}
	})
}
