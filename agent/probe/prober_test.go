package probe_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	goredis "github.com/redis/go-redis/v9"

	"github.com/switchlet/switchlet/agent/probe"
	"github.com/switchlet/switchlet/deploy/lab/box"
	"github.com/switchlet/switchlet/deploy/lab/labtest"
	"github.com/switchlet/switchlet/sonic"
	"github.com/switchlet/switchlet/sonic/redis"
)

// daemons are SONiC's databases in memory: database and table, row, fields. nil
// is a Redis that is away.
type daemons map[string]map[string]map[string]string

var errAway = errors.New("connection refused")

func (d daemons) Names(_ context.Context, database, table string) ([]string, error) {
	if d == nil {
		return nil, errAway
	}
	return slices.Sorted(maps.Keys(d[database+" "+table])), nil
}

func (d daemons) Rows(_ context.Context, database, table string, names []string) (map[string]map[string]string, error) {
	if d == nil {
		return nil, errAway
	}
	rows := map[string]map[string]string{}
	for _, name := range names {
		if row, ok := d[database+" "+table][name]; ok {
			rows[name] = row
		}
	}
	return rows, nil
}

// leaf is a switch with two routed uplinks, one of them in a port channel, a
// switch on a bare port, and servers.
func leaf() daemons {
	up := map[string]string{"oper_status": "up"}
	sonicSwitch := map[string]string{"lldp_rem_sys_name": "spine1", "lldp_rem_sys_desc": "SONiC Software Version: SONiC.202505 - HwSku: Accton-AS7726-32X", "lldp_rem_sys_cap_enabled": "28 00"}
	otherSwitch := map[string]string{"lldp_rem_chassis_id": "00:1c:73:00:00:01", "lldp_rem_sys_desc": "Arista Networks EOS", "lldp_rem_sys_cap_enabled": "28 00"}
	hypervisor := map[string]string{"lldp_rem_sys_name": "node1", "lldp_rem_sys_desc": "Debian GNU/Linux 12", "lldp_rem_sys_cap_enabled": "28 00"}
	server := map[string]string{"lldp_rem_sys_name": "node2", "lldp_rem_sys_desc": "Debian GNU/Linux 12", "lldp_rem_sys_cap_enabled": "00 80"}
	return daemons{
		"APPL_DB PORT_TABLE": {"Ethernet0": up, "Ethernet4": up, "Ethernet8": up, "Ethernet12": {"oper_status": "down"}, "Ethernet16": up, "Ethernet20": up, "Ethernet24": up},
		"APPL_DB LAG_TABLE":  {"PortChannel1": up},
		"APPL_DB LLDP_ENTRY_TABLE": {
			"Ethernet0": sonicSwitch, "Ethernet4": otherSwitch, "Ethernet16": hypervisor, "Ethernet20": server, "Ethernet24": server,
		},
		"STATE_DB NEIGH_STATE_TABLE": {"10.0.0.1": {"state": "Established"}, "fc00::1": {"state": "Active"}},
	}
}

func leafConfig() sonic.DB {
	rows := sonic.DB{}
	for _, port := range []string{"Ethernet0", "Ethernet4", "Ethernet8", "Ethernet12", "Ethernet16", "Ethernet20", "Ethernet24"} {
		rows[sonic.Key{Table: sonic.TablePort, Name: port}] = nil
	}
	for _, key := range []string{
		"INTERFACE|Ethernet0", "INTERFACE|Ethernet0|10.0.0.0/31", "INTERFACE|Ethernet12", "PORTCHANNEL_INTERFACE|PortChannel1",
		"VLAN_MEMBER|Vlan100|Ethernet16", "VLAN_MEMBER|Vlan100|Ethernet20",
	} {
		parsed, _ := sonic.ParseKey(key)
		rows[parsed] = nil
	}
	return rows
}

// lines has a line for each result.
func lines(results []probe.Result) string {
	var text strings.Builder
	for _, r := range results {
		text.WriteString(r.Name + " " + r.State.String() + ": " + r.Detail + "\n")
	}
	return text.String()
}

