package neighbors

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	goredis "github.com/redis/go-redis/v9"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/deploy/lab/box"
	"github.com/switchlet/switchlet/deploy/lab/labtest"
	"github.com/switchlet/switchlet/sonic/redis"
)

// Ids of SONiC's databases.
const (
	applDB   = 0
	configDB = 4
	stateDB  = 6
)

// sonicBox is a box with the lldp service's part played by the test.
type sonicBox struct {
	*box.Box
	t  testing.TB
	db map[int]*goredis.Client
}

func newBox(t testing.TB) *sonicBox {
	t.Helper()
	b := &sonicBox{Box: labtest.Box(t, box.Config{NoDaemons: true}), t: t, db: map[int]*goredis.Client{}}
	for _, id := range []int{applDB, configDB, stateDB} {
		b.db[id] = goredis.NewClient(&goredis.Options{Network: "unix", Addr: b.Socket(), DB: id, Protocol: 2})
		t.Cleanup(func() { _ = b.db[id].Close() })
	}
	return b
}

// set writes a row as lldp_syncd does: it deletes it, and writes each field by
// itself.
func (b *sonicBox) set(id int, key string, row map[string]string) {
	b.t.Helper()
	b.del(id, key)
	for field, value := range row {
		if err := b.db[id].HSet(b.t.Context(), key, field, value).Err(); err != nil {
			b.t.Fatal(err)
		}
	}
}

func (b *sonicBox) del(id int, key string) {
	b.t.Helper()
	if err := b.db[id].Del(b.t.Context(), key).Err(); err != nil {
		b.t.Fatal(err)
	}
}

// feature switches the lldp service on or off.
func (b *sonicBox) feature(state string) {
	b.t.Helper()
	if err := b.db[configDB].HSet(b.t.Context(), "FEATURE|lldp", "state", state).Err(); err != nil {
		b.t.Fatal(err)
	}
}

// counted counts the looks at a switch.
type counted struct {
	looker
	looks *atomic.Int64
}

func (c counted) look(ctx context.Context, now time.Time) (sight, error) {
	seen, err := c.looker.look(ctx, now)
	c.looks.Add(1)
	return seen, err
}

// running is a Watcher that runs.
type running struct {
	*Watcher
	t     testing.TB
	looks *atomic.Int64
	stop  func()
}

// run starts a watcher that looks all the time; it ends with the test.
func (b *sonicBox) run(cfg Config) *running {
	b.t.Helper()
	looks := new(atomic.Int64)
	cfg.DatabaseConfig, cfg.Log = b.DatabaseConfig(), slog.New(slog.DiscardHandler)
	cfg.StateDir = b.StateDir()
	cfg.Settle, cfg.Apart = time.Millisecond, 2*time.Millisecond
	if cfg.Poll == 0 {
		cfg.Poll = 10 * time.Millisecond
	}
	cfg.open = func() (looker, error) {
		source, err := openSource(b.DatabaseConfig())
		if err != nil {
			return nil, err
		}
		return counted{source, looks}, nil
	}
	w, damage, err := New(cfg)
	if err != nil || damage != "" {
		b.t.Fatalf("damage %q, error %v", damage, err)
	}
	ctx, cancel := context.WithCancel(b.t.Context())
	var all sync.WaitGroup
	all.Go(func() { w.Run(ctx) })
	stop := func() { cancel(); all.Wait() }
	b.t.Cleanup(stop)
	return &running{w, b.t, looks, stop}
}

// looked waits until the switch has been looked at anew, from begin to end.
func (r *running) looked() {
	r.t.Helper()
	before := r.looks.Load()
	until(r.t, func() bool { return r.looks.Load() >= before+2 })
}

// shows waits until the view is the given one: a line for each neighbour.
func (r *running) shows(want string) {
	r.t.Helper()
	want = strings.ReplaceAll(strings.TrimPrefix(want, "\n"), "\t", "")
	deadline := time.Now().Add(20 * time.Second)
	for {
		got := lines(r.View().Neighbors)
		if got == want {
			return
		}
		if time.Now().After(deadline) {
			r.t.Fatalf("(-want +got):\n%s", cmp.Diff(want, got))
		}
		time.Sleep(time.Millisecond)
	}
}

func lines(neighbors []v1alpha1.LLDPNeighbor) string {
	var text strings.Builder
	for _, n := range neighbors {
		line := strings.Join([]string{n.Port, n.SystemName, n.PortID, n.PortDescription}, " ")
		if n.Stale {
			line += " stale"
		}
		text.WriteString(line + "\n")
	}
	return text.String()
}

