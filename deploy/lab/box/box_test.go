package box_test

import (
	"context"
	"encoding/json"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"github.com/switchlet/switchlet/deploy/lab/box"
	"github.com/switchlet/switchlet/deploy/lab/labtest"
	"github.com/switchlet/switchlet/deploy/lab/swss"
)

func client(t *testing.T, b *box.Box) *redis.Client {
	t.Helper()
	c := redis.NewClient(&redis.Options{Network: "unix", Addr: b.Socket(), DB: 4})
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

func snapshot(t *testing.T, b *box.Box) box.Rows {
	t.Helper()
	rows, err := b.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func TestRowsAreWrittenAsSONiCDoes(t *testing.T) {
	rows := snapshot(t, labtest.Box(t, box.Config{}))
	want := box.Rows{
		"VLAN|Vlan10":                  {"vlanid": "10", "description": "consoles, netops", "dhcp_servers@": "10.250.0.251,10.250.0.252"},
		"VLAN_INTERFACE|Vlan10":        {"NULL": "NULL"},
		"LOOPBACK_INTERFACE|Loopback0": {"NULL": "NULL"},
		"PORT|Ethernet124": {"alias": "Eth32", "index": "32", "lanes": "125,126,127,128",
			"speed": "100000", "fec": "rs", "mtu": "9100", "admin_status": "up"},
	}
	for key, want := range want {
		if diff := cmp.Diff(want, rows[key]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", key, diff)
		}
	}
}

func TestManagementAddressAndRowsByKey(t *testing.T) {
	b := labtest.Box(t, box.Config{Number: 7, Management: netip.MustParsePrefix("198.18.3.16/24"), NoDaemons: true})
	const management, device = "MGMT_INTERFACE|eth0|198.18.3.16/24", "DEVICE_METADATA|localhost"
	rows, err := b.Rows(t.Context(), management, device, "PORT|Ethernet3")
	if err != nil {
		t.Fatal(err)
	}
	if got := rows[management]["gwaddr"]; got != "198.18.3.254" {
		t.Errorf("gateway = %q, want 198.18.3.254", got)
	}
	if got := rows[device]["mac"]; got != "52:54:00:5c:00:07" || got != box.MAC(7).String() {
		t.Errorf("MAC address = %q, want 52:54:00:5c:00:07, and MAC() = %s", got, box.MAC(7))
	}
	if len(rows) != 2 {
		t.Errorf("%d rows, want the two that there are:\n%s", len(rows), rows)
	}
	if got := b.Description(); !strings.HasPrefix(got, "SONiC Software Version: SONiC.202505.0-lab - HwSku: "+rows[device]["hwsku"]+" - ") {
		t.Errorf("Description() = %q", got)
	}
}

func TestDatabaseConfigLeadsToTheSocket(t *testing.T) {
	b := labtest.Box(t, box.Config{})
	text, err := os.ReadFile(b.DatabaseConfig())
	if err != nil {
		t.Fatal(err)
	}
	var config struct {
		Instances map[string]struct {
			Socket string `json:"unix_socket_path"`
		} `json:"INSTANCES"`
		Databases map[string]struct {
			ID                  int
			Separator, Instance string
		} `json:"DATABASES"`
	}
	if err := json.Unmarshal(text, &config); err != nil {
		t.Fatal(err)
	}
	db := config.Databases["CONFIG_DB"]
	if db.ID != 4 || db.Separator != "|" {
		t.Errorf("CONFIG_DB is %+v, want id 4, separator |", db)
	}
	if got := config.Instances[db.Instance].Socket; got != b.Socket() {
		t.Errorf("socket of CONFIG_DB = %q, want %q", got, b.Socket())
	}
}

func TestRedisIsSetUpAsSONiCDoes(t *testing.T) {
	c := client(t, labtest.Box(t, box.Config{}))
	for name, want := range map[string]string{"notify-keyspace-events": "AKE", "save": "", "databases": "100"} {
		got, err := c.ConfigGet(t.Context(), name).Result()
		if err != nil {
			t.Fatal(err)
		}
		if got[name] != want {
			t.Errorf("%s = %q, want %q", name, got[name], want)
		}
	}
	if got := c.Get(t.Context(), "CONFIG_DB_INITIALIZED").Val(); got != "1" {
		t.Errorf("CONFIG_DB_INITIALIZED = %q, want 1", got)
	}
}

// A row that was written and not saved to config_db.json is gone after a
// reboot and after a reload, and is still there after a restart of the database
// container alone.
func TestWhatARowSurvives(t *testing.T) {
	b := labtest.Box(t, box.Config{})
	c := client(t, b)
	fresh := snapshot(t, b)
	for _, step := range []struct {
		name     string
		do       func() error
		survives bool
	}{
		{"restart of the database container", func() error { return b.RestartKeepingData(t.Context()) }, true},
		{"config reload", func() error { return b.Reload(t.Context()) }, false},
		{"reboot", func() error { return b.Restart(t.Context()) }, false},
		{"kill -9 and boot", func() error {
			if err := b.Kill(); err != nil {
				return err
			}
			return b.Boot(t.Context())
		}, false},
	} {
		t.Run(step.name, func(t *testing.T) {
			if err := c.HSet(t.Context(), "VLAN|Vlan100", "vlanid", "100").Err(); err != nil {
				t.Fatal(err)
			}
			written := snapshot(t, b)
			if err := step.do(); err != nil {
				t.Fatal(err)
			}
			want := fresh
			if step.survives {
				want = written
			}
			if diff := cmp.Diff(want, snapshot(t, b)); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
		})
	}
}

// SONiC's daemons follow CONFIG_DB, over every restart, and remember who made a
// mistake.
func TestDaemonsFollow(t *testing.T) {
	b := labtest.Box(t, box.Config{})
	daemons := labtest.Daemons(t, b)
	has := func(what, row string) {
		t.Helper()
		if err := daemons.Quiet(t.Context()); err != nil {
			t.Fatal(err)
		}
		if dump := daemons.Dump(); !strings.Contains(dump, row+" ") {
			t.Errorf("%s: no %s, but:\n%s", what, row, dump)
		}
	}
	has("a fresh box", "STATE_DB VLAN_MEMBER_TABLE|Vlan10|Ethernet16")
	if err := box.Write(t.Context(), b.Socket(), box.Rows{"VLAN|Vlan100": {"vlanid": "100"}}); err != nil {
		t.Fatal(err)
	}
	has("a new VLAN", "STATE_DB VLAN_TABLE|Vlan100")
	for name, restart := range map[string]func(context.Context) error{
		"restart of the database container": b.RestartKeepingData, "config reload": b.Reload, "reboot": b.Restart,
	} {
		if err := restart(t.Context()); err != nil {
			t.Fatal(err)
		}
		has(name, "STATE_DB VLAN_MEMBER_TABLE|Vlan10|Ethernet16")
	}
	labtest.NoMistakes(t, daemons)
	if err := client(t, b).Del(t.Context(), "VLAN|Vlan10").Err(); err != nil {
		t.Fatal(err)
	}
	if err := daemons.Quiet(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := b.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if daemons.Counts()[swss.InUse] != 1 {
		t.Errorf("a VLAN was deleted before its members: mistakes are\n%s", swss.Report(daemons.Mistakes()))
	}
}

func TestBoxWithoutDaemons(t *testing.T) {
	b := labtest.Box(t, box.Config{NoDaemons: true})
	if b.Daemons() != nil {
		t.Error("it has daemons")
	}
	state := redis.NewClient(&redis.Options{Network: "unix", Addr: b.Socket(), DB: 6})
	defer state.Close()
	if n := state.DBSize(t.Context()).Val(); n != 0 {
		t.Errorf("STATE_DB has %d rows", n)
	}
}

func TestRowsMinus(t *testing.T) {
	before := box.Rows{"VLAN|Vlan10": {"vlanid": "10"}, "VLAN|Vlan11": {"vlanid": "11"}}
	after := box.Rows{"VLAN|Vlan10": {"vlanid": "10", "mtu": "9100"}, "VRF|Vrf1": {"NULL": "NULL"}}
	if got, want := after.Minus(before).String(), "VLAN|Vlan10 mtu=\"9100\" vlanid=\"10\"\nVRF|Vrf1\n"; got != want {
		t.Errorf("appeared or changed: %q, want %q", got, want)
	}
	if got, want := before.Minus(after).String(), "VLAN|Vlan10 vlanid=\"10\"\nVLAN|Vlan11 vlanid=\"11\"\n"; got != want {
		t.Errorf("gone or changed: %q, want %q", got, want)
	}
}

func TestStartSaysWhatIsWrong(t *testing.T) {
	for _, test := range []struct {
		name string
		cfg  box.Config
		want string
	}{
		{"no name", box.Config{Root: t.TempDir()}, "neither may be empty"},
		{"number", box.Config{Root: t.TempDir(), Name: "leaf1", Number: 300}, "Number is 300: it must be from 1 to 250"},
		{"management", box.Config{Root: t.TempDir(), Name: "leaf1", Management: netip.MustParsePrefix("fd00::1/64")}, "it must be an IPv4 address"},
		{"release", box.Config{Root: t.TempDir(), Name: "leaf1", Release: "201811"}, `release "201811" is not known`},
		{"long path", box.Config{Root: filepath.Join(t.TempDir(), strings.Repeat("x", 100)), Name: "leaf1"}, "choose a shorter Root"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := box.Start(t.Context(), test.cfg)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("Start() = %v, want an error with %q", err, test.want)
			}
		})
	}
}
