package sonic

import (
	"fmt"
	"iter"
	"maps"
	"math"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

// situation is a switch in the middle of its life: the rows that are there, the
// record of which of them are the agent's, and the rows that are wanted now.
type situation struct {
	have, want DB
	owned      Ledger
}

// draw makes a situation as it comes about: the agent wrote an earlier wish,
// perhaps not to the end, and people changed things by hand.
func draw(t *rapid.T) situation {
	earlier := drawWish(t, "earlier")
	s := situation{want: drawWish(t, "now"), owned: ours(earlier)}
	s.have = merge(parse(t, ports), earlier)
	if rapid.Bool().Draw(t, "nothing wanted") {
		s.want = DB{}
	}
	hand := drawByHand(t)
	for key, fields := range hand {
		s.have[key] = fields
	}
	keys := s.have.Keys()
	for _, key := range rapid.SliceOfN(rapid.SampledFrom(keys), 0, 3).Draw(t, "deleted by hand") {
		delete(s.have, key)
	}
	if rapid.IntRange(0, 3).Draw(t, "record") == 0 {
		s.owned = Adopt(s.have, earlier)
	}
	return s
}

// drawWish is what a leaf might have to be.
func drawWish(t *rapid.T, label string) DB {
	var tenants []tenant
	dialect := rapid.Bool().Draw(t, label+" anycast gateway")
	for i, l3vni := range rapid.SliceOfNDistinct(rapid.IntRange(20001, 20003), 0, 3, rapid.ID).Draw(t, label+" L3 VNIs") {
		vlan := 100 + (i+rapid.IntRange(0, 1).Draw(t, label+" shift"))%4
		if slices.ContainsFunc(tenants, func(other tenant) bool { return other.vlan == vlan }) {
			continue
		}
		tenant := tenant{l3vni: l3vni, l3vlan: 3000 + i, vni: 10000 + rapid.IntRange(1, 2).Draw(t, label+" VNI") + 10*i, vlan: vlan, sag: dialect}
		for _, port := range rapid.SliceOfDistinct(rapid.SampledFrom([]string{"Ethernet0", "Ethernet4", "PortChannel0001"}), rapid.ID).Draw(t, label+" ports") {
			tenant.ports = append(tenant.ports, VLANMember{vlan, port, false})
		}
		tenants = append(tenants, tenant)
	}
	return leaf(tenants...)
}

// drawByHand is rows and fields that people write.
func drawByHand(t *rapid.T) DB {
	rows := parse(t, `
VLAN|Vlan100 description=mine vlanid=100
VLAN|Vlan101 mtu=9000 vlanid=101
VLAN_MEMBER|Vlan100|Ethernet4 tagging_mode=tagged
VLAN_MEMBER|Vlan101|Ethernet0 tagging_mode=untagged
VLAN_INTERFACE|Vlan100 vrf_name=Vrf20002
VLAN_INTERFACE|Vlan101 proxy_arp=enabled
VLAN_INTERFACE|Vlan101|192.0.2.1/24
VLAN_INTERFACE|Vlan3000 vrf_name=Vrf20001 proxy_arp=enabled
VRF|Vrf20001 vni=7
VRF|Vrf20002 fallback=true
VXLAN_TUNNEL|vtep src_ip=10.0.0.9
VXLAN_TUNNEL|other src_ip=10.0.0.8
VXLAN_EVPN_NVO|evpn source_vtep=vtep
VXLAN_TUNNEL_MAP|vtep|map_10001_Vlan9 vlan=Vlan9 vni=10001
SAG|GLOBAL gateway_mac=00:00:5e:00:01:02
INTERFACE|Ethernet0
INTERFACE|Ethernet4 vrf_name=Vrf20001
LOOPBACK_INTERFACE|Loopback1
LOOPBACK_INTERFACE|Loopback0|10.255.0.1/32
PORTCHANNEL_MEMBER|PortChannel0001|Ethernet4
STATIC_ROUTE|Vrf20001|0.0.0.0/0 nexthop=10.0.0.1
DHCP_RELAY|Vlan100
`)
	chosen := DB{}
	for _, key := range rapid.SliceOfN(rapid.SampledFrom(rows.Keys()), 0, 4).Draw(t, "by hand") {
		chosen[key] = rows[key]
	}
	return chosen
}

// run carries out a plan up to the given stage, recording as the agent does.
func (s situation) run(p Plan, stages int) situation {
	after := situation{maps.Clone(s.have), s.want, maps.Clone(s.owned)}
	for key, names := range p.Own {
		after.owned[key] = names
	}
	for _, stage := range p.Stages[:stages] {
		after.have.Apply(stage.Commands...)
	}
	if stages == len(p.Stages) {
		after.owned.Apply(p)
	}
	return after
}

func (s situation) diff() Plan { return Diff(s.have, s.want, s.owned) }

// Nothing that is not the agent's is touched: no row, and no field of a row of
// the agent's.
func TestForeignRowsAndFieldsStay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := draw(t)
		p := s.diff()
		for i := range p.Stages {
			for _, c := range p.Stages[i].Commands {
				fields, there := s.have[c.Key]
				if there && !s.owned.Has(c.Key) {
					t.Fatalf("%s changes a row of somebody else's: %v", c, fields)
				}
				foreign := fields.without(s.owned[c.Key])
				if c.Op == Delete && len(foreign) > 0 {
					t.Fatalf("%s deletes %v", c, foreign)
				}
				for _, field := range c.Fields {
					if v, ok := foreign.Get(field.Name); ok && v != field.Value {
						t.Fatalf("%s changes %v", c, foreign)
					}
				}
			}
		}
	})
}

