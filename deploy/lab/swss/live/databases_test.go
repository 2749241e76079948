package live

import (
	"strings"
	"testing"
)

func TestDatabasesThatAreNotUnderstood(t *testing.T) {
	const good = `{"INSTANCES":{"redis":{"unix_socket_path":"/s"},"other":{"unix_socket_path":"/o"}},"DATABASES":{
		"CONFIG_DB":{"id":4,"separator":"|","instance":"redis"},"STATE_DB":{"id":6,"separator":"|","instance":"redis"},
		"APPL_DB":{"id":0,"separator":":","instance":"redis"},"ASIC_DB":{"id":1,"separator":":","instance":"redis"},
		"COUNTERS_DB":{"id":2,"separator":":","instance":"redis"}}}`
	if _, err := parseDatabases([]byte(good)); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ name, old, new, want string }{
		{"no JSON", "{", "[", "invalid character"},
		{"no database", `"STATE_DB"`, `"STATES"`, "no STATE_DB with an id"},
		{"no id", `"id":6,`, "", "no STATE_DB with an id"},
		{"no socket", `"unix_socket_path":"/s"`, "", `no "redis" with a unix_socket_path, which CONFIG_DB names`},
		{"two instances", `"ASIC_DB":{"id":1,"separator":":","instance":"redis"`, `"ASIC_DB":{"id":1,"separator":":","instance":"other"`, "several instances"},
		{"separator", `"id":4,"separator":"|"`, `"id":4,"separator":"/"`, `separator of CONFIG_DB is "/"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := parseDatabases([]byte(strings.Replace(good, test.old, test.new, 1)))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want one with %q", err, test.want)
			}
		})
	}
}

func FuzzDatabases(f *testing.F) {
	f.Add([]byte(`{"INSTANCES":{},"DATABASES":{}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		if db, err := parseDatabases(text); err == nil && db.socket == "" {
			t.Errorf("%q has no socket and no error", text)
		}
	})
}
