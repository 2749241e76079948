package dataplane

import (
	"cmp"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/switchlet/switchlet/deploy/lab/swss"
)

// Rows are what SONiC's daemons have in a database, by key.
type Rows = map[string]swss.Row

// tables are rows by table.
type tables struct {
	appl  map[string]Rows
	state Rows
}

func newTables(appl, state Rows) tables {
	t := tables{map[string]Rows{}, state}
	for key, row := range appl {
		table, name, _ := strings.Cut(key, ":")
		if t.appl[table] == nil {
			t.appl[table] = Rows{}
		}
		t.appl[table][name] = row
	}
	return t
}

// done reports whether a daemon has a row in STATE_DB.
func (t tables) done(table string, name ...string) bool {
	_, ok := t.state[table+"|"+strings.Join(name, "|")]
	return ok
}

// vlan is the id of a VLAN that forwards, by its name.
func (t tables) vlan(name string) (int, bool) {
	digits, _ := strings.CutPrefix(name, "Vlan")
	id, _ := strconv.Atoi(digits)
	_, taken := t.appl["VLAN_TABLE"][name]
	return id, name == fmt.Sprintf("Vlan%d", id) && id > 0 && id < 4095 && taken && t.done("VLAN_TABLE", name)
}

// vrf reports whether a VRF forwards: vrfmgrd and orchagent both have it.
func (t tables) vrf(name string) bool {
	return t.done("VRF_TABLE", name) && t.done("VRF_OBJECT_TABLE", name)
}

// mtu is a field of bytes.
func mtu(row swss.Row) int {
	n, err := strconv.Atoi(row["mtu"])
	if err != nil || n <= 0 {
		return defaultMTU
	}
	return n
}

func up(row swss.Row, otherwise string) bool { return cmp.Or(row["admin_status"], otherwise) == "up" }

// prefix is an address with prefix length in the kernel's form.
func prefix(text string) (netip.Prefix, bool) {
	p, err := netip.ParsePrefix(text)
	return p, err == nil && p.Addr().Zone() == ""
}
