package maintenance

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/switchlet/switchlet/agent/report"
	"github.com/switchlet/switchlet/api/v1alpha1"
)

var begin = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// asked is a step of a release.
func asked(step string, drain bool) *v1alpha1.SwitchMaintenance {
	return &v1alpha1.SwitchMaintenance{Release: "core", Pass: "p1", Step: step, Drain: drain}
}

func forced(m *v1alpha1.SwitchMaintenance) *v1alpha1.SwitchMaintenance { m.Force = true; return m }

func alone(m *v1alpha1.SwitchMaintenance) *v1alpha1.SwitchMaintenance {
	m.SingleHomed = []v1alpha1.SingleHomedHost{{Name: "host7", Ports: []string{"Ethernet8"}}, {Ports: []string{"Ethernet12"}}}
	return m
}

func until(seconds int32, m *v1alpha1.SwitchMaintenance) *v1alpha1.SwitchMaintenance {
	m.DeadlineSeconds = seconds
	return m
}

// put is an overlay that is in force as asked for.
func put(routes, ports bool) report.Overlay {
	return report.Overlay{Routes: routes, Ports: ports, RoutesDone: true, PortsDone: true}
}

// Each case is one decision: what the record is, what is seen, what it is then and
// how the agent says it.
func TestNext(t *testing.T) {
	told := func(m *v1alpha1.SwitchMaintenance) Seen {
		return Seen{Now: begin, Config: true, Switch: true, Request: m, Overlay: put(false, false), Ways: WaysSome}
	}
	at := func(l Level, m *v1alpha1.SwitchMaintenance) Record {
		return Record{Level: l, Request: m, Since: begin, Routed: true}
	}
	with := func(s Seen, o report.Overlay, change func(*Seen)) Seen {
		s.Overlay = o
		if change != nil {
			change(&s)
		}
		return s
	}
	later := func(d time.Duration) func(*Seen) {
		return func(s *Seen) { s.Now, s.InForce = begin.Add(d), d }
	}
	drain := asked("drain", true)
	unreached := report.Overlay{Routes: true, PortsDone: true, Message: "No way to FRR was found."}
	for _, c := range []struct {
		name   string
		record Record
		seen   Seen
		level  Level
		says   string // reason: message
	}{
		{"nothing is asked", Record{}, told(nil), InService, "InService: "},
		{"a drain begins with BGP", Record{}, told(drain), Leaving, "Draining: FRR is asked"},
		{"hosts with no other way", Record{}, told(alone(asked("drain", true))), InService, "Refused: It would be cut off, and has no other switch: host host7 at Ethernet8; whatever is at Ethernet12."},
		{"and by force", Record{}, told(alone(forced(asked("drain", true)))), Leaving, "Draining"},
		{"neighbours get their time", at(Leaving, drain), with(told(drain), put(true, false), later(time.Second)), Leaving, "Draining: The neighbours send traffic elsewhere."},
		{"then the ports go", at(Leaving, drain), with(told(drain), put(true, false), later(spread)), Shut, "Draining: "},
		{"FRR is away", at(Leaving, drain), with(told(drain), unreached, later(time.Hour)), Leaving, "Draining: No way to FRR was found."},
		{"and by force", at(Leaving, forced(asked("drain", true))), with(told(drain), unreached, later(time.Hour)), Shut, "Draining"},
		{"nobody was there to ask", Record{Level: Leaving, Request: drain, Since: begin}, with(told(drain), unreached, later(spread)), Shut, "Draining"},
		{"there is traffic", at(Shut, drain), with(told(drain), put(true, true), func(s *Seen) { s.Loud = "Ethernet8 2.0 Mbit/s" }), Shut, "Draining: There is still traffic: Ethernet8 2.0 Mbit/s."},
		{"there is none", at(Shut, drain), with(told(drain), put(true, true), func(s *Seen) { s.Quiet = true }), Shut, "Drained: No traffic is left. For NOSRelease core."},
		{"an earlier overlay says nothing", at(Shut, drain), with(told(drain), put(true, false), func(s *Seen) { s.Quiet = true }), Shut, "Draining"},
		{"it is let back while it goes", at(Leaving, drain), told(asked("undrain", false)), InService, "InService"},
		{"it is let back: BGP first", at(Shut, drain), with(told(asked("undrain", false)), put(true, true), nil), Returning, "Undraining: FRR is told"},
		{"no neighbour is there", at(Returning, drain), with(told(nil), put(false, true), func(s *Seen) { s.Ways, s.InForce = WaysNone, time.Hour }), Returning, "Undraining: The ports of hosts stay off until a neighbour"},
		{"a neighbour is there", at(Returning, drain), with(told(nil), put(false, true), nil), InService, ""},
		{"it never had one", Record{Level: Returning}, with(told(nil), put(false, true), func(s *Seen) { s.Ways = WaysNone }), InService, ""},
		{"it is asked again while it comes back", at(Returning, drain), with(told(drain), put(false, true), nil), Shut, ""},
		{"nobody goes on", at(Shut, until(60, asked("d", true))), with(told(until(60, asked("d", true))), put(true, true), later(time.Minute)), Returning, "Undraining"},
		{"the API server is away", at(Shut, until(60, asked("d", true))), Seen{Now: begin.Add(59 * time.Second), Overlay: put(true, true)}, Shut, "Draining"},
		{"the API server is away for too long", at(Shut, until(60, asked("d", true))), Seen{Now: begin.Add(time.Minute), Overlay: put(true, true)}, Returning, "Undraining"},
		{"a drain by hand", Record{}, with(told(&v1alpha1.SwitchMaintenance{Pass: "by-hand", Step: "s", Drain: true}), put(false, false), func(s *Seen) { s.ByHand = true }), Leaving, "Draining"},
		{"that was taken back", Record{}, told(&v1alpha1.SwitchMaintenance{Pass: "by-hand", Step: "s", Drain: true}), InService, ""},
		{"a release that ends on a switch that is kept by hand", at(Shut, drain), with(told(nil), put(true, true), func(s *Seen) { s.ByHand, s.Quiet = true, true }), Shut, "Drained: No traffic is left. spec.drained"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := c.record.next(c.seen)
			state, _ := r.drainState(c.seen)
			if got := state.Reason + ": " + state.Message; r.Level != c.level || !strings.HasPrefix(got, c.says) {
				t.Errorf("level %q, want %q; %s, want %s", r.Level, c.level, got, c.says)
			}
		})
	}
}

