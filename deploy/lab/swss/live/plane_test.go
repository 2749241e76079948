package live_test

import (
	"context"
	"errors"
	"maps"
	"sync"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/switchlet/switchlet/deploy/lab/box"
	"github.com/switchlet/switchlet/deploy/lab/labtest"
	"github.com/switchlet/switchlet/deploy/lab/swss"
	"github.com/switchlet/switchlet/deploy/lab/swss/live"
)

// plane forwards nothing and remembers what it was told.
type plane struct {
	mu     sync.Mutex
	look   func(appl, state map[string]swss.Row) error
	report live.Reports
	ready  chan struct{}
}

func (p *plane) Set(rows func(string) map[string]swss.Row) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.look == nil {
		return nil
	}
	return p.look(rows(swss.ApplDB), rows(swss.StateDB))
}

func (p *plane) Run(ctx context.Context, to live.Reports) {
	p.report = to
	close(p.ready)
	<-ctx.Done()
}

// then has the plane look at what it is told from now on.
func (p *plane) then(look func(appl, state map[string]swss.Row) error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.look = look
}

func startPlane(t *testing.T, restarted func()) (*lab, *plane) {
	t.Helper()
	p := &plane{ready: make(chan struct{})}
	b := labtest.Box(t, box.Config{Plane: p, DaemonsRestarted: restarted})
	l := &lab{t, b, b.Daemons(), map[string]*redis.Client{}}
	for name, id := range map[string]int{"CONFIG_DB": 4, swss.StateDB: 6, swss.ApplDB: 0, swss.CountersDB: 2} {
		l.db[name] = redis.NewClient(&redis.Options{Network: "unix", Addr: b.Socket(), DB: id, Protocol: 2, DisableIdentity: true})
		t.Cleanup(func() { l.db[name].Close() })
	}
	<-p.ready
	l.quiet()
	return l, p
}

// A marker that can be read means that the switch forwards so, and one that is gone
// that it no longer does.
func TestAPlaneForwardsBeforeAMarkerCanBeRead(t *testing.T) {
	l, p := startPlane(t, nil)
	const key = "VLAN_TABLE|Vlan100"
	told := map[bool]int{} // whether the VLAN is there → how often it was otherwise in Redis then
	p.then(func(_, state map[string]swss.Row) error {
		if _, there := state[key]; there == (l.row(swss.StateDB, key) == "") {
			told[there]++
		}
		return nil
	})
	l.write("VLAN|Vlan100 vlanid=100")
	l.await(comes(swss.StateDB, key))
	l.write("-VLAN|Vlan100")
	l.await(goes(swss.StateDB, key))
	l.quiet()
	p.then(nil)
	if told[true] == 0 || told[false] == 0 {
		t.Errorf("%d times the plane knew of the VLAN first, %d times that it is gone, want both", told[true], told[false])
	}
}

// A plane that fails is to the daemons what a command that fails is to SONiC's: they
// start again, with a plane that is told of nothing first.
func TestDaemonsStartAgainWhenThePlaneFails(t *testing.T) {
	restarts := make(chan struct{}, 16)
	l, p := startPlane(t, func() { restarts <- struct{}{} })
	var history []int // how many VLANs the plane was told of
	failed := false
	p.then(func(_, state map[string]swss.Row) error {
		n := 0
		for key := range maps.Keys(state) {
			if len(key) > 11 && key[:11] == "VLAN_TABLE|" {
				n++
			}
		}
		history = append(history, n)
		if _, there := state["VLAN_TABLE|Vlan100"]; there && !failed {
			failed = true
			return errors.New("no room")
		}
		return nil
	})
	l.write("VLAN|Vlan100 vlanid=100")
	l.await(comes(swss.StateDB, "VLAN_TABLE|Vlan100"))
	<-restarts
	p.then(nil)
	if len(history) < 3 || history[0] != 3 || history[1] != 0 || history[len(history)-1] != 3 {
		t.Errorf("the plane was told of so many VLANs: %v, want 3, then none, then 3", history)
	}
}

// Carriers and counters that a plane tells of are in the databases.
func TestAPlaneTellsOfPorts(t *testing.T) {
	l, p := startPlane(t, nil)
	check := func(port, want string) {
		t.Helper()
		if got := l.db[swss.ApplDB].HGet(t.Context(), "PORT_TABLE:"+port, "oper_status").Val(); got != want {
			t.Errorf("oper_status of %s is %q, want %s", port, got, want)
		}
	}
	check("Ethernet0", "down") // nobody said that it has a cable
	l.must(p.report.SetLinks(t.Context(), map[string]bool{"Ethernet0": true, "Ethernet4": false}))
	check("Ethernet0", "up")
	check("Ethernet4", "down")
	l.must(p.report.SetLinks(t.Context(), map[string]bool{"Ethernet4": true}))
	check("Ethernet0", "down")
	check("Ethernet4", "up")
	l.must(p.report.Put(t.Context(), swss.Write{DB: swss.CountersDB, Key: "COUNTERS_PORT_NAME_MAP", Fields: swss.Row{"Ethernet0": "oid:0x1"}}))
	if got := l.row(swss.CountersDB, "COUNTERS_PORT_NAME_MAP"); got != "Ethernet0=oid:0x1" {
		t.Errorf("counters are %q", got)
	}
	l.checkMistakes("")
}
