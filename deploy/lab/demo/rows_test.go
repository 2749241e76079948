package demo

import (
	"testing"

	"github.com/switchlet/switchlet/deploy/lab/box"
)

func TestRowsOfSeveralSwitches(t *testing.T) {
	before := rows{"leaf1": box.Rows{"VLAN|Vlan10": {"vlanid": "10"}}, "spine1": box.Rows{}}
	after := rows{"leaf1": box.Rows{"VLAN|Vlan10": {"vlanid": "10"}, "VLAN|Vlan100": {"vlanid": "100"}}, "spine1": box.Rows{}}
	if got, want := after.minus(before).String(), "  leaf1 VLAN|Vlan100 vlanid=\"100\"\n"; got != want {
		t.Errorf("appeared: %q, want %q", got, want)
	}
	if gone := before.minus(after); !gone.empty() {
		t.Errorf("gone: %s, want nothing", gone)
	}
}