func compare(t *testing.T, what, want string, results []probe.Result) {
	t.Helper()
	want = strings.ReplaceAll(strings.TrimPrefix(want, "\n"), "\t", "")
	if diff := cmp.Diff(want, lines(results)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func TestBaselineAndCheck(t *testing.T) {
	state, reachable := leaf(), true
	prober := probe.New(probe.Config{Tables: state, APIServer: func(context.Context) error {
		if !reachable {
			return errors.New("no route to host")
		}
		return nil
	}})
	before := prober.Baseline(t.Context(), leafConfig())
	compare(t, "before", `
		apiserver works: reachable
		bgp/10.0.0.1 works: state is Established
		bgp/fc00::1 broken: state is Active
		lldp/Ethernet0 works: neighbor spine1
		lldp/Ethernet4 works: neighbor 00:1c:73:00:00:01
		uplink/Ethernet0 works: oper_status is up
		uplink/Ethernet12 broken: oper_status is down
		uplink/Ethernet4 works: oper_status is up
		uplink/PortChannel1 works: oper_status is up
	`, before)

	delete(state["APPL_DB LLDP_ENTRY_TABLE"], "Ethernet4")
	state["APPL_DB PORT_TABLE"]["Ethernet0"] = map[string]string{"oper_status": "down"}
	delete(state["APPL_DB LAG_TABLE"], "PortChannel1")
	state["STATE_DB NEIGH_STATE_TABLE"]["10.0.0.1"] = map[string]string{"state": "Connect"}
	reachable = false
	after := prober.Check(t.Context(), probe.Working(before))
	want := `
		apiserver broken: cannot be reached: no route to host
		bgp/10.0.0.1 broken: state is Connect
		lldp/Ethernet4 broken: no neighbor
		uplink/Ethernet0 broken: oper_status is down
		uplink/PortChannel1 broken: oper_status is missing
	`
	compare(t, "lost", want, probe.Lost(before, after))
	if len(after) != len(probe.Working(before)) {
		t.Errorf("asked for %q, got\n%s", probe.Working(before), lines(after))
	}
}

func TestSessionsOfFRR(t *testing.T) {
	sessions, err := []probe.Neighbor{{Peer: "Ethernet0", Established: true, Detail: "Established"}, {VRF: "Vrf20001", Peer: "10.9.0.1", Established: true}}, error(nil)
	prober := probe.New(probe.Config{Tables: leaf(), Sessions: func(context.Context) ([]probe.Neighbor, error) { return sessions, err }})
	names := []string{"bgp/Ethernet0", "bgp/Vrf20001/10.9.0.1"}
	if got := probe.Working(prober.Baseline(t.Context(), nil)); !slices.Equal(got, names) {
		t.Fatalf("works before: %q, want %q", got, names)
	}
	sessions = []probe.Neighbor{{VRF: "default", Peer: "Ethernet0", Detail: "Idle"}}
	compare(t, "down and gone", `
		bgp/Ethernet0 broken: Idle
		bgp/Vrf20001/10.9.0.1 broken: FRR has no such neighbor
	`, prober.Check(t.Context(), names))
	err = errors.New("vtysh: connection refused")
	compare(t, "FRR cannot be asked", `
		bgp/Ethernet0 unknown: vtysh: connection refused
		bgp/Vrf20001/10.9.0.1 unknown: vtysh: connection refused
	`, prober.Check(t.Context(), names))
}

// What cannot be asked is unknown, not broken; what is no probe of ours too.
func TestUnknown(t *testing.T) {
	prober := probe.New(probe.Config{Tables: daemons(nil)})
	names := []string{"apiserver", "bgp/10.0.0.1", "lldp/Ethernet0", "uplink/Ethernet0", "weather"}
	compare(t, "Redis is away", `
		apiserver unknown: not probed
		bgp/10.0.0.1 unknown: connection refused
		lldp/Ethernet0 unknown: connection refused
		uplink/Ethernet0 unknown: connection refused
		weather unknown: no answer in time
	`, prober.Check(t.Context(), names))
	compare(t, "Redis is away from the start", `
		apiserver unknown: not probed
		bgp unknown: connection refused
		uplink unknown: connection refused
	`, prober.Baseline(t.Context(), leafConfig()))
}

// What is known already is not asked again.
func TestBaselineKnown(t *testing.T) {
	prober := probe.New(probe.Config{Tables: daemons{}, APIServer: func(context.Context) error {
		t.Error("it was asked")
		return nil
	}})
	known := probe.Result{Name: "apiserver", State: probe.Works, Detail: "sent something just now"}
	if got := prober.Baseline(t.Context(), nil, known); len(got) != 1 || got[0] != known {
		t.Errorf("results:\n%s", lines(got))
	}
}

// Whoever does not answer, even to being told to stop, holds nobody up.
func TestNoAnswerInTime(t *testing.T) {
	hang := make(chan struct{})
	defer close(hang)
	prober := probe.New(probe.Config{
		Tables: leaf(), Limit: 50 * time.Millisecond,
		APIServer: func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() },
		Sessions:  func(context.Context) ([]probe.Neighbor, error) { <-hang; return nil, nil },
	})
	begin := time.Now()
	results := prober.Check(t.Context(), []string{"apiserver", "bgp/10.0.0.1", "uplink/Ethernet0"})
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("it took %s", took)
	}
	compare(t, "results", `
		apiserver broken: cannot be reached: context deadline exceeded
		bgp/10.0.0.1 unknown: no answer in time
		uplink/Ethernet0 works: oper_status is up
	`, results)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for _, r := range prober.Check(ended, []string{"apiserver"}) {
		if r.State != probe.Unknown {
			t.Errorf("the agent ends: %s", lines([]probe.Result{r}))
		}
	}
}

// server is an API server on the loopback. It counts its connections.
func server(t testing.TB, status int) (url string, config *tls.Config, connections *atomic.Int32) {
	connections = &atomic.Int32{}
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/readyz" {
			t.Errorf("path is %s", r.URL.Path)
		}
		w.WriteHeader(status)
	}))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	s.StartTLS()
	t.Cleanup(s.Close)
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	return s.URL, &tls.Config{RootCAs: roots}, connections
}