// After the plan, what is not in conflict is as wanted, and there is nothing
// left to do.
func TestPlanConverges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := draw(t)
		p := s.diff()
		after := s.run(p, len(p.Stages))
		left := map[Key]bool{}
		for _, c := range p.Conflicts {
			left[c.Key] = true
		}
		for key, fields := range s.want {
			if there, ok := after.have[key]; !left[key] && (!ok || !there.contains(fields)) {
				t.Fatalf("%s is %v, want %v\nplan:\n%s", key, there, fields, p)
			}
		}
		again := after.diff()
		if len(again.Stages)+len(again.Own)+len(again.Disown) > 0 {
			t.Fatalf("plan:\n%s\nplan afterwards:\n%sown %v disown %v", p, again, again.Own, again.Disown)
		}
		for _, c := range again.Conflicts {
			if !left[c.Key] {
				t.Fatalf("%s is in conflict only afterwards: %+v\n%s", c.Key, c, p)
			}
		}
	})
}

// After each stage, every row of the agent's has the rows that it needs, unless
// somebody had taken them away before.
func TestEveryStageKeepsReferences(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := draw(t)
		p := s.diff()
		before := dangling(s)
		for i := range p.Stages {
			now := s.run(p, i+1)
			for edge := range dangling(now) {
				if !before[edge] {
					t.Fatalf("after stage %d %s has no %s\n%s", i, edge[0], edge[1], p)
				}
			}
		}
	})
}

func dangling(s situation) map[[2]Key]bool {
	edges := map[[2]Key]bool{}
	g := newGraph(s.have)
	for key := range s.have {
		for _, need := range g.needs(key) {
			if s.owned.Has(key) && !g.has(need) {
				edges[[2]Key{key, need}] = true
			}
		}
	}
	return edges
}

// No command is one that SONiC's daemons refuse, ignore or stumble over.
func TestNoCommandThatDaemonsIgnore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := draw(t)
		have := maps.Clone(s.have)
		for _, stage := range s.diff().Stages {
			for _, c := range stage.Commands {
				checkCommand(t, have, c)
				have.Apply(c)
			}
		}
	})
}

