package converge_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/switchlet/switchlet/agent/render"
	"github.com/switchlet/switchlet/agent/report"
	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/deploy/lab/box"
	"github.com/switchlet/switchlet/deploy/lab/swss"
)

// A long walk takes `go test ./agent/converge -run Walk -walk 2000`.
var (
	walkLength = flag.Int("walk", 150, "transitions of the random walk, on all kinds of boxes together")
	walkSeed   = flag.Uint64("walk-seed", 0, "seed of the random walk; 0 for a new one")
)

// A walk from one random spec to the next, on daemons that take their time, with
// agents that are killed anywhere: the rows are always those of the newest spec,
// no daemon ever complains, and in the end all is as it was in the beginning.
func TestRandomWalk(t *testing.T) {
	seed := *walkSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	for i, kind := range []struct {
		name    string
		release box.Release
		edit    func(*rig)
	}{
		{"gateways with mac_addr", box.Release202505, func(*rig) {}},
		{"gateways with static_anycast_gateway", box.ReleaseMaster, func(r *rig) {
			r.edit("sonic-vlan.yang", "leaf mac_addr { type stypes:mac-address; }", "")
		}},
		{"no gateways", box.Release202405, func(*rig) {}},
	} {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			t.Logf("go test -run %q -walk %d -walk-seed %d", t.Name(), *walkLength, seed)
			random := rand.New(rand.NewPCG(seed, uint64(i)))
			r := newRigOn(t, box.Config{Release: kind.release, Daemons: swss.Config{
				Manager: 2 * time.Millisecond, Orchagent: 3 * time.Millisecond, Rand: rand.New(rand.NewPCG(seed, uint64(i+100))),
			}})
			kind.edit(r)
			w := &walker{rig: r, random: random}
			w.walk(*walkLength / 3)
		})
	}
}

// walker goes on a random walk.
type walker struct {
	*rig
	random  *rand.Rand
	running bool
	steps   int
	kills   int
}

func (w *walker) walk(steps int) {
	w.must(w.daemons.Quiet(w.t.Context()))
	daemons := w.daemons.Dump()
	for w.steps = range steps {
		s := w.spec()
		switch {
		case w.random.IntN(4) == 0:
			w.rest()
			if w.cut(w.random.IntN(20), s) {
				w.kills++
			}
		default:
			w.begin()
			generation := w.write(s)
			if w.random.IntN(3) == 0 {
				w.settled(s, generation)
			}
			if w.random.IntN(8) == 0 {
				w.rest()
			}
		}
	}
	w.begin()
	w.apply(nothing("end"))
	w.becomes("nothing is left", w.before)
	w.must(w.daemons.Quiet(w.t.Context()))
	if diff := cmp.Diff(daemons, w.daemons.Dump()); diff != "" {
		w.t.Errorf("what is left of the daemons (-before +after):\n%s", diff)
	}
	w.t.Logf("%d transitions, the agent was killed %d times", steps, w.kills)
}

// begin starts an agent if there is none.
func (w *walker) begin() {
	if !w.running {
		w.start()
		w.running = true
	}
}

// rest ends the agent, in whatever it is doing.
func (w *walker) rest() {
	if w.running {
		w.end()
		w.running = false
	}
}

// settled waits until a spec is in force, and compares.
func (w *walker) settled(s v1alpha1.SwitchConfigSpec, generation int64) {
	w.t.Helper()
	f := w.until("the spec is in force", func(f report.Facts) bool { return f.AppliedGeneration == generation && f.Programmed.OK })
	wanted, err := render.Render(&s, render.Box{Name: "leaf1", Gateway: f.Inventory.Gateway})
	w.must(err)
	want := box.Rows{}
	for key, fields := range w.before {
		want[key] = fields
	}
	for key, fields := range wanted.Rows {
		row := map[string]string{}
		for _, field := range fields {
			row[field.Name] = field.Value
		}
		if len(row) == 0 {
			row["NULL"] = "NULL"
		}
		want[key.String()] = row
	}
	if diff := cmp.Diff(want, w.rows()); diff != "" {
		w.t.Fatalf("step %d: rows (-want +got):\n%s", w.steps, diff)
	}
}

// spec is one at random: up to three VPCs with up to six subnets. VLANs and VNIs
// come from pools so small that they change hands all the time.
func (w *walker) spec() v1alpha1.SwitchConfigSpec {
	random := w.random
	s := v1alpha1.SwitchConfigSpec{Revision: fmt.Sprintf("s%d-%d", w.steps, random.Uint32())}
	if random.IntN(4) == 0 {
		s.Uplinks = []string{"Ethernet8"} // which is cabled to a switch now
	}
	vrfs := random.IntN(4)
	if vrfs == 0 && random.IntN(2) == 0 {
		return s
	}
	s.VTEP, s.AnycastMAC = "10.255.0.1", "00:00:5e:00:01:01"
	vlans, vnis := random.Perm(12), random.Perm(12)
	take := func(pool *[]int, base int32) int32 {
		n := (*pool)[0]
		*pool = (*pool)[1:]
		return base + int32(n)
	}
	for range vrfs {
		owner := v1alpha1.ObjectReference{Kind: v1alpha1.KindVPC, Namespace: "tenant", Name: fmt.Sprintf("vpc%d", random.IntN(1<<20))}
		s.VRFs = append(s.VRFs, v1alpha1.VRFConfig{VNI: take(&vnis, 10100), VLAN: take(&vlans, 100), Owner: owner})
	}
	for i := range random.IntN(7) {
		if vrfs == 0 {
			break
		}
		vrf := s.VRFs[random.IntN(vrfs)]
		segment := w.segment(i, vrf, take(&vlans, 100), take(&vnis, 10100))
		segment.Ports = slices.DeleteFunc(segment.Ports, func(p v1alpha1.SegmentPort) bool { return slices.Contains(s.Uplinks, p.Name) })
		s.Segments = append(s.Segments, segment)
	}
	w.native(s.Segments)
	return s
}

func (w *walker) segment(i int, vrf v1alpha1.VRFConfig, vlan, vni int32) v1alpha1.SegmentConfig {
	s := v1alpha1.SegmentConfig{VLAN: vlan, VNI: vni, VRF: vrf.VNI, Owner: vrf.Owner, Subnet: fmt.Sprintf("s%d", i)}
	if w.random.IntN(4) > 0 {
		s.Gateways = append(s.Gateways, fmt.Sprintf("10.%d.%d.1/24", w.random.IntN(2), i))
	}
	if w.random.IntN(4) == 0 {
		s.Gateways = append(s.Gateways, fmt.Sprintf("2001:db8:%d::1/64", i))
	}
	for _, port := range []string{"Ethernet0", "Ethernet4", "Ethernet8"} {
		if w.random.IntN(2) == 0 {
			s.Ports = append(s.Ports, v1alpha1.SegmentPort{Name: port, Mode: v1alpha1.ModeTagged,
				Owner: v1alpha1.ObjectReference{Kind: v1alpha1.KindVPCAttachment, Namespace: "tenant", Name: port}})
		}
	}
	return s
}

// native makes a port's VLAN the untagged one, of one segment at most.
func (w *walker) native(segments []v1alpha1.SegmentConfig) {
	for i := range segments {
		if len(segments[i].Ports) > 0 && w.random.IntN(2) == 0 {
			segments[i].Ports[0].Mode = v1alpha1.ModeNative
			return
		}
	}
}
