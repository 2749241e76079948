package converge_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/switchlet/switchlet/agent/report"
	"github.com/switchlet/switchlet/api/v1alpha1"
)

// impatient is a rig whose agent does not wait long for a daemon.
func impatient(t *testing.T) *rig {
	t.Helper()
	t.Parallel()
	r := newRig(t)
	r.config.Patience = 300 * time.Millisecond
	return r
}

// red is the other VPC.
func red() v1alpha1.ObjectReference {
	return v1alpha1.ObjectReference{Kind: v1alpha1.KindVPC, Namespace: "tenant", Name: "red"}
}

// pair has VLAN 100 of blue and another VLAN of red, each in a VRF of its own.
func pair(revision string, vlan int32) v1alpha1.SwitchConfigSpec {
	s := spec(revision, 100, vlan)
	s.VRFs = append(s.VRFs, v1alpha1.VRFConfig{VNI: 20002, VLAN: 3002, Owner: red()})
	s.Segments[1].VRF, s.Segments[1].Owner = 20002, red()
	return s
}

func told(owner v1alpha1.ObjectReference, reason, word string) func(report.Facts) bool {
	return func(f report.Facts) bool {
		return slices.ContainsFunc(f.Problems, func(p v1alpha1.Problem) bool {
			return p.Owner == owner && p.Reason == reason && strings.Contains(p.Message, word)
		})
	}
}

func (r *rig) hang(key string) {
	r.t.Helper()
	r.faulty = true
	r.must(r.daemons.Hang(r.t.Context(), key))
}

func (r *rig) heal() {
	r.t.Helper()
	r.must(r.daemons.Heal(r.t.Context(), ""))
}

// An owner whose rows the daemons do not take is left out, and the others go on.
// It comes back by itself when the daemons take them.
func TestRowsThatAreNotTaken(t *testing.T) {
	for _, test := range []struct{ name, hang, marker string }{
		{"a VLAN", "VLAN|Vlan200", "APPL_DB VLAN_TABLE:Vlan200"},
		{"a VRF", "VRF_TABLE:Vrf20002", "STATE_DB VRF_OBJECT_TABLE|Vrf20002"},
		{"a map", "VXLAN_TUNNEL_MAP|switchlet|map_10200_Vlan200", "APPL_DB VXLAN_TUNNEL_MAP_TABLE:switchlet:map_10200_Vlan200"},
		{"an interface", "VLAN_INTERFACE|Vlan200", "STATE_DB INTERFACE_TABLE|Vlan200"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := impatient(t)
			r.start()
			r.apply(spec("r1", 100))
			blue := r.rows()
			r.hang(test.hang)
			changes := r.follow()
			generation := r.write(pair("r2", 200))
			r.until("red is told", told(red(), "NotTaken", test.marker))
			f := r.until("blue goes on", func(f report.Facts) bool { return f.AppliedGeneration == generation && f.Programmed.OK })
			for _, p := range f.Problems {
				if p.Owner.Name == "blue" {
					t.Errorf("blue has a problem: %+v", p)
				}
			}
			r.eventually("red's rows are taken out", func() error { return takenOut(changes()) })
			if missing := blue.Minus(r.rows()); len(missing) > 0 {
				t.Errorf("rows of blue's are missing:\n%s", missing)
			}
			r.heal()
			r.until("nobody has a problem", func(f report.Facts) bool { return len(f.Problems) == 0 && f.Programmed.OK && f.Rendered.OK })
			r.written("VLAN_MEMBER|Vlan200|Ethernet0")
		})
	}
}

// takenOut reports whether all rows that were set were deleted at some time after:
// the next attempt can have begun.
func takenOut(changes []string) error {
	there := map[string]bool{}
	for _, change := range changes {
		key, event, _ := strings.Cut(change, " ")
		if event == "del" {
			there[key] = false
		} else if _, known := there[key]; !known {
			there[key] = true
		}
	}
	for key, is := range there {
		if is {
			return fmt.Errorf("%s was not deleted", key)
		}
	}
	return nil
}

// A VRF that orchagent was slow to take, and that was left out meanwhile, is made
// again only when vrfmgrd has let go of the first one: that is still to come, and
// to go, although nothing of it is to be seen of orchagent.
func TestVRFThatIsStillToCome(t *testing.T) {
	r := impatient(t)
	r.start()
	r.apply(spec("r1", 100))
	r.hang("VRF_TABLE:Vrf20002")
	changes := r.follow()
	r.write(pair("r2", 200))
	r.until("red is left out, and waits", hasProblem(v1alpha1.KindVPC, "STATE_DB VRF_TABLE|Vrf20002 to go"))
	keys := changes()
	if err := takenOut(slices.DeleteFunc(slices.Clone(keys), func(key string) bool { return !strings.HasPrefix(key, "VRF|Vrf20002 ") })); err != nil {
		t.Error(err)
	}
	if i := slices.Index(keys, "VRF|Vrf20002 del"); slices.Contains(keys[i+1:], "VRF|Vrf20002 hset") {
		t.Errorf("the VRF was made again too soon: %v", keys)
	}
	r.heal()
	r.until("nobody has a problem", func(f report.Facts) bool { return len(f.Problems) == 0 && f.Programmed.OK && f.Rendered.OK })
	r.written("VRF|Vrf20002")
}