func TestADeadlineIsToldUntilTheNextStep(t *testing.T) {
	m := until(60, asked("d", true))
	s := Seen{Now: begin.Add(time.Minute), Overlay: put(false, false), Ways: WaysSome}
	r := Record{Request: m, Since: begin}.next(s)
	state, why := r.drainState(s)
	if state.Reason != "Returned" || !strings.HasPrefix(why, "Within 60 s nobody said how to go on") || r.Returned != "d" {
		t.Errorf("%+v, %s, returned %q", state, why, r.Returned)
	}
	s.Config, s.Request, s.Now = true, asked("after", true), s.Now.Add(time.Hour)
	if r = r.next(s); r.Level != Leaving {
		t.Errorf("the next step is not followed: %+v", r)
	}
}

// Of each service what it runs stays, and what it goes back to, whatever else was
// released in between.
func TestLastImages(t *testing.T) {
	var kept []string
	for _, asked := range []string{"bgp@1", "bgp@2", "lldp@1", "bgp@3 lldp@1", "bgp@3", "bgp@2", ""} {
		kept = lastImages(strings.Fields(asked), kept)
	}
	if got := strings.Join(kept, " "); got != "bgp@2 bgp@3 lldp@1" {
		t.Errorf("kept are %s", got)
	}
}

// plant is a switch with a controller, in steps of a second, as far as a drain goes.
type plant struct {
	t      *rapid.T
	now    time.Time
	record Record
	disk   []byte // the record
	// in force on the switch
	routes, ports bool
	since         time.Time
	frr           bool // FRR takes what it is told
	ways          Ways
	api           bool
	request       *v1alpha1.SwitchMaintenance
	byHand        bool
	steps         int
}

// second lets time pass: the agent looks and acts, unless it is killed on the way.
func (p *plant) second(kill string) {
	p.now = p.now.Add(time.Second)
	routes, ports := p.record.asks()
	s := Seen{Now: p.now, Config: p.api, Switch: p.api, Request: p.request, ByHand: p.byHand, Ways: p.ways,
		Overlay: report.Overlay{Routes: routes, Ports: ports, RoutesDone: p.routes == routes, PortsDone: p.ports == ports}}
	if p.record.inForce(s) {
		s.InForce = p.now.Sub(p.since)
		s.Quiet = p.ports && s.InForce > 2*time.Second
	}
	next := p.record.next(s)
	if kill == "before it is on the disk" {
		p.restart()
		return
	}
	if !reflect.DeepEqual(next, p.record) {
		p.disk = encode(p.t, next)
	}
	if kill == "before it is done" {
		p.restart()
		return
	}
	if next.Level != p.record.Level {
		p.since = p.now
	}
	p.record = next
	p.act()
}

