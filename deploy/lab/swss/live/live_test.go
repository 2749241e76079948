package live_test

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"github.com/switchlet/switchlet/deploy/lab/box"
	"github.com/switchlet/switchlet/deploy/lab/labtest"
	"github.com/switchlet/switchlet/deploy/lab/swss"
	"github.com/switchlet/switchlet/deploy/lab/swss/live"
)

// lab is a box with daemons on it.
type lab struct {
	*testing.T
	box *box.Box
	*live.Service
	db map[string]*redis.Client
}

func start(t *testing.T, cfg swss.Config) *lab {
	t.Helper()
	cfg.Tick = cmp.Or(cfg.Tick, 20*time.Millisecond)
	b := labtest.Box(t, box.Config{NoDaemons: true})
	service, err := live.New(live.Config{DatabaseConfig: b.DatabaseConfig(), Daemons: cfg})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- service.Run(ctx) }()
	l := &lab{t, b, service, map[string]*redis.Client{}}
	for name, id := range map[string]int{"CONFIG_DB": 4, swss.StateDB: 6, swss.ApplDB: 0, swss.AsicDB: 1} {
		l.db[name] = redis.NewClient(&redis.Options{Network: "unix", Addr: b.Socket(), DB: id, Protocol: 2, DisableIdentity: true})
	}
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		for _, c := range l.db {
			c.Close()
		}
	})
	l.quiet()
	return l
}

func (l *lab) quiet() {
	l.Helper()
	ctx, cancel := context.WithTimeout(l.Context(), time.Minute)
	defer cancel()
	if err := l.Quiet(ctx); err != nil {
		l.Fatalf("%v\n%s", err, l.Dump())
	}
}

func (l *lab) must(err error) {
	l.Helper()
	if err != nil {
		l.Fatal(err)
	}
}

// row is a row in Redis, "" if there is none.
func (l *lab) row(db, key string) string {
	l.Helper()
	row, err := l.db[db].HGetAll(l.Context(), key).Result()
	l.must(err)
	return swss.Row(row).String()
}

// dump is the rows of the daemons' tables as Redis has them.
func (l *lab) dump() string {
	l.Helper()
	var lines []string
	for _, db := range []string{swss.StateDB, swss.ApplDB, swss.AsicDB} {
		keys, err := l.db[db].Keys(l.Context(), "*").Result()
		l.must(err)
		for _, key := range keys {
			lines = append(lines, db+" "+key+" "+l.row(db, key))
		}
	}
	return sorted(lines)
}

func sorted(lines []string) string {
	set := map[string]bool{}
	for _, line := range lines {
		set[line] = true
	}
	var b strings.Builder
	for _, line := range sortedKeys(set) {
		b.WriteString(line + "\n")
	}
	return b.String()
}

// What Redis has is what the daemons think it has.
func (l *lab) checkRedis() {
	l.Helper()
	var want []string
	for line := range strings.Lines(l.Dump()) {
		if !strings.HasPrefix(line, "pending ") {
			want = append(want, strings.TrimSuffix(line, "\n"))
		}
	}
	if diff := gocmp.Diff(sorted(want), l.dump()); diff != "" {
		l.Errorf("rows in Redis (-of the daemons +in Redis):\n%s", diff)
	}
}

func (l *lab) checkMistakes(want string, allowed ...swss.Kind) {
	l.Helper()
	if diff := gocmp.Diff(want, swss.Report(l.Mistakes(allowed...))); diff != "" {
		l.Errorf("mistakes (-want +got):\n%s", diff)
	}
}

func (l *lab) config() *redis.Client { return l.db["CONFIG_DB"] }

func TestTheBoxComesUp(t *testing.T) {
	l := start(t, swss.Config{})
	for _, want := range []struct{ db, key, row string }{
		{swss.StateDB, "VLAN_TABLE|Vlan10", "state=ok"},
		{swss.StateDB, "VLAN_MEMBER_TABLE|Vlan10|Ethernet16", "state=ok"},
		{swss.StateDB, "INTERFACE_TABLE|Ethernet120|10.1.1.0/31", "state=ok"},
		{swss.ApplDB, "LAG_MEMBER_TABLE:PortChannel0001:Ethernet112", "status=enabled"},
		{swss.StateDB, "PORT_TABLE|Ethernet0", "admin_status=up host_tx_ready=true mtu=9100 netdev_oper_status=up state=ok"},
	} {
		if got := l.row(want.db, want.key); got != want.row {
			t.Errorf("%s %s = %q, want %q", want.db, want.key, got, want.row)
		}
	}
	l.checkMistakes("")
	l.checkRedis()
}

func TestMarkersFollowWrites(t *testing.T) {
	l := start(t, swss.Config{})
	c := l.config()
	l.must(c.HSet(t.Context(), "VRF|Vrf7", "vni", "0").Err())
	l.must(c.HSet(t.Context(), "VLAN|Vlan100", "vlanid", "100").Err())
	l.must(c.HSet(t.Context(), "VLAN_INTERFACE|Vlan100", "vrf_name", "Vrf7", "mac_addr", "00:00:5e:00:01:01").Err())
	l.quiet()
	if got := l.row(swss.StateDB, "INTERFACE_TABLE|Vlan100"); got != "vrf=Vrf7" {
		t.Errorf("INTERFACE_TABLE|Vlan100 = %q", got)
	}
	l.must(c.HSet(t.Context(), "VRF|Vrf7", "vni", "0").Err())
	l.quiet()
	l.must(c.Del(t.Context(), "VLAN|Vlan100").Err())
	l.quiet()
	l.checkMistakes("Needless VRF|Vrf7: set to what it has: vni=0\n" +
		"InUse VLAN|Vlan100: deleted while VLAN_INTERFACE|Vlan100 needs it\n")
	if lines := l.Errors(); len(lines) == 0 || !strings.Contains(lines[0], "Failed to remove ref count 1 VLAN Vlan100") {
		t.Errorf("errors = %q", lines)
	}
	l.checkRedis()
}

