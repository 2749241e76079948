package dataplane

import (
	"fmt"
	"maps"
	"net/netip"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// From any devices to any others: what is right is left alone, nothing is anywhere
// that it neither was nor is to be, nothing routes outside of its VRF, and in the end
// all is as wanted.
func TestDiffIsolatesFirst(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		before, want := someDevices(t, "before"), someDevices(t, "want")
		have := Devices{}
		reach(t, have, before)
		start := maps.Clone(have)
		steps := Diff(have, want)
		for _, step := range steps {
			if same(start[step.Name], settled(start, want)[step.Name]) {
				t.Fatalf("%s: %s was right", step, step.Name)
			}
			if err := simulate(have, step); err != nil {
				t.Fatalf("%v\nafter %v", err, steps)
			}
			for name, d := range have {
				if problem := astray(start[name], want[name], d); problem != "" {
					t.Fatalf("after %s: %s: %s\nwas  %v\nis   %v\nwant %v", step, name, problem, start[name], d, want[name])
				}
			}
		}
		if rest := Diff(have, want); len(rest) > 0 {
			t.Fatalf("left to do: %v", rest)
		}
	})
}

// reach makes ports with cables and everything else as wanted.
func reach(t *rapid.T, have, want Devices) {
	for name, d := range want {
		if d.Kind == Port {
			have[name] = Device{Kind: Port, MTU: 1500, halfRouted: true}
		}
	}
	for _, step := range Diff(have, want) {
		if err := simulate(have, step); err != nil {
			t.Fatal(err)
		}
	}
}

// same reports whether a device is as it is to be.
func same(have, want Device) bool {
	for _, d := range []*Device{&have, &want} {
		if len(d.VLANs) == 0 {
			d.VLANs = nil
		}
		if len(d.Stations) == 0 {
			d.Stations = nil
		}
		if len(d.Addresses) == 0 {
			d.Addresses = nil
		}
	}
	if want.MAC == "" {
		have.MAC = ""
	}
	return reflect.DeepEqual(have, want)
}

// astray is what is wrong with a device on its way, or "".
func astray(was, want, is Device) string {
	if is.Routed && is.Master != was.Master && is.Master != want.Master {
		return "it routes in a VRF that it neither was in nor is to be in"
	}
	for id := range is.VLANs {
		_, old := was.VLANs[id]
		_, coming := want.VLANs[id]
		if !old && !coming {
			return fmt.Sprintf("it is in VLAN %d", id)
		}
	}
	for _, address := range is.Addresses {
		old := is.Master == was.Master && slices.Contains(was.Addresses, address)
		if !old && (is.Master != want.Master || !slices.Contains(want.Addresses, address)) {
			return fmt.Sprintf("it has %v where that does not belong", address)
		}
	}
	return ""
}

// someDevices are some of a small number of devices that fit together.
func someDevices(t *rapid.T, label string) Devices {
	some := func(what string) bool { return rapid.Bool().Draw(t, label+" "+what) }
	all := Devices{}
	if !some("daemons") {
		return all
	}
	b := Device{Kind: Bridge, Up: true, MTU: 9100, MAC: mac, VLANs: map[int]bool{}, Stations: map[int]string{}}
	vrfs := []string{""}
	for _, name := range []string{"Vrf1", "Vrf2"} {
		if some(name) {
			all[name] = Device{Kind: VRF, Up: true, Routed: true}
			vrfs = append(vrfs, name)
		}
	}
	var vlans []int
	for _, id := range []int{100, 200} {
		if some(fmt.Sprint("VLAN ", id)) {
			vlans = append(vlans, id)
			d := routable(t, label, Device{Kind: VLAN, ID: id, Up: some("up"), MTU: 9100, MAC: rapid.SampledFrom([]string{mac, "00:00:5e:00:01:01"}).Draw(t, "MAC")}, vrfs)
			all[fmt.Sprint("Vlan", id)] = d
			if b.VLANs[id] = false; d.MAC != mac {
				b.Stations[id] = d.MAC
			}
			if some("map") {
				all[fmt.Sprint("vtep-", id)] = Device{
					Kind: VXLAN, ID: rapid.SampledFrom([]int{id, id + 1}).Draw(t, "VNI"), Local: netip.MustParseAddr("10.255.0.1"),
					Up: true, MTU: 9050, Master: bridge, VLANs: map[int]bool{id: true},
				}
			}
		}
	}
	all[bridge] = b
	for _, name := range []string{"Ethernet0", "Ethernet4"} {
		d := Device{Kind: Port, Up: some("up"), MTU: rapid.SampledFrom([]int{1500, 9100}).Draw(t, "MTU")}
		if len(vlans) > 0 && some("bridged") {
			d.Master, d.Learns, d.VLANs = bridge, true, map[int]bool{}
			for _, id := range rapid.SliceOfNDistinct(rapid.SampledFrom(vlans), 1, len(vlans), rapid.ID[int]).Draw(t, "VLANs") {
				d.VLANs[id] = some("untagged")
			}
		} else {
			d = routable(t, label, d, vrfs)
		}
		all[name] = d
	}
	return all
}

// routable makes a device routed, or not.
func routable(t *rapid.T, label string, d Device, vrfs []string) Device {
	if !rapid.Bool().Draw(t, label+" routed") {
		return d
	}
	d.Routed, d.Gleans, d.Master = true, rapid.Bool().Draw(t, "gleans"), rapid.SampledFrom(vrfs).Draw(t, "VRF")
	for _, text := range []string{"10.1.0.1/24", "fd00:1::1/64"} {
		if rapid.Bool().Draw(t, text) {
			d.Addresses = append(d.Addresses, netip.MustParsePrefix(text))
		}
	}
	return d
}