// act has the switch follow the record.
func (p *plant) act() {
	routes, ports := p.record.asks()
	if p.frr {
		p.routes = routes
	}
	p.ports = ports
}

func (p *plant) restart() {
	p.record = Record{}
	if p.disk != nil {
		if err := json.Unmarshal(p.disk, &p.record); err != nil {
			p.t.Fatal(err)
		}
	}
	p.since = p.now
	p.act() // as New does
}

func encode(t *rapid.T, r Record) []byte {
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// promises hold at every moment.
func (p *plant) promises() {
	r := p.record
	switch {
	case p.ports && r.Level == InService:
		p.t.Fatalf("ports of hosts are off on a switch in service: %+v", r)
	case r.Level != InService && r.Begun.IsZero():
		p.t.Fatalf("nobody knows since when it is drained: %+v", r)
	case r.Drained && r.Level == Leaving:
		p.t.Fatalf("it says drained while ports are up: %+v", r)
	case p.ports && p.record.refusal() != "" && r.Level == Leaving:
		p.t.Fatalf("hosts are cut off: %+v", r)
	}
}

// Whatever is asked, in whatever order, and wherever the agent is killed: when
// nothing is asked any more and all is well, nothing is left of it, and when a drain
// is asked, it comes about.
func TestKilledAnywhere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := &plant{t: t, now: begin, frr: true, ways: WaysSome, api: true}
		kills := rapid.SampledFrom([]string{"", "", "before it is on the disk", "before it is done"})
		for range rapid.IntRange(1, 60).Draw(t, "seconds") {
			switch rapid.IntRange(0, 9).Draw(t, "what happens") {
			case 0:
				p.steps++
				p.request = asked(fmt.Sprint("s", p.steps), rapid.Bool().Draw(t, "drain"))
				p.request.Force = rapid.Bool().Draw(t, "force")
				p.request.DeadlineSeconds = rapid.SampledFrom([]int32{0, 5, 60}).Draw(t, "deadline")
				if rapid.Bool().Draw(t, "alone") {
					alone(p.request)
				}
			case 1:
				p.request = nil
			case 2:
				p.frr = rapid.Bool().Draw(t, "frr")
			case 3:
				p.ways = rapid.SampledFrom([]Ways{WaysUnknown, WaysNone, WaysSome}).Draw(t, "ways")
			case 4:
				p.api = rapid.Bool().Draw(t, "api")
			case 5:
				p.byHand = rapid.Bool().Draw(t, "by hand")
			}
			p.second(kills.Draw(t, "kill"))
			p.promises()
		}
		p.frr, p.ways, p.api, p.byHand = true, WaysSome, true, false
		p.request = asked("the last but one", true)
		for range 60 {
			p.second("")
			p.promises()
		}
		if !p.record.Drained || !p.routes || !p.ports {
			t.Fatalf("it is not drained: %+v", p.record)
		}
		p.request = nil
		for range 60 {
			p.second("")
		}
		if p.record.Level != InService || p.record.Drained || p.routes || p.ports || p.record.Before != nil || !p.record.Begun.IsZero() {
			t.Fatalf("something is left: %+v", p.record)
		}
	})
}

// A damaged record is set aside, and nothing is drained.
func TestRecord(t *testing.T) {
	file := filepath.Join(t.TempDir(), "maintenance")
	if r, damage, err := load(file); err != nil || damage != "" || !reflect.DeepEqual(r, Record{}) {
		t.Fatalf("%+v %q %v", r, damage, err)
	}
	want := Record{Request: asked("s", true), Since: begin, Level: Shut, Drained: true, Before: map[v1alpha1.SwitchCheck][]string{v1alpha1.CheckUplinks: {"Ethernet48"}}}
	if err := want.save(file); err != nil {
		t.Fatal(err)
	}
	if r, damage, err := load(file); err != nil || damage != "" || !reflect.DeepEqual(r, want) {
		t.Fatalf("%+v %q %v", r, damage, err)
	}
	damaged(t, file)
	if r, damage, err := load(file); err != nil || !strings.Contains(damage, "was unusable") || r.Level != InService {
		t.Fatalf("%+v %q %v", r, damage, err)
	}
}
