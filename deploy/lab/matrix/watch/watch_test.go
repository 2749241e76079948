package watch_test

import (
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/switchlet/switchlet/deploy/lab/matrix"
	"github.com/switchlet/switchlet/deploy/lab/matrix/matrixtest"
	"github.com/switchlet/switchlet/deploy/lab/matrix/plug"
	"github.com/switchlet/switchlet/deploy/lab/matrix/watch"
)

// scene is a fabric with two VPCs that use the same addresses, and a watch of it.
type scene struct {
	*matrixtest.Fabric
	t         *testing.T
	endpoints []matrix.Endpoint
	plugs     *plug.Plugs
	watch     *watch.Watch
}

const rate = 100

func begin(t *testing.T) *scene {
	f := matrixtest.New(t)
	f.Subnet("a/blue", "web", "10.1.0.0/24", "fd00:1::/64")
	f.Subnet("a/blue", "db", "10.1.1.0/24")
	f.Subnet("b/red", "app", "10.1.0.0/24", "fd00:1::/64")
	f.Subnet("b/red", "ops", "10.2.0.0/24", "fd00:3::/64")
	s := &scene{Fabric: f, t: t, plugs: plug.New(slog.New(slog.DiscardHandler)), endpoints: []matrix.Endpoint{
		f.Host("host1", "eth1", "a/blue", "web"), f.Host("host2", "eth1", "a/blue", "web"), f.Host("host3", "eth1", "a/blue", "db"),
		f.Host("host1", "eth2", "b/red", "app"), f.Host("host3", "eth2", "b/red", "ops"),
	}}
	var err error
	if s.watch, err = watch.New(watch.Config{Rate: rate, ForbiddenRate: rate / 2, Run: 7}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := s.watch.Stop(); err != nil {
			t.Error(err)
		}
		if err := s.plugs.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// epoch has some of the endpoints there.
func (s *scene) epoch(name string, endpoints ...matrix.Endpoint) {
	s.t.Helper()
	if err := s.plugs.Set(endpoints); err != nil {
		s.t.Fatal(err)
	}
	if err := s.watch.Set(name, s.plugs.Rooms(), matrix.VPCRules().Expect(endpoints)); err != nil {
		s.t.Fatal(err)
	}
}

// until waits until a report is as it should be.
func (s *scene) until(what string, good func(watch.Report) bool) watch.Report {
	s.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		r := s.watch.Report()
		if good(r) {
			return r
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("not seen: %s; %+v", what, r)
		}
	}
}

// flowing says that every flow has brought so many packets.
func flowing(count uint64) func(watch.Report) bool {
	return func(r watch.Report) bool {
		return len(r.Flows) > 0 && !slices.ContainsFunc(r.Flows, func(f watch.Flow) bool { return !f.Ended && f.Received < count })
	}
}

func (s *scene) stop() watch.Report {
	s.t.Helper()
	r, err := s.watch.Stop()
	if err != nil {
		s.t.Fatal(err)
	}
	return r
}

func TestNothingIsLostAndNothingLeaks(t *testing.T) {
	s := begin(t)
	s.epoch("all", s.endpoints...)
	s.until("packets of all flows", flowing(100))
	r := s.stop()
	if len(r.Leaks) > 0 || r.Dropped > 0 {
		t.Errorf("%d frames dropped, leaks %+v", r.Dropped, r.Leaks)
	}
	// blue: six pairs by IPv4 and two by IPv6; red: two by each.
	if len(r.Flows) != 6+2+2+2 {
		t.Errorf("%d flows", len(r.Flows))
	}
	for _, f := range r.Flows {
		// Late ones are none of the network's: a sender that goes from one processor to
		// another leaves frames in the queue of the first.
		if f.Lost > 0 || f.Duplicates > 0 || f.Received < 100 || f.Received > f.Sent || f.WaitedMS > 2000 {
			t.Errorf("%+v", f)
		}
	}
}

// A cable that passes nothing for 300 ms: flows from and to it say so, others do not.
func TestLossIsMeasured(t *testing.T) {
	s := begin(t)
	s.epoch("all", s.endpoints...)
	s.until("packets of all flows", flowing(30))
	mend := s.Cut(s.endpoints[1])
	began := time.Now()
	time.Sleep(300 * time.Millisecond) // this is what is measured
	mend()
	took := time.Since(began)
	s.until("packets afterwards", flowing(100))
	for _, f := range s.stop().Flows {
		affected := strings.Contains(f.From+f.To, "host2")
		ms := float64(took.Milliseconds())
		if affected && (f.Longest.MS < ms-50 || f.Longest.MS > ms+250 || f.Lost != f.Longest.Lost) {
			t.Errorf("a cable that passed nothing for %v: %+v", took, f)
		}
		if !affected && f.Lost > 0 {
			t.Errorf("a cable of others: %+v", f)
		}
	}
}

// kinds are what leaked from one segment to another, sorted, each once.
func kinds(r watch.Report, from, at string) []string {
	var list []string
	for _, l := range r.Leaks {
		if strings.Contains(l.From, from) && strings.Contains(l.At, at) {
			list = append(list, l.Kind+": "+l.Reason)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

func leaks(from, at string, want ...string) func(watch.Report) bool {
	return func(r watch.Report) bool { return slices.Equal(kinds(r, from, at), want) }
}

// Two bridges of different VPCs are one for a moment. Whoever sends is heard on the other
// side: by broadcasts, by what is sent to addresses that both have, and by frames that
// are flooded.
func TestBridgesOfTwoVPCsLeak(t *testing.T) {
	s := begin(t)
	s.epoch("all", s.endpoints...)
	s.until("packets of all flows", flowing(10))
	s.Bridge("a/blue/web", "b/red/app")
	all := []string{"broadcast: other VPC", "forbidden: other VPC", "stray: other VPC"}
	s.until("leaks from blue to red", leaks("a/blue/web", "b/red/app", all...))
	r := s.until("leaks from red to blue", leaks("b/red/app", "a/blue/web", all...))
	for _, l := range r.Leaks {
		if l.Count == 0 || l.Bytes < l.Count*60 || l.First.After(l.Last) || l.Epoch != "all" {
			t.Errorf("%+v", l)
		}
	}
}

// Two subnets of one VPC are one broadcast domain: frames pass that no gateway has sent.
func TestBridgesOfOneVPCLeak(t *testing.T) {
	s := begin(t)
	s.epoch("all", s.endpoints...)
	s.until("packets of all flows", flowing(10))
	s.Bridge("b/red/app", "b/red/ops")
	s.until("broadcasts and strays", func(r watch.Report) bool {
		seen := kinds(r, "b/red/app", "b/red/ops")
		return slices.Contains(seen, "broadcast: other subnet") && slices.Contains(seen, "stray: other subnet")
	})
}

// A VPC has a route into another one, which has none back: no one gets an answer, and
// yet it leaks.
func TestRouteBetweenVPCsLeaks(t *testing.T) {
	s := begin(t)
	s.epoch("all", s.endpoints...)
	s.until("packets of all flows", flowing(10))
	s.Route("a/blue", "b/red")
	r := s.until("leaks to ops", leaks("a/blue/web", "b/red/ops", "forbidden: other VPC"))
	for _, l := range r.Leaks {
		if l.Kind != "forbidden" {
			t.Errorf("%+v", l)
		}
	}
}

// The network brings a subnet to a NIC before anyone says that it is attached there, as a
// host's NIC that was used for another subnet: that is a leak until it is said.
func TestAttachedBeforeItIsSaid(t *testing.T) {
	s := begin(t)
	web, app := s.endpoints[0], s.endpoints[3]
	stale := s.Host("host2", "eth3", "b/red", "app") // that is where the cable leads
	said := stale
	said.VPC, said.Subnet, said.VLAN = "a/blue", "db", 0
	said.Addresses, said.Gateways = s.endpoints[2].Addresses, s.endpoints[2].Gateways
	both := []string{"broadcast: other VPC", "stray: other VPC"}
	s.epoch("before", web, app, said)
	s.until("a leak", leaks("b/red/app", "host2/eth3", both...))
	s.epoch("after", web, app, stale)
	r := s.until("packets to host2", func(r watch.Report) bool {
		return slices.ContainsFunc(r.Flows, func(f watch.Flow) bool { return strings.Contains(f.To, "host2/eth3 b/red") && f.Received > 10 })
	})
	if got := kinds(r, "b/red/app", "host2/eth3"); !slices.Equal(got, both) {
		t.Errorf("afterwards there is %v: what came to another VPC's endpoint stays a leak", got)
	}
	for _, f := range r.Flows {
		if blue := strings.Contains(f.From+f.To, "a/blue/db"); f.Ended != blue {
			t.Errorf("%+v", f)
		}
	}
	if len(r.Epochs) != 2 || r.Epochs[1].Name != "after" || r.Leaks[0].Epoch != "before" {
		t.Errorf("epochs %+v, leaks %+v", r.Epochs, r.Leaks)
	}
}

// An endpoint that comes later is heard from then on, and one that goes ends its flows.
func TestEndpointsComeAndGo(t *testing.T) {
	s := begin(t)
	s.epoch("one", s.endpoints[0], s.endpoints[1])
	s.until("packets", flowing(10))
	s.epoch("two", s.endpoints[0], s.endpoints[2])
	s.until("packets", flowing(10))
	s.epoch("three", s.endpoints[:3]...)
	s.until("packets", flowing(20))
	r := s.stop()
	if len(r.Leaks) > 0 || len(r.Epochs) != 3 {
		t.Errorf("epochs %+v, leaks %+v", r.Epochs, r.Leaks)
	}
	for _, f := range r.Flows {
		if f.Lost > 0 || f.Ended {
			t.Errorf("%+v", f)
		}
	}
}
