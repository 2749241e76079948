package dataplane

import (
	"testing"

	"github.com/vishvananda/netlink"
)

// A link that somebody switches off stays off, until its port's admin_status changes or
// another cable is plugged in.
func TestLinksStayAsTheyAreSwitched(t *testing.T) {
	const port = "Ethernet0"
	seen := func(index int, up bool) *picture {
		return &picture{
			devices: Devices{port: {Kind: Port, Up: up, MTU: defaultMTU}},
			links:   map[string]netlink.Link{port: &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: port, Index: index}}},
		}
	}
	want := func(up bool) Devices { return Devices{port: {Kind: Port, Up: up, MTU: defaultMTU}} }
	before := seen(7, true).switched(want(true))
	for _, test := range []struct {
		name   string
		have   *picture
		before map[string]switched
		want   Devices
		steps  int
	}{
		{"at first it is switched on", seen(7, false), nil, want(true), 1},
		{"somebody has switched it off", seen(7, false), before, want(true), 0},
		{"admin_status is down now", seen(7, true), before, want(false), 1},
		{"both", seen(7, false), before, want(false), 0},
		{"a cable was plugged in", seen(8, false), before, want(true), 1},
		{"nothing has changed", seen(7, true), before, want(true), 0},
	} {
		test.have.leave(test.before, test.want)
		if steps := Diff(test.have.devices, test.want); len(steps) != test.steps {
			t.Errorf("%s: steps are %s, want %d", test.name, commands(steps), test.steps)
		}
	}
}