func until(t testing.TB, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("never")
		}
	}
}

func spine(name, port string) map[string]string {
	return row("4", "52:54:00:5c:00:0b", "7", port, "to-leaf1", name)
}

func TestSONiCsNeighbors(t *testing.T) {
	b := newBox(t)
	b.set(applDB, "LLDP_ENTRY_TABLE:Ethernet120", spine("spine1", "etp1"))
	b.set(applDB, "LLDP_ENTRY_TABLE:Ethernet8", row("7", "node1", "5", "eth1", "", "node1"))
	b.set(applDB, "LLDP_ENTRY_TABLE:eth0", spine("management", "1"))
	b.set(applDB, "LLDP_ENTRY_TABLE:Ethernet999", spine("a port that is none", "1"))
	w := b.run(Config{Gap: 50 * time.Millisecond})
	w.shows(`
		Ethernet8 node1 eth1 
		Ethernet120 spine1 etp1 to-leaf1
	`)
	if v := w.View(); v.SystemName != "leaf1" || v.ChassisID != "52:54:00:5c:00:01" || v.Own {
		t.Errorf("without LLDP_LOC_CHASSIS the switch is %q, %q", v.SystemName, v.ChassisID)
	}
	b.set(applDB, "LLDP_LOC_CHASSIS", map[string]string{locChassisSubtype: "4", locChassis: "52:54:00:5C:00:FF", locSystemName: "leaf1.example.org"})
	until(t, func() bool { return w.View().ChassisID == "52:54:00:5c:00:ff" })
	b.del(applDB, "LLDP_LOC_CHASSIS") // before it is written anew
	b.del(applDB, "LLDP_ENTRY_TABLE:Ethernet8")
	w.shows(`
		Ethernet8 node1 eth1  stale
		Ethernet120 spine1 etp1 to-leaf1
	`)
	if v := w.View(); v.SystemName != "leaf1.example.org" || v.ChassisID != "52:54:00:5c:00:ff" {
		t.Errorf("the switch is %q, %q", v.SystemName, v.ChassisID)
	}
	b.set(applDB, "LLDP_ENTRY_TABLE:Ethernet8", row("7", "node2", "5", "eth1", "", "node2"))
	w.shows(`
		Ethernet8 node2 eth1 
		Ethernet120 spine1 etp1 to-leaf1
	`)
}

// What lldp_syncd writes is seen without waiting for the next look, and a burst of it
// is one look.
func TestRowsAreAnnounced(t *testing.T) {
	b := newBox(t)
	w := b.run(Config{Poll: time.Hour})
	until(t, func() bool { return w.looks.Load() > 0 })
	b.set(applDB, "LLDP_ENTRY_TABLE:Ethernet120", spine("spine1", "etp1"))
	w.shows("Ethernet120 spine1 etp1 to-leaf1\n")
	before := w.looks.Load()
	for range 100 {
		b.set(applDB, "LLDP_ENTRY_TABLE:Ethernet120", spine("spine1", "etp1"))
	}
	b.set(applDB, "LLDP_ENTRY_TABLE:Ethernet124", spine("spine2", "etp1"))
	w.shows("Ethernet120 spine1 etp1 to-leaf1\nEthernet124 spine2 etp1 to-leaf1\n")
	if n := w.looks.Load() - before; n > 5 {
		t.Errorf("%d looks for a burst of rows", n)
	}
}

// Rows that are missing for a moment, or not written to their end, make no
// update.
func TestNobodyNoticesRowsWrittenAnew(t *testing.T) {
	b := newBox(t)
	b.set(applDB, "LLDP_ENTRY_TABLE:Ethernet120", spine("spine1", "etp1"))
	w := b.run(Config{Gap: time.Hour})
	w.shows("Ethernet120 spine1 etp1 to-leaf1\n")
	<-w.Changed()
	half := spine("", "etp1")
	delete(half, remPortDescription)
	for _, step := range []func(){
		func() { b.del(applDB, "LLDP_ENTRY_TABLE:Ethernet120") },
		func() { b.set(applDB, "LLDP_ENTRY_TABLE:Ethernet120", map[string]string{remPort: "etp1"}) },
		func() { b.set(applDB, "LLDP_ENTRY_TABLE:Ethernet120", half) },
		func() { b.set(applDB, "LLDP_ENTRY_TABLE:Ethernet120", spine("spine1", "etp1")) },
	} {
		step()
		w.looked()
	}
	select {
	case <-w.Changed():
		t.Errorf("an update:\n%s", lines(w.View().Neighbors))
	default:
	}
}