func checkCommand(t *rapid.T, have DB, c Command) {
	fields, there := have[c.Key]
	switch {
	case c.Op.Makes() && there:
		t.Fatalf("%s: there is such a row", c)
	case !c.Op.Makes() && !there:
		t.Fatalf("%s: there is no such row", c)
	case c.Op == Delete && fields.value(fieldSAG) == "true":
		t.Fatalf("%s: the gateway is on", c)
	case c.Op == Delete && c.Key.Table == TableVRF && !slices.Contains([]string{"", "0"}, fields.value(fieldVNI)):
		t.Fatalf("%s: it has VNI %s", c, fields.value(fieldVNI))
	case c.Op == Set && there && fields.contains(c.Fields):
		t.Fatalf("%s: it is so already", c)
	}
	for _, field := range c.Fields {
		old, ok := fields.Get(field.Name)
		if c.Op == Set && ok && old != field.Value && !changeable(c.Key, field.Name) {
			t.Fatalf("%s: %s is %s and cannot be changed", c, field.Name, old)
		}
		if c.Op == Set && c.Key.Table == TableVRF && field.Value != "0" && old != "" && old != "0" {
			t.Fatalf("%s: the VNI goes from %s without 0", c, old)
		}
	}
}

// Stopped after any stage and started again, the agent ends at the same rows, but
// for those whose place somebody else has taken meanwhile.
func TestInterruptedPlanEndsTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := draw(t)
		p := s.diff()
		if len(p.Stages) == 0 {
			return
		}
		whole := s.run(p, len(p.Stages))
		part := s.run(p, rapid.IntRange(0, len(p.Stages)-1).Draw(t, "stages"))
		rest := part.diff()
		resumed := part.run(rest, len(rest.Stages))
		for _, c := range rest.Conflicts {
			if c.Kind == Taken || c.Kind == Blocked {
				delete(whole.have, c.Key)
				delete(resumed.have, c.Key)
			}
		}
		if diff := cmp.Diff(whole.have.String(), resumed.have.String()); diff != "" {
			t.Fatalf("in one go (-), interrupted (+):\n%s\nplan:\n%s\nrest:\n%s", diff, p, rest)
		}
	})
}

// Looking only at what a change can concern gives the plan that looking at
// everything gives.
func TestNarrowPlanIsTheWholePlan(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := draw(t)
		stuck := drawStuck(t, s)
		have := stuck.over(s.have)
		whole := diffWhole(stuck, have, s.want, s.owned)
		b := NewBalance(have, s.want, s.owned)
		b.look(math.MaxInt)
		seeds := slices.AppendSeq(slices.Collect(maps.Keys(stuck)), maps.Keys(b.open))
		if len(seeds) == 0 {
			return
		}
		if diff := diffPlans(whole, b.diffNarrow(stuck, seeds)); diff != "" {
			t.Fatalf("looking at everything (-), at what can be concerned (+):\n%s", diff)
		}
	})
}

// drawStuck is some of the agent's rows that are left alone.
func drawStuck(t *rapid.T, s situation) Stuck {
	stuck := Stuck{}
	keys := slices.SortedFunc(maps.Keys(s.owned), Key.Compare)
	if len(keys) == 0 || rapid.Bool().Draw(t, "nothing stuck") {
		return stuck
	}
	for _, key := range rapid.SliceOfN(rapid.SampledFrom(keys), 1, 2).Draw(t, "stuck") {
		fields, ok := s.have[key]
		if !ok {
			fields = s.want[key]
		}
		row := StuckRow{Fields: fields}
		if markers := left(key); len(markers) > 0 {
			row.Marker = markers[0]
		}
		stuck[key] = row
	}
	return stuck
}

