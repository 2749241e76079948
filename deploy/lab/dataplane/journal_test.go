package dataplane

import (
	"bytes"
	"encoding/json"
	"maps"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// carried is what a Moment has to say of devices; ambiguous are ports whose untagged
// frames go out of several VLANs, which no switch has.
func carried(devices Devices) (m Moment, ambiguous bool) {
	m = Moment{Native: map[string]int{}, VNIs: map[int]int{}}
	for name, d := range devices {
		for id, untagged := range d.VLANs {
			switch {
			case d.Kind == Port && untagged:
				ambiguous = ambiguous || m.Native[name] != 0
				m.Native[name] = id
			case d.Kind == Bridge:
				m.VNIs[id] += 0
			case d.Kind == VXLAN:
				m.VNIs[id] = d.ID
			}
		}
	}
	return m, ambiguous
}

// After the steps from any devices to any others the journal says what these carry.
func TestJournalFollowsTheSteps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		have, m := Devices{}, newJournal(nil).now
		for _, label := range []string{"before", "want"} {
			devices := someDevices(t, label)
			want, ambiguous := carried(devices)
			if ambiguous {
				t.Skip("two VLANs without a tag")
			}
			for name, d := range devices {
				if _, ok := have[name]; d.Kind == Port && !ok {
					have[name] = Device{Kind: Port, MTU: 1500, halfRouted: true}
				}
			}
			for _, step := range Diff(have, devices) {
				if err := simulate(have, step); err != nil {
					t.Fatal(err)
				}
				m = m.after(step, devices)
			}
			if !maps.Equal(m.Native, want.Native) || !maps.Equal(m.VNIs, want.VNIs) {
				t.Fatalf("%+v, want %+v of\n%v", m, want, devices)
			}
		}
	})
}

// A line for each change, with the time that it took; none for what is of no concern.
func TestJournalLines(t *testing.T) {
	var text bytes.Buffer
	j := newJournal(&text)
	want := Devices{"Ethernet0": {Kind: Port}, "vtep-100": {Kind: VXLAN, ID: 1100}}
	began := time.Now()
	for _, step := range []Step{
		{Verb: JoinVLAN, Name: bridge, VLAN: 100}, {Verb: SetUp, Name: "Ethernet0"},
		{Verb: JoinVLAN, Name: "vtep-100", VLAN: 100, On: true}, {Verb: JoinVLAN, Name: "Ethernet0", VLAN: 100, On: true},
		{Verb: JoinVLAN, Name: "Ethernet0", VLAN: 200}, {Verb: LeaveVLAN, Name: "Ethernet0", VLAN: 100},
	} {
		if err := j.note(step, want, began); err != nil {
			t.Fatal(err)
		}
	}
	lines := strings.Split(strings.TrimSpace(text.String()), "\n")
	if len(lines) != 4 {
		t.Fatalf("%d lines, want 4:\n%s", len(lines), text.String())
	}
	var m Moment
	if err := json.Unmarshal([]byte(lines[2]), &m); err != nil {
		t.Fatal(err)
	}
	if m.Native["Ethernet0"] != 100 || m.VNIs[100] != 1100 || !m.Began.Equal(began) || m.Ended.Before(began) {
		t.Errorf("%+v", m)
	}
}