// While Redis is away, or SONiC loads its configuration, nobody is missed.
func TestSONiCAwayIsNotSilence(t *testing.T) {
	b := newBox(t)
	b.set(applDB, "LLDP_ENTRY_TABLE:Ethernet120", spine("spine1", "etp1"))
	w := b.run(Config{Gap: time.Millisecond})
	w.shows("Ethernet120 spine1 etp1 to-leaf1\n")
	<-w.Changed()
	if err := b.RestartKeepingData(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.looked()
	b.del(configDB, "CONFIG_DB_INITIALIZED")
	w.looked()
	b.del(applDB, "LLDP_ENTRY_TABLE:Ethernet120")
	w.looked()
	select {
	case <-w.Changed():
		t.Errorf("an update:\n%s", lines(w.View().Neighbors))
	default:
	}
	if err := b.db[configDB].Set(t.Context(), "CONFIG_DB_INITIALIZED", "1", 0).Err(); err != nil {
		t.Fatal(err)
	}
	w.shows("Ethernet120 spine1 etp1 to-leaf1 stale\n")
}

// What was known is there at once after a restart, stale until heard again.
func TestRestart(t *testing.T) {
	b := newBox(t)
	b.set(applDB, "LLDP_ENTRY_TABLE:Ethernet120", spine("spine1", "etp1"))
	b.set(applDB, "LLDP_ENTRY_TABLE:Ethernet124", spine("spine2", "etp1"))
	w := b.run(Config{})
	w.shows("Ethernet120 spine1 etp1 to-leaf1\nEthernet124 spine2 etp1 to-leaf1\n")
	w.stop()
	b.del(applDB, "LLDP_ENTRY_TABLE:Ethernet124")
	again, damage, err := New(Config{StateDir: b.StateDir(), Log: slog.New(slog.DiscardHandler)})
	if err != nil || damage != "" {
		t.Fatal(damage, err)
	}
	<-again.Changed()
	v := again.View()
	if got := lines(v.Neighbors); got != "Ethernet120 spine1 etp1 to-leaf1 stale\nEthernet124 spine2 etp1 to-leaf1 stale\n" || v.SystemName != "leaf1" {
		t.Errorf("%+v", v)
	}
	b.run(Config{}).shows("Ethernet120 spine1 etp1 to-leaf1\nEthernet124 spine2 etp1 to-leaf1 stale\n")
}

// A port that is broken out takes its neighbours with it, and its parts have
// their own.
func TestSourceSeesPortsComeAndGo(t *testing.T) {
	b := newBox(t)
	source, err := openSource(b.DatabaseConfig())
	if err != nil {
		t.Fatal(err)
	}
	defer source.close()
	seen, err := source.look(t.Context(), start())
	if err != nil || len(seen.ports) != 32 || seen.service != (service{Feature: "enabled"}) {
		t.Fatalf("%+v, error %v", seen, err)
	}
	if p := seen.ports["Ethernet4"]; p.Alias == "" || p.Alias == "Ethernet4" || p.Description == "" {
		t.Errorf("Ethernet4 is %+v", p)
	}
	b.del(configDB, "PORT|Ethernet4")
	b.set(configDB, "PORT|Ethernet6", map[string]string{"alias": "etp2b", "lanes": "7,8"})
	b.set(configDB, "PORT|Ethernet-Rec0", map[string]string{"alias": "Rec0", "lanes": "221", "role": "Rec"})
	b.set(stateDB, "FEATURE|lldp", map[string]string{"system_state": "down", "container_id": ""})
	seen, err = source.look(t.Context(), start().Add(time.Second))
	if _, there := seen.ports["Ethernet4"]; err != nil || !there || seen.service.System != "down" {
		t.Errorf("%+v, error %v", seen, err)
	}
	seen, err = source.look(t.Context(), start().Add(relist))
	if _, there := seen.ports["Ethernet4"]; err != nil || there || len(seen.ports) != 32 {
		t.Errorf("ports %+v, error %v", seen.ports, err)
	}
	if want := (port{Alias: "etp2b", Description: "Ethernet6"}); seen.ports["Ethernet6"] != want {
		t.Errorf("Ethernet6 is %+v, want %+v", seen.ports["Ethernet6"], want)
	}
	b.del(configDB, "CONFIG_DB_INITIALIZED")
	if _, err := source.look(t.Context(), start().Add(relist)); !errors.Is(err, redis.ErrNotInitialized) {
		t.Errorf("error is %v", err)
	}
}