func TestHTTPS(t *testing.T) {
	for _, test := range []struct {
		status int
		want   string
	}{
		{http.StatusOK, ""},
		{http.StatusUnauthorized, ""},
		{http.StatusInternalServerError, ""}, // not ready, and reachable
		{http.StatusBadGateway, "/readyz: 502 Bad Gateway"},
	} {
		url, config, connections := server(t, test.status)
		ask := probe.HTTPS(url+"/", config)
		for range 3 {
			err := ask(t.Context())
			if (err == nil) != (test.want == "") || err != nil && !strings.HasSuffix(err.Error(), test.want) {
				t.Errorf("%d: error is %v, want %q", test.status, err, test.want)
			}
		}
		if n := connections.Load(); n != 3 {
			t.Errorf("%d: asked 3 times by %d connections", test.status, n)
		}
	}
}

func TestHTTPSOfSomebodyElse(t *testing.T) {
	url, _, _ := server(t, http.StatusOK)
	if err := probe.HTTPS(url, nil)(t.Context()); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("a server of an unknown authority: error is %v", err)
	}
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := probe.HTTPS("https://"+silent.Addr().String(), nil)(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a server that says nothing: error is %v", err)
	}
}

// The same on a box, with what the daemons write and the agent's way to it.
func TestOnABox(t *testing.T) {
	b := labtest.Box(t, box.Config{})
	appl := goredis.NewClient(&goredis.Options{Network: "unix", Addr: b.Socket(), DB: 0, Protocol: 2})
	defer appl.Close()
	for table, rows := range leaf() {
		if name, ok := strings.CutPrefix(table, "APPL_DB "); ok {
			for row, fields := range rows {
				if err := appl.HSet(t.Context(), name+":"+row, fields).Err(); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	databases, err := redis.ReadConfig(b.DatabaseConfig())
	if err != nil {
		t.Fatal(err)
	}
	tables, err := redis.NewTables(databases, sonic.StateDB, sonic.ApplDB)
	if err != nil {
		t.Fatal(err)
	}
	defer tables.Close()
	prober := probe.New(probe.Config{Tables: tables})
	before := prober.Baseline(t.Context(), leafConfig())
	want := []string{"lldp/Ethernet0", "lldp/Ethernet4", "uplink/Ethernet0", "uplink/Ethernet4", "uplink/PortChannel1"}
	if diff := cmp.Diff(want, probe.Working(before)); diff != "" {
		t.Fatalf("works before (-want +got):\n%s", diff)
	}
	if err := appl.HSet(t.Context(), "PORT_TABLE:Ethernet4", "oper_status", "down").Err(); err != nil {
		t.Fatal(err)
	}
	compare(t, "lost", "uplink/Ethernet4 broken: oper_status is down\n", probe.Lost(before, prober.Check(t.Context(), want)))
	if err := b.Stop(); err != nil {
		t.Fatal(err)
	}
	for _, r := range prober.Check(t.Context(), want) {
		if r.State != probe.Unknown {
			t.Errorf("Redis is away: %s", lines([]probe.Result{r}))
		}
	}
	if err := b.Boot(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// What a change waits for before it is written: 64 ports, 10,000 other rows in
// STATE_DB, an API server on the loopback.
func BenchmarkBaseline(b *testing.B) {
	sw := labtest.Box(b, box.Config{})
	state := goredis.NewClient(&goredis.Options{Network: "unix", Addr: sw.Socket(), DB: 6, Protocol: 2})
	defer state.Close()
	if _, err := state.Pipelined(b.Context(), func(pipe goredis.Pipeliner) error {
		for i := range 10_000 {
			pipe.HSet(b.Context(), fmt.Sprintf("FDB_TABLE|Vlan100:%d", i), "port", "Ethernet0")
		}
		return nil
	}); err != nil {
		b.Fatal(err)
	}
	rows := sonic.DB{}
	for i := range 64 {
		name := fmt.Sprint("Ethernet", 4*i)
		rows[sonic.Key{Table: sonic.TablePort, Name: name}] = nil
		rows[sonic.Key{Table: sonic.TableInterface, Name: name}] = nil
	}
	databases, err := redis.ReadConfig(sw.DatabaseConfig())
	if err != nil {
		b.Fatal(err)
	}
	tables, err := redis.NewTables(databases, sonic.StateDB, sonic.ApplDB)
	if err != nil {
		b.Fatal(err)
	}
	defer tables.Close()
	url, config, _ := server(b, http.StatusOK)
	for _, what := range []struct {
		name string
		cfg  probe.Config
	}{
		{"all", probe.Config{Tables: tables, APIServer: probe.HTTPS(url, config)}},
		{"without the API server", probe.Config{Tables: tables}},
		{"with FRR's sessions", probe.Config{Tables: tables, Sessions: func(context.Context) ([]probe.Neighbor, error) { return nil, nil }}},
	} {
		b.Run(what.name, func(b *testing.B) {
			prober := probe.New(what.cfg)
			for b.Loop() {
				prober.Baseline(b.Context(), rows)
			}
		})
	}
}
