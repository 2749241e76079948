package yang_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/switchlet/switchlet/deploy/lab/labtest/golden"
	"github.com/switchlet/switchlet/sonic"
	"github.com/switchlet/switchlet/sonic/configdb"
	"github.com/switchlet/switchlet/sonic/yang"
)

// What is wrong with SONiC's own boxes is in testdata/boxes.
func TestBoxes(t *testing.T) {
	schema := load(t)
	for name, db := range boxes(t) {
		t.Run(name, func(t *testing.T) {
			c := yang.NewChecker(schema, db)
			got := lines(c.Violations()) + "no model: " + strings.Join(c.Unmodelled(), " ") + "\n"
			golden.File(t, filepath.Join("testdata", "boxes", name+".txt"), []byte(got))
		})
	}
}

// boxes are the whole boxes among SONiC's own data. One file has several.
func boxes(t testing.TB) map[string]sonic.DB {
	t.Helper()
	dir := shared(t, "config_db")
	texts := map[string][]byte{}
	for _, name := range []string{"t0-box", "l2switch"} {
		texts[name] = readFile(t, filepath.Join(dir, name+".json"))
	}
	var samples map[string]json.RawMessage
	if err := json.Unmarshal(readFile(t, filepath.Join(dir, "sample_config_db.json")), &samples); err != nil {
		t.Fatal(err)
	}
	delete(samples, "SAMPLE_CONFIG_DB_UNKNOWN") // its one row is a string
	for name, text := range samples {
		texts[name] = text
	}
	out := map[string]sonic.DB{}
	for name, text := range texts {
		db, err := configdb.Decode(bytes.NewReader(text))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		out[name] = db
	}
	return out
}

func readFile(t testing.TB, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