// A stuck row is left alone, and so is what it needs; the plan comes to an end
// around it.
func TestStuckRowsStay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := draw(t)
		stuck := drawStuck(t, s)
		have := stuck.over(s.have)
		p := DiffAround(stuck, s.have, s.want, s.owned)
		after := maps.Clone(s.have)
		for _, stage := range p.Stages {
			for _, c := range stage.Commands {
				if _, ok := stuck[c.Key]; ok {
					t.Fatalf("%s touches a stuck row\n%s", c, p)
				}
			}
			after.Apply(stage.Commands...)
		}
		g := newGraph(have)
		for key := range stuck {
			for _, need := range g.needs(key) {
				_, was := s.have[need]
				if _, is := after[need]; was && !is {
					t.Fatalf("%s is gone, which the stuck %s needs\n%s", need, key, p)
				}
			}
		}
	})
}

func TestSameInputSamePlan(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := draw(t)
		a, b := s.diff(), s.diff()
		if diff := diffPlans(a, b); diff != "" {
			t.Fatal(diff)
		}
	})
}

// A Balance that has followed a switch through changes of all kinds gives the
// plan that a new look at everything gives.
func TestBalanceFollows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := draw(t)
		for i := range 300 { // so that it has a lot to look at, and is loath to
			s.have[Key{filler, strconv.Itoa(i)}] = nil
		}
		b := NewBalance(s.have, s.want, s.owned)
		for range rapid.IntRange(1, 6).Draw(t, "steps") {
			stuck := drawStuck(t, s)
			have := stuck.over(s.have)
			whole := diffWhole(stuck, have, s.want, s.owned)
			if len(whole.Stages)+len(whole.Own)+len(whole.Keep)+len(whole.Disown)+len(whole.Conflicts) == 0 {
				whole = Plan{}
			}
			p := b.Diff(stuck)
			if diff := cmp.Diff(whole.comparable(), p.comparable()); diff != "" {
				t.Fatalf("new look (-), Balance (+):\n%s", diff)
			}
			s.carryOut(p, rapid.IntRange(0, len(p.Stages)).Draw(t, "stages"))
			drawEvents(t, s, b)
			if rapid.Bool().Draw(t, "another wish") {
				s.want = drawWish(t, "another")
				b.Want(s.want)
			}
		}
	})
}

// filler is a table that means nothing.
const filler = "FILLER"

// diffPlans says how two plans differ, in the markers of their rows too.
func diffPlans(a, b Plan) string {
	return cmp.Diff(a, b, cmpopts.IgnoreUnexported(Plan{})) + cmp.Diff(a.Accepted(), b.Accepted())
}

// comparable is a plan without the difference between nothing and none.
func (p Plan) comparable() string {
	return fmt.Sprint(p.String(), p.Conflicts, p.Own, p.Keep, p.Disown, p.Accepted())
}

// carryOut changes the rows and the record as the agent does with a plan, which
// may be stopped after some stages.
func (s situation) carryOut(p Plan, stages int) {
	after := s.run(p, stages)
	for _, c := range slices.Collect(commands(p)) {
		if fields, ok := after.have[c.Key]; ok {
			s.have[c.Key] = fields
		} else {
			delete(s.have, c.Key)
		}
	}
	maps.DeleteFunc(s.owned, func(key Key, _ []string) bool { return !after.owned.Has(key) })
	maps.Copy(s.owned, after.owned)
}

func commands(p Plan) iter.Seq[Command] {
	return func(yield func(Command) bool) {
		for _, stage := range p.Stages {
			for _, c := range stage.Commands {
				if !yield(c) {
					return
				}
			}
		}
	}
}

// drawEvents changes rows by hand and tells the Balance, as the mirror does.
func drawEvents(t *rapid.T, s situation, b *Balance) {
	for key, fields := range drawByHand(t) {
		s.have[key] = fields
		b.Touch(key)
	}
	keys := slices.DeleteFunc(s.have.Keys(), func(key Key) bool { return key.Table == filler })
	if len(keys) == 0 {
		return
	}
	for _, key := range rapid.SliceOfN(rapid.SampledFrom(keys), 0, 2).Draw(t, "deleted by hand") {
		delete(s.have, key)
		b.Touch(key)
	}
}
