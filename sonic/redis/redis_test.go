package redis_test

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	goredis "github.com/redis/go-redis/v9"

	"github.com/switchlet/switchlet/deploy/lab/box"
	"github.com/switchlet/switchlet/deploy/lab/labtest"
	"github.com/switchlet/switchlet/sonic"
	"github.com/switchlet/switchlet/sonic/redis"
)

// connect is a client of the box's CONFIG_DB, found as an agent does.
func connect(t testing.TB, b *box.Box) *redis.Client {
	t.Helper()
	db, err := redis.ReadConfig(b.DatabaseConfig())
	if err != nil {
		t.Fatal(err)
	}
	client := redis.NewClient(db[redis.ConfigDB])
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// operator is somebody else who writes to the box's CONFIG_DB.
func operator(t testing.TB, b *box.Box) *goredis.Client {
	t.Helper()
	c := goredis.NewClient(&goredis.Options{Network: "unix", Addr: b.Socket(), DB: 4, Protocol: 2})
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// table is the rows of one table.
func table(db sonic.DB, name string) string {
	some := maps.Clone(db)
	maps.DeleteFunc(some, func(key sonic.Key, _ sonic.Fields) bool { return key.Table != name })
	return some.String()
}

func TestLoad(t *testing.T) {
	b := labtest.Box(t, box.Config{})
	db, err := connect(t, b).Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := `VLAN|Vlan10 description=consoles, netops dhcp_servers@=10.250.0.251,10.250.0.252 vlanid=10
VLAN|Vlan11 vlanid=11
VLAN_INTERFACE|Vlan10
VLAN_INTERFACE|Vlan10|10.10.1.1/24
`
	if diff := cmp.Diff(want, table(db, "VLAN")+table(db, "VLAN_INTERFACE")); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	all, err := b.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(db) != len(all) {
		t.Errorf("%d rows were read, there are %d", len(db), len(all))
	}
}

func TestApplyWritesAStage(t *testing.T) {
	b := labtest.Box(t, box.Config{})
	client := connect(t, b)
	before, err := b.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	vlan, ip := sonic.VLANKey(100), sonic.Key{Table: "VLAN_INTERFACE", Name: "Vlan100|10.1.0.1/24"}
	for _, test := range []struct {
		name  string
		stage []sonic.Command
		want  string
	}{
		{"create", []sonic.Command{
			{Op: sonic.Create, Key: vlan, Fields: sonic.NewFields("vlanid", "100", "description", "web")},
			{Op: sonic.Create, Key: ip},
		}, "VLAN_INTERFACE|Vlan100|10.1.0.1/24 NULL=\"NULL\"\nVLAN|Vlan100 description=\"web\" vlanid=\"100\"\n"},
		{"set and unset", []sonic.Command{
			{Op: sonic.Set, Key: vlan, Fields: sonic.NewFields("mtu", "9000")},
			{Op: sonic.Unset, Key: vlan, Fields: sonic.NewFields("description", "")},
		}, "VLAN_INTERFACE|Vlan100|10.1.0.1/24 NULL=\"NULL\"\nVLAN|Vlan100 mtu=\"9000\" vlanid=\"100\"\n"},
		{"delete", []sonic.Command{{Op: sonic.Delete, Key: ip}, {Op: sonic.Delete, Key: vlan}}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			if err := client.Apply(t.Context(), test.stage); err != nil {
				t.Fatal(err)
			}
			after, err := b.Snapshot(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, rows(after.Minus(before))); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
		})
	}
}

// rows prints rows with NULL spelled out.
func rows(r box.Rows) string {
	text := ""
	for _, key := range []string{"VLAN_INTERFACE|Vlan100|10.1.0.1/24", "VLAN|Vlan100"} {
		fields, ok := r[key]
		if !ok {
			continue
		}
		text += key
		for _, name := range []string{"NULL", "description", "mtu", "vlanid"} {
			if value, ok := fields[name]; ok {
				text += " " + name + "=\"" + value + "\""
			}
		}
		text += "\n"
	}
	return text
}

// Whatever is in the way of a stage, nothing of it is written.
func TestApplyIsAllOrNothing(t *testing.T) {
	b := labtest.Box(t, box.Config{})
	client, other := connect(t, b), operator(t, b)
	vlan := func(id int) sonic.Command {
		row := sonic.VLAN{ID: id}.Row()
		return sonic.Command{Op: sonic.Create, Key: row.Key, Fields: row.Fields}
	}
	for _, test := range []struct {
		name  string
		do    func(context.Context) error
		stage []sonic.Command
		want  error
	}{
		{"somebody made one of the rows", func(context.Context) error { return nil },
			[]sonic.Command{vlan(100), vlan(10)}, redis.ErrChanged},
		{"SONiC is loading", func(ctx context.Context) error { return other.Set(ctx, "CONFIG_DB_INITIALIZED", "0", 0).Err() },
			[]sonic.Command{vlan(100)}, redis.ErrNotInitialized},
		{"SONiC has emptied the database", func(ctx context.Context) error { return other.Del(ctx, "CONFIG_DB_INITIALIZED").Err() },
			[]sonic.Command{vlan(100)}, redis.ErrNotInitialized},
		{"… nor is what belongs to rows of the agent's", func(context.Context) error { return nil },
			members(100, 400), redis.ErrNotInitialized},
	} {
		t.Run(test.name, func(t *testing.T) {
			if err := test.do(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := client.Apply(t.Context(), test.stage); !errors.Is(err, test.want) {
				t.Errorf("Apply() = %v, want %v", err, test.want)
			}
			if n := other.Exists(t.Context(), "VLAN|Vlan100", "VLAN_MEMBER|Vlan100|Ethernet0").Val(); n != 0 {
				t.Error("VLAN|Vlan100 was written")
			}
		})
	}
}

// members are commands that add a port to VLANs of the agent's.
func members(first, last int) (list []sonic.Command) {
	for id := first; id <= last; id++ {
		row := sonic.VLANMember{VLAN: id, Port: "Ethernet0"}.Row()
		list = append(list, sonic.Command{Op: sonic.Extend, Key: row.Key, Fields: row.Fields})
	}
	return list
}

// A command that Redis refuses is named.
func TestApplyNamesWhatIsRefused(t *testing.T) {
	b := labtest.Box(t, box.Config{})
	client, other := connect(t, b), operator(t, b)
	for _, key := range []string{"VLAN|Vlan12", "VLAN_MEMBER|Vlan150|Ethernet0"} {
		if err := other.Set(t.Context(), key, "x", 0).Err(); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		stage []sonic.Command
		row   string
	}{
		{[]sonic.Command{{Op: sonic.Set, Key: sonic.VLANKey(12), Fields: sonic.NewFields("mtu", "9000")}}, "VLAN|Vlan12"},
		{members(100, 200), "VLAN_MEMBER|Vlan150|Ethernet0"},
	} {
		err := client.Apply(t.Context(), test.stage)
		want := "write CONFIG_DB: hset " + test.row + ": WRONGTYPE Operation against a key holding the wrong kind of value"
		if err == nil || err.Error() != want {
			t.Errorf("error is %v, want %s", err, want)
		}
	}
}

// What belongs to rows of the agent's is written without a look at each, whether it is
// little or much, and together with what is looked for.
func TestApplyExtendsRows(t *testing.T) {
	b := labtest.Box(t, box.Config{})
	client := connect(t, b)
	before, err := client.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	row := sonic.VLAN{ID: 99}.Row()
	create := sonic.Command{Op: sonic.Create, Key: row.Key, Fields: row.Fields}
	for _, stage := range [][]sonic.Command{members(100, 101), members(102, 900), append(members(901, 1000), create)} {
		before.Apply(stage...)
		if err := client.Apply(t.Context(), stage); err != nil {
			t.Fatal(err)
		}
		if got, err := client.Load(t.Context()); err != nil || !got.Equal(before) {
			t.Errorf("%d rows, error %v, want %d", len(got), err, len(before))
		}
	}
}

// A stage that is too large for one transaction is written as several, and a
// connection that Redis has ended is not used again.
func TestApplyLargeStage(t *testing.T) {
	b := labtest.Box(t, box.Config{})
	client := connect(t, b)
	var creates, deletes []sonic.Command
	for id := 100; id < 1100; id++ {
		row := sonic.VLAN{ID: id}.Row()
		creates = append(creates, sonic.Command{Op: sonic.Create, Key: row.Key, Fields: row.Fields})
		deletes = append(deletes, sonic.Command{Op: sonic.Delete, Key: row.Key})
	}
	before, err := client.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Apply(t.Context(), creates); err != nil {
		t.Fatal(err)
	}
	want := maps.Clone(before)
	want.Apply(creates...)
	if got, err := client.Load(t.Context()); err != nil || !got.Equal(want) {
		t.Errorf("%d rows, error %v, want %d", len(got), err, len(want))
	}
	if err := client.Apply(t.Context(), creates); !errors.Is(err, redis.ErrChanged) {
		t.Errorf("the same again: error is %v", err)
	}
	if err := operator(t, b).ClientKillByFilter(t.Context(), "TYPE", "normal").Err(); err != nil {
		t.Fatal(err)
	}
	if err := client.Apply(t.Context(), deletes); err != nil {
		t.Fatal(err)
	}
	if got, err := client.Load(t.Context()); err != nil || !got.Equal(before) {
		t.Errorf("%d rows, error %v, want %d", len(got), err, len(before))
	}
}

// Whoever waits for a Redis that hangs can be told to stop.
func TestLoadStops(t *testing.T) {
	b := labtest.Box(t, box.Config{})
	client, other := connect(t, b), operator(t, b)
	if _, err := client.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := other.Do(t.Context(), "client", "pause", "60000", "all").Err(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(10*time.Millisecond, cancel)
	if _, err := client.Load(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v", err)
	}
}

func TestMirrorFollows(t *testing.T) {
	b := labtest.Box(t, box.Config{})
	client, other := connect(t, b), operator(t, b)
	mirror := redis.NewMirror(client, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); mirror.Run(ctx) }()
	defer func() { cancel(); <-done }()
	const hand = "VLAN|Vlan10 description=consoles, netops dhcp_servers@=10.250.0.251,10.250.0.252 vlanid=10\nVLAN|Vlan11 vlanid=11\n"
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		name string
		do   func()
		want string
	}{
		{"start", func() {}, hand},
		{"a row is made", func() { must(other.HSet(ctx, "VLAN|Vlan12", "vlanid", "12").Err()) }, hand + "VLAN|Vlan12 vlanid=12\n"},
		{"a field is removed", func() {
			must(other.HSet(ctx, "VLAN|Vlan12", "NULL", "NULL").Err())
			must(other.HDel(ctx, "VLAN|Vlan12", "vlanid").Err())
		}, hand + "VLAN|Vlan12\n"},
		{"a row of another type", func() { must(other.Set(ctx, "VLAN|Vlan13", "x", 0).Err()) }, hand + "VLAN|Vlan12\nVLAN|Vlan13\n"},
		{"config reload", func() { must(b.Reload(ctx)) }, hand},
		{"a row is deleted", func() { must(other.Del(ctx, "VLAN|Vlan11").Err()) }, hand[:len(hand)-len("VLAN|Vlan11 vlanid=11\n")]},
		{"kill -9 of Redis, boot", func() { must(b.Kill()); must(b.Boot(ctx)) }, hand},
		{"a row after that", func() { must(other.HSet(ctx, "VLAN|Vlan12", "vlanid", "12").Err()) }, hand + "VLAN|Vlan12 vlanid=12\n"},
	} {
		test.do()
		await(t, mirror, test.name, test.want)
	}
}

// A row that was written, and is read again because Redis announces it, keeps the
// text that it was written with: it is in memory once.
func TestMirrorKeepsWhatItWrote(t *testing.T) {
	b := labtest.Box(t, box.Config{})
	client := connect(t, b)
	mirror := redis.NewMirror(client, slog.New(slog.DiscardHandler))
	go mirror.Run(t.Context())
	for mirror.Blind() {
		<-mirror.Events()
	}
	if _, _, err := mirror.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	row := sonic.VLAN{ID: 100, Description: "web"}.Row()
	if err := mirror.Apply(t.Context(), []sonic.Command{{Op: sonic.Create, Key: row.Key, Fields: row.Fields}}); err != nil {
		t.Fatal(err)
	}
	if err := operator(t, b).HSet(t.Context(), "VLAN|Vlan12", "vlanid", "12").Err(); err != nil {
		t.Fatal(err)
	}
	other := sonic.VLANKey(12)
	for mirror.Rows()[other] == nil { // announced after the write before
		<-mirror.Events()
		changed, all, err := mirror.Refresh(t.Context())
		if err != nil || all || len(changed) > 0 && !slices.Equal(changed, []sonic.Key{other}) {
			t.Fatalf("changed are %v, all %v, error %v", changed, all, err)
		}
	}
	if fields := mirror.Rows()[row.Key]; len(fields) != 2 || &fields[0] != &row.Fields[0] {
		t.Errorf("%v is in memory twice", row)
	}
}

// A row that was written in another way is seen by the next Refresh, announced or not: who
// decides by the rows would write it once more.
func TestMirrorReadsWhatWasTouched(t *testing.T) {
	b := labtest.Box(t, box.Config{})
	client := connect(t, b)
	mirror := redis.NewMirror(client, slog.New(slog.DiscardHandler))
	go mirror.Run(t.Context())
	for mirror.Blind() {
		<-mirror.Events()
	}
	if _, _, err := mirror.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := operator(t, b).ConfigSet(t.Context(), "notify-keyspace-events", "").Err(); err != nil {
		t.Fatal(err)
	}
	row := sonic.VLAN{ID: 100, Description: "web"}.Row()
	commands := []sonic.Command{{Op: sonic.Create, Key: row.Key, Fields: row.Fields}}
	if err := client.Apply(t.Context(), commands); err != nil {
		t.Fatal(err)
	}
	mirror.Touched(commands)
	changed, all, err := mirror.Refresh(t.Context())
	if err != nil || all || !slices.Equal(changed, []sonic.Key{row.Key}) {
		t.Errorf("changed are %v, all %v, error %v; want %v", changed, all, err, row.Key)
	}
}

// await refreshes on every event until the mirror shows the rows.
func await(t *testing.T, mirror *redis.Mirror, name, want string) {
	t.Helper()
	deadline := time.After(10 * time.Second)
	for {
		_, _, err := mirror.Refresh(t.Context())
		if err == nil && table(mirror.Rows(), "VLAN") == want && !mirror.Blind() {
			return
		}
		select {
		case <-mirror.Events():
		case <-deadline:
			t.Fatalf("%s: rows are (error %v)\n%s, want\n%s", name, err, mirror.Rows(), want)
		}
	}
}

func TestReadConfig(t *testing.T) {
	dir := t.TempDir()
	config := func(instance, database string) string {
		return `{"INSTANCES":{"redis":` + instance + `},"DATABASES":{"CONFIG_DB":` + database + `}}`
	}
	password := filepath.Join(dir, "password")
	if err := os.WriteFile(password, []byte("secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, text, global string
		want               redis.Database
		wantErr            string
	}{
		{name: "SONiC", text: config(`{"unix_socket_path":"/var/run/redis/redis.sock","port":6379}`, `{"id":4,"separator":"|","instance":"redis"}`),
			want: redis.Database{Socket: "/var/run/redis/redis.sock", ID: 4, Separator: "|"}},
		{name: "password", text: config(`{"unix_socket_path":"/s","password_path":"`+password+`"}`, `{"id":4,"separator":"|","instance":"redis"}`),
			want: redis.Database{Socket: "/s", ID: 4, Separator: "|", Password: "secret"}},
		{name: "one namespace", text: config(`{"unix_socket_path":"/s"}`, `{"id":4,"separator":"|","instance":"redis"}`),
			global: `{"INCLUDES":[{"include":"../database_config.json"}]}`, want: redis.Database{Socket: "/s", ID: 4, Separator: "|"}},
		{name: "several ASICs", text: config(`{"unix_socket_path":"/s"}`, `{"id":4,"separator":"|","instance":"redis"}`),
			global: `{"INCLUDES":[{"namespace":"asic0"}]}`, wantErr: `database_global.json: INCLUDES has the namespace "asic0": a switch with several ASICs is not supported`},
		{name: "no id", text: config(`{"unix_socket_path":"/s"}`, `{"separator":"|","instance":"redis"}`), wantErr: "DATABASES has no CONFIG_DB with an id"},
		{name: "other separator", text: config(`{"unix_socket_path":"/s"}`, `{"id":4,"separator":":","instance":"redis"}`), wantErr: `separator of CONFIG_DB is ":": only "|" is known`},
		{name: "no socket", text: config(`{"port":6379}`, `{"id":4,"separator":"|","instance":"redis"}`), wantErr: `INSTANCES has no "redis" with a unix_socket_path, which CONFIG_DB names`},
		{name: "not JSON", text: `{`, wantErr: "unexpected end of JSON input"},
	} {
		t.Run(test.name, func(t *testing.T) {
			folder := t.TempDir()
			file := filepath.Join(folder, "database_config.json")
			if err := os.WriteFile(file, []byte(test.text), 0o600); err != nil {
				t.Fatal(err)
			}
			wantErr := test.wantErr
			if wantErr != "" && test.global == "" {
				wantErr = file + ": " + wantErr
			}
			if test.global != "" {
				if err := os.WriteFile(filepath.Join(folder, "database_global.json"), []byte(test.global), 0o600); err != nil {
					t.Fatal(err)
				}
				if wantErr != "" {
					wantErr = folder + "/" + wantErr
				}
			}
			got, err := redis.ReadConfig(file)
			if wantErr != "" {
				if err == nil || err.Error() != wantErr {
					t.Errorf("error is %v, want %s", err, wantErr)
				}
				return
			}
			if err != nil || got[redis.ConfigDB] != test.want {
				t.Errorf("ReadConfig() = %+v, %v, want %+v", got, err, test.want)
			}
		})
	}
}

func FuzzReadConfig(f *testing.F) {
	f.Add([]byte(`{"INSTANCES":{"redis":{"unix_socket_path":"/s"}},"DATABASES":{"CONFIG_DB":{"id":4,"separator":"|","instance":"redis"}}}`))
	f.Add([]byte(`{"DATABASES":{"CONFIG_DB":{"id":-1}}}`))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text []byte) {
		file := filepath.Join(dir, "database_config.json")
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
		db, err := redis.ReadConfig(file)
		if err == nil && (db[redis.ConfigDB].Socket == "" || db[redis.ConfigDB].ID < 0) {
			t.Errorf("ReadConfig() = %+v", db)
		}
	})
}
