package neighbors

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/switchlet/switchlet/api/neighbor"
	"github.com/switchlet/switchlet/api/v1alpha1"
)

// row is one of LLDP_ENTRY_TABLE, as lldp_syncd writes it.
func row(chassisSubtype, chassis, portSubtype, port, description, name string) map[string]string {
	return map[string]string{
		remChassisSubtype: chassisSubtype, remChassis: chassis, remPortSubtype: portSubtype, remPort: port,
		remPortDescription: description, remSystemName: name,
		"lldp_rem_sys_desc": "SONiC Software Version", "lldp_rem_time_mark": "12", "lldp_rem_index": "1", "lldp_rem_man_addr": "10.250.0.11,fe80::1",
	}
}

func TestEntries(t *testing.T) {
	for name, test := range map[string]struct {
		row  map[string]string
		want v1alpha1.LLDPNeighbor // zero: nobody
	}{
		"a SONiC switch": {
			row("4", "52:54:00:5C:00:0B", "7", "Eth1/1", "Ethernet0", "spine1"),
			v1alpha1.LLDPNeighbor{ChassisIDSubtype: "MACAddress", ChassisID: "52:54:00:5c:00:0b", PortIDSubtype: "Local", PortID: "Eth1/1", PortDescription: "Ethernet0", SystemName: "spine1"},
		},
		"a server with lldpd": {
			row("4", "0c:42:a1:00:00:01", "3", "0C-42-A1-00-00-02", "enp1s0f0", "node1.example.org"),
			v1alpha1.LLDPNeighbor{ChassisIDSubtype: "MACAddress", ChassisID: "0c:42:a1:00:00:01", PortIDSubtype: "MACAddress", PortID: "0c:42:a1:00:00:02", PortDescription: "enp1s0f0", SystemName: "node1.example.org"},
		},
		"a host's agent": {
			row("7", "node1", "5", "eth1", "", "node1"),
			v1alpha1.LLDPNeighbor{ChassisIDSubtype: "Local", ChassisID: "node1", PortIDSubtype: "InterfaceName", PortID: "eth1", SystemName: "node1"},
		},
		"addresses": {
			row("5", "2001:0DB8::0001", "4", "10.0.0.1", "", ""),
			v1alpha1.LLDPNeighbor{ChassisIDSubtype: "NetworkAddress", ChassisID: "2001:db8::1", PortIDSubtype: "NetworkAddress", PortID: "10.0.0.1"},
		},
		"reserved subtypes": {
			row("9", "x", "0", "y", "", ""),
			v1alpha1.LLDPNeighbor{ChassisID: "x", PortID: "y"},
		},
		"what cannot be shown": {
			row("7", "a\x00b\x1b[31mc", "7", "\u202eevil\n", "\xff\xfe", "  \tname\u2028 "),
			v1alpha1.LLDPNeighbor{ChassisIDSubtype: "Local", ChassisID: "ab[31mc", PortIDSubtype: "Local", PortID: "evil", SystemName: "name"},
		},
		"too long, cut between characters": {
			row("7", strings.Repeat("ä", 200), "7", "p", strings.Repeat("d", 1<<20), ""),
			v1alpha1.LLDPNeighbor{ChassisIDSubtype: "Local", ChassisID: strings.Repeat("ä", 127), PortIDSubtype: "Local", PortID: "p", PortDescription: strings.Repeat("d", 255)},
		},
		"no row":                      {row: nil},
		"half a row":                  {row: map[string]string{remPortSubtype: "7", remPort: "etp1", remChassisSubtype: "4"}},
		"a row without port subtype":  {row: map[string]string{remPort: "etp1", remChassisSubtype: "4", remChassis: "00:00:00:00:00:01"}},
		"an id that cannot be shown":  {row: row("7", "\x01\x02", "7", "etp1", "", "")},
		"what lldp_syncd cannot tell": {row: row("", "", "", "", "", "")},
	} {
		t.Run(name, func(t *testing.T) {
			got, ok := parseEntry("Ethernet0", test.row)
			if ok != (test.want != v1alpha1.LLDPNeighbor{}) {
				t.Fatalf("heard is %v: %v", ok, got)
			}
			test.want.Port = "Ethernet0"
			if diff := cmp.Diff(test.want, got); ok && diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// A port whose name does not fit the API would make the API server refuse the
// status as a whole.
func TestEntriesOfUnfitPorts(t *testing.T) {
	for _, port := range []string{"", strings.Repeat("E", 16), "Ethernet\n0"} {
		if n, ok := parseEntry(port, row("7", "a", "7", "b", "", "")); ok {
			t.Errorf("port %q: %v", port, n)
		}
	}
}

// Whatever is in a row, what is made of it fits the API.
func FuzzEntry(f *testing.F) {
	f.Add("4", "52:54:00:5c:00:0b", "7", "Eth1/1", "Ethernet0", "spine1")
	f.Add("7", "a\x00\xff", "1", "\u202e", strings.Repeat("é", 300), "\n")
	f.Add("5", "fe80::1%eth0", "3", "0000.5e00.5301", "", "")
	f.Fuzz(func(t *testing.T, chassisSubtype, chassis, portSubtype, port, description, name string) {
		n, ok := parseEntry("Ethernet0", row(chassisSubtype, chassis, portSubtype, port, description, name))
		if !ok {
			return
		}
		if n.ChassisID == "" || n.PortID == "" {
			t.Errorf("nobody: %+v", n)
		}
		for _, text := range []string{n.ChassisID, n.PortID, n.PortDescription, n.SystemName} {
			if len(text) > 255 || !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) || text != neighbor.Text(text) {
				t.Errorf("%q does not fit", text)
			}
		}
		if again, ok := neighbor.Fit(n); !ok || again != n {
			t.Errorf("%+v becomes %+v", n, again)
		}
	})
}