// A row that is written several times within the daemons' delay, or within one
// transaction, is one change to them; nobody is blamed for the other events.
func TestEventsOfARowThatWasReadAlreadyAreNoMistake(t *testing.T) {
	l := start(t, swss.Config{Manager: time.Millisecond})
	c := l.config()
	for i := range 200 {
		_, err := c.TxPipelined(t.Context(), func(p redis.Pipeliner) error {
			p.HSet(t.Context(), "VLAN|Vlan100", "vlanid", "100", "description", fmt.Sprint(i))
			p.HSet(t.Context(), "VLAN|Vlan100", fmt.Sprintf("field%d", i), "x")
			p.HDel(t.Context(), "VLAN|Vlan100", fmt.Sprintf("field%d", i-1))
			return nil
		})
		l.must(err)
	}
	l.quiet()
	l.checkMistakes("")
}

func TestReload(t *testing.T) {
	l := start(t, swss.Config{})
	fresh := l.dump()
	l.must(l.config().HSet(t.Context(), "VLAN|Vlan100", "vlanid", "100").Err())
	l.quiet()
	l.must(l.box.Reload(t.Context()))
	l.quiet()
	if diff := gocmp.Diff(fresh, l.dump()); diff != "" {
		t.Errorf("after the reload (-as at first +now):\n%s", diff)
	}
	l.checkMistakes("")
}

// Who was told that the daemons are at rest meets no restart of theirs later that
// is due to something of before: CONFIG_DB_INITIALIZED may be set while they start.
func TestQuietWaitsForTheLastRestart(t *testing.T) {
	l := start(t, swss.Config{})
	const canary = "VLAN_TABLE|canary" // goes when the daemons start again
	for range 20 {
		_, err := l.config().Pipelined(t.Context(), func(p redis.Pipeliner) error { // as sonic-cfggen loads a file
			p.Set(t.Context(), "CONFIG_DB_INITIALIZED", "0", 0)
			for n := range 1000 {
				p.HSet(t.Context(), fmt.Sprintf("TEST|%d", n), "field", "value")
			}
			p.Set(t.Context(), "CONFIG_DB_INITIALIZED", "1", 0)
			return nil
		})
		l.must(err)
		l.quiet()
		l.must(l.db[swss.StateDB].HSet(t.Context(), canary, "state", "ok").Err())
		l.must(l.config().HSet(t.Context(), "TEST|row", "field", "value").Err())
		l.quiet()
		if l.row(swss.StateDB, canary) == "" {
			t.Fatal("the daemons started again after they had come to rest")
		}
	}
}

func TestStopAndStart(t *testing.T) {
	l := start(t, swss.Config{})
	up := l.dump()
	l.must(l.Put(t.Context(), swss.Write{DB: swss.ApplDB, Key: "LLDP_ENTRY_TABLE:Ethernet0", Fields: swss.Row{"lldp_rem_sys_name": "spine1"}}))
	l.must(l.Stop(t.Context()))
	if got, want := l.dump(), "APPL_DB LLDP_ENTRY_TABLE:Ethernet0 lldp_rem_sys_name=spine1\n"; got != want {
		t.Errorf("while stopped Redis has\n%swant only\n%s", got, want)
	}
	l.must(l.config().HSet(t.Context(), "VLAN|Vlan100", "vlanid", "100").Err())
	l.quiet()
	l.must(l.Start(t.Context()))
	l.quiet()
	if l.row(swss.StateDB, "VLAN_TABLE|Vlan100") != "state=ok" || l.dump() == up {
		t.Error("what was written while the daemons were stopped is not there")
	}
	l.must(l.SetLink(t.Context(), "Ethernet0", false))
	if got := l.row(swss.ApplDB, "PORT_TABLE:Ethernet0"); !strings.Contains(got, "oper_status=down") {
		t.Errorf("with its cable out Ethernet0 is %s", got)
	}
	l.checkMistakes("")
}

func TestRedisGoesAndComesBack(t *testing.T) {
	l := start(t, swss.Config{})
	for name, restart := range map[string]func() error{
		"keeping data": func() error { return l.box.RestartKeepingData(t.Context()) },
		"killed": func() error {
			if err := l.box.Kill(); err != nil {
				return err
			}
			return l.box.Boot(t.Context())
		},
	} {
		t.Run(name, func(t *testing.T) {
			before := l.dump()
			if err := restart(); err != nil {
				t.Fatal(err)
			}
			l.quiet()
			if diff := gocmp.Diff(before, l.dump()); diff != "" {
				t.Errorf("(-before +after):\n%s", diff)
			}
			l.checkRedis()
		})
	}
	l.checkMistakes("")
}

func TestAMarkerThatNeverComes(t *testing.T) {
	l := start(t, swss.Config{})
	l.must(l.Hang(t.Context(), "VRF_TABLE:Vrf7"))
	l.must(l.config().HSet(t.Context(), "VRF|Vrf7", "vni", "0").Err())
	l.quiet()
	if got := l.row(swss.StateDB, "VRF_OBJECT_TABLE|Vrf7"); got != "" {
		t.Errorf("VRF_OBJECT_TABLE|Vrf7 = %q although orchagent hangs", got)
	}
	l.must(l.Heal(t.Context(), ""))
	l.quiet()
	if got := l.row(swss.StateDB, "VRF_OBJECT_TABLE|Vrf7"); got != "state=ok" {
		t.Errorf("VRF_OBJECT_TABLE|Vrf7 = %q, healed", got)
	}
}