// An owner that is left out is tried again as soon as its rows change.
func TestOwnerThatIsLeftOutChanges(t *testing.T) {
	r := impatient(t)
	r.hang("VLAN|Vlan200")
	r.start()
	r.write(pair("r1", 200))
	r.until("red is told", told(red(), "NotTaken", "Vlan200"))
	r.apply(pair("r2", 201))
	r.until("nobody has a problem", func(f report.Facts) bool { return len(f.Problems) == 0 })
}

// While an owner is left out it is tried again, ever more seldom.
func TestNothingGoesBackAndForth(t *testing.T) {
	r := impatient(t)
	r.config.Patience = 40 * time.Millisecond
	r.hang("VLAN|Vlan200")
	r.start()
	r.write(pair("r1", 200))
	r.until("red is told", told(red(), "NotTaken", "Vlan200"))
	begin, keys := time.Now(), r.follow()
	const attempts = 6
	r.eventually("it is tried again", func() error {
		seen := 0
		for _, key := range keys() {
			if strings.Contains(key, "Vlan100") {
				t.Fatalf("a row of blue's was changed: %s", key)
			}
			if key == "VLAN|Vlan200 hset" {
				seen++
			}
		}
		if seen < attempts {
			return fmt.Errorf("%d attempts", seen)
		}
		return nil
	})
	// The pauses before the first and after each are 20, 40, 80, … ms, and half of
	// that at least.
	least := time.Duration(0)
	for n := 1; n < attempts; n++ {
		least += 10 * time.Millisecond << n
	}
	if took := time.Since(begin); took < least {
		t.Errorf("%d attempts within %v, want at least %v", attempts, took, least)
	}
}

// A row that a daemon does not let go of keeps what it stands on, and only that.
func TestRowThatLingers(t *testing.T) {
	for _, test := range []struct{ name, hang, stays string }{
		{"a port in a VLAN", "VLAN_MEMBER|Vlan200|Ethernet0", "VLAN|Vlan200"},
		{"an address", "VLAN_INTERFACE|Vlan200|10.1.200.1/24", "VLAN_INTERFACE|Vlan200"},
		{"a VRF", "VRF_TABLE:Vrf20002", "VXLAN_TUNNEL|switchlet"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := impatient(t)
			r.start()
			r.apply(pair("r1", 200))
			r.hang(test.hang)
			generation := r.write(spec("r2", 100, 101))
			r.until("somebody is told", hasProblem(v1alpha1.KindSwitch, "have not let go of"))
			r.until("the rest goes on", func(f report.Facts) bool { return f.AppliedGeneration == generation && f.Programmed.OK })
			r.written("VLAN_MEMBER|Vlan101|Ethernet0")
			r.written(test.stays)
			r.heal()
			r.until("it is over", func(f report.Facts) bool { return len(f.Problems) == 0 && f.Programmed.OK })
			r.apply(nothing("r3"))
			r.becomes("nothing is left", r.before)
		})
	}
}

// Daemons that are away take nothing: that is nobody's fault, and nothing is
// taken out.
func TestDaemonsAreAway(t *testing.T) {
	r := impatient(t)
	r.start()
	r.apply(pair("r1", 200))
	want := r.rows()
	r.must(r.daemons.Stop(t.Context()))
	silent := func(f report.Facts) bool { return f.Programmed.Reason == "DaemonsSilent" && !f.Programmed.OK }
	r.until("the condition says so", silent)
	r.becomes("nothing is taken out", want)
	r.write(pair("r2", 201))
	r.written("VLAN_MEMBER|Vlan201|Ethernet0")
	keys := r.follow()
	r.until("the condition says so", silent)
	f := r.looks()
	if len(f.Problems) > 0 || len(keys()) > 0 {
		t.Errorf("problems %+v, changes %v", f.Problems, keys())
	}
	r.must(r.daemons.Start(t.Context()))
	r.until("all is well", func(f report.Facts) bool {
		return f.Programmed.OK && f.Programmed.Reason == "Converged" && f.AppliedRevision == "r2" && len(f.Problems) == 0
	})
}

// A row that was in force and is not shown any more, after a restart of the
// daemons, stays; its owner is told.
func TestRowThatWasTakenBefore(t *testing.T) {
	r := impatient(t)
	r.start()
	r.apply(pair("r1", 200))
	want := r.rows()
	r.hang("VLAN|Vlan200")
	r.must(r.daemons.Start(t.Context()))
	r.until("red is told", told(red(), "NotTaken", "APPL_DB VLAN_TABLE:Vlan200 is missing. The row stays."))
	r.becomes("nothing is taken out", want)
	r.heal()
	r.until("all is well", func(f report.Facts) bool { return len(f.Problems) == 0 && f.Programmed.OK && f.Rendered.OK })
}

// What all owners stand on is nobody's fault.
func TestTunnelThatIsNotTaken(t *testing.T) {
	r := impatient(t)
	r.hang("VXLAN_EVPN_NVO|switchlet")
	r.start()
	r.write(pair("r1", 200))
	self := v1alpha1.ObjectReference{Kind: v1alpha1.KindSwitch, Name: "leaf1"}
	f := r.until("the switch is told", told(self, "NotTaken", "VXLAN_EVPN_NVO|switchlet"))
	for _, p := range f.Problems {
		if strings.Contains(p.Message, "left out") {
			t.Errorf("problem %+v", p)
		}
	}
	r.written("VLAN_MEMBER|Vlan200|Ethernet0")
}
