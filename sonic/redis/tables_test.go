package redis_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	goredis "github.com/redis/go-redis/v9"

	"github.com/switchlet/switchlet/deploy/lab/box"
	"github.com/switchlet/switchlet/deploy/lab/labtest"
	"github.com/switchlet/switchlet/sonic"
	"github.com/switchlet/switchlet/sonic/redis"
)

// tables reads the daemons' databases of a box, found as an agent does.
func tables(t *testing.T, b *box.Box) *redis.Tables {
	t.Helper()
	databases, err := redis.ReadConfig(b.DatabaseConfig())
	if err != nil {
		t.Fatal(err)
	}
	tables, err := redis.NewTables(databases, sonic.StateDB, sonic.ApplDB)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tables.Close() })
	return tables
}

// daemon writes to one of the databases as SONiC's daemons do.
func daemon(t *testing.T, b *box.Box, id int, rows map[string][]any) {
	t.Helper()
	c := goredis.NewClient(&goredis.Options{Network: "unix", Addr: b.Socket(), DB: id, Protocol: 2})
	defer c.Close()
	for key, pairs := range rows {
		if err := c.HSet(t.Context(), key, pairs...).Err(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTables(t *testing.T) {
	b := labtest.Box(t, box.Config{NoDaemons: true})
	daemon(t, b, 0, map[string][]any{
		"PORT_TABLE:Ethernet0": {"oper_status", "up", "mtu", "9100"}, "PORT_TABLE:Ethernet4": {"oper_status", "down"},
		"PORT_TABLE_OTHER:Ethernet8": {"oper_status", "up"},
	})
	daemon(t, b, 6, map[string][]any{"NEIGH_STATE_TABLE|fc00::1": {"state", "Established"}})
	tables := tables(t, b)
	for _, test := range []struct {
		db, table string
		want      []string
	}{
		{sonic.ApplDB, "PORT_TABLE", []string{"Ethernet0", "Ethernet4"}},
		{sonic.ApplDB, "LAG_TABLE", nil},
		{sonic.StateDB, "NEIGH_STATE_TABLE", []string{"fc00::1"}},
	} {
		got, err := tables.Names(t.Context(), test.db, test.table)
		if diff := cmp.Diff(test.want, got); err != nil || diff != "" {
			t.Errorf("names of %s: error %v (-want +got):\n%s", test.table, err, diff)
		}
	}
	rows, err := tables.Rows(t.Context(), sonic.ApplDB, "PORT_TABLE", []string{"Ethernet0", "Ethernet12"})
	want := map[string]map[string]string{"Ethernet0": {"oper_status": "up", "mtu": "9100"}}
	if diff := cmp.Diff(want, rows); err != nil || diff != "" {
		t.Errorf("rows: error %v (-want +got):\n%s", err, diff)
	}
}

func TestTablesSayWhatIsWrong(t *testing.T) {
	b := labtest.Box(t, box.Config{NoDaemons: true})
	tables := tables(t, b)
	if _, err := tables.Rows(t.Context(), "COUNTERS_DB", "X", []string{"y"}); err == nil || err.Error() != "database COUNTERS_DB is not one of those that are read" {
		t.Errorf("error is %v", err)
	}
	if _, err := redis.NewTables(redis.Databases{}, sonic.ApplDB); err == nil || err.Error() != "database_config.json has no APPL_DB with a separator" {
		t.Errorf("error is %v", err)
	}
	if err := b.Stop(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	_, err := tables.Names(ctx, sonic.StateDB, "NEIGH_STATE_TABLE")
	if err == nil || !strings.HasPrefix(err.Error(), "list NEIGH_STATE_TABLE of STATE_DB: ") {
		t.Errorf("error is %v", err)
	}
	if err := b.Boot(t.Context()); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		_, err := tables.Names(t.Context(), sonic.StateDB, "NEIGH_STATE_TABLE")
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("Redis is back, error is %v", err)
		}
	}
}
