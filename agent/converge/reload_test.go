package converge_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/switchlet/switchlet/agent/persist"
	"github.com/switchlet/switchlet/agent/report"
)

// saving is a rig whose agent keeps its rows in SONiC's own file.
func saving(t *testing.T) *rig {
	t.Helper()
	t.Parallel()
	r := newRig(t)
	r.config.Persister = persist.New(persist.Config{File: r.box.ConfigFile(), LockFile: r.lockFile(), StateDir: r.box.StateDir()})
	return r
}

func (r *rig) lockFile() string {
	return filepath.Join(filepath.Dir(r.box.ConfigFile()), "reload.lock")
}

// saved is config_db.json.
func (r *rig) saved() []byte {
	r.t.Helper()
	text, err := os.ReadFile(r.box.ConfigFile())
	r.must(err)
	return text
}

// FLUSHDB is announced by nobody, and noticed within some seconds; so is the
// load of a configuration without the agent's rows.
func TestFlush(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.byHand = true
	r.start()
	r.apply(spec("r1", 100))
	want := r.rows()
	begin := time.Now()
	r.must(r.operator.FlushDB(t.Context()).Err())
	r.until("it is noticed", func(f report.Facts) bool { return f.Connected.Reason == "ConfigDBNotInitialized" && !f.Programmed.OK })
	t.Logf("noticed after %v", time.Since(begin).Round(time.Millisecond))
	if rows := r.rows(); len(rows) > 0 {
		t.Errorf("rows were written:\n%s", rows)
	}
	r.must(r.box.Reload(t.Context()))
	r.becomes("the rows are back", want)
	r.until("all is well", func(f report.Facts) bool { return f.Programmed.OK && f.Connected.OK && f.AppliedRevision == "r1" })
}

// A Redis that comes back empty, with what was saved, gets the rows again.
func TestRedisRestartsEmpty(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.start()
	r.apply(spec("r1", 100))
	want := r.rows()
	r.must(r.box.Restart(t.Context()))
	r.becomes("the rows are back", want)
	r.until("all is well", func(f report.Facts) bool { return f.Programmed.OK && f.Connected.OK })
}

// What is confirmed is saved: a switch that boots has the rows before the agent
// comes, which finds nothing to do.
func TestConfirmedChangeSurvivesABoot(t *testing.T) {
	r := saving(t)
	before := r.saved()
	r.config.Rules.Window = time.Hour
	r.start()
	r.write(spec("r1", 100))
	r.until("the change is on trial", func(f report.Facts) bool { return f.AppliedRevision == "r1" && f.Confirmed.Reason == "OnTrial" })
	time.Sleep(1500 * time.Millisecond) // longer than it takes to save
	if !bytes.Equal(before, r.saved()) {
		t.Error("a change on trial was saved")
	}
	r.end()
	r.config.Rules.Window = 40 * time.Millisecond
	r.start()
	r.generation = 0
	r.apply(spec("r1", 100))
	want := r.rows()
	r.eventually("it is saved", func() error {
		if bytes.Equal(before, r.saved()) {
			return os.ErrNotExist
		}
		return nil
	})
	r.end()
	var was, is map[string]map[string]any
	r.must(json.Unmarshal(before, &was))
	r.must(json.Unmarshal(r.saved(), &is))
	for table, rows := range was {
		for key, row := range rows {
			if diff := cmp.Diff(row, is[table][key]); diff != "" {
				t.Errorf("%s|%s is somebody else's (-before +after):\n%s", table, key, diff)
			}
		}
	}
	r.must(r.box.Restart(t.Context()))
	r.becomes("the rows are there before the agent", want)
	changes := r.follow()
	r.start() // without the API server
	r.until("the agent has looked around", func(f report.Facts) bool { return f.Inventory != nil })
	if keys := changes(); len(keys) > 0 {
		t.Errorf("the agent changed %v", keys)
	}
	r.apply(nothing("r2"))
	r.eventually("what is not wanted any more goes from the file too", func() error {
		if strings.Contains(string(r.saved()), "switchlet") {
			return os.ErrExist
		}
		return nil
	})
}

// A file that somebody else is at, or that is damaged, is left alone, and the
// condition says so.
func TestFileThatCannotBeSaved(t *testing.T) {
	for _, test := range []struct {
		name, reason string
		harm         func(*rig)
	}{
		{"config reload has it", "Busy", func(r *rig) {
			file, err := os.OpenFile(r.lockFile(), os.O_RDWR|os.O_CREATE, 0o644)
			r.must(err)
			r.t.Cleanup(func() { _ = file.Close() })
			r.must(unix.Flock(int(file.Fd()), unix.LOCK_EX))
		}},
		{"it is damaged", "WriteFailed", func(r *rig) { r.must(os.WriteFile(r.box.ConfigFile(), []byte(`{"VLAN": {`), 0o644)) }},
		{"it is missing", "WriteFailed", func(r *rig) { r.must(os.Rename(r.box.ConfigFile(), r.box.ConfigFile()+".aside")) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := saving(t)
			test.harm(r)
			before, _ := os.ReadFile(r.box.ConfigFile())
			r.start()
			r.apply(spec("r1", 100))
			f := r.until("the condition says so", func(f report.Facts) bool { return !f.Persisted.OK })
			if f.Persisted.Reason != test.reason || !f.Programmed.OK || !f.Confirmed.OK {
				t.Errorf("facts are %+v", f)
			}
			if after, _ := os.ReadFile(r.box.ConfigFile()); !bytes.Equal(before, after) {
				t.Errorf("the file was changed: %s", after)
			}
		})
	}
}
