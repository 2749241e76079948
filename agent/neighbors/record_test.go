package neighbors

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A change is saved at once, the next ones not sooner than that spares the disk,
// and without any the file is written anew from time to time. A disk that fails
// is tried again, and complained about once.
func TestRecord(t *testing.T) {
	var log bytes.Buffer
	dir := filepath.Join(t.TempDir(), "later")
	r := record{file: newCacheFile(dir), every: time.Hour, apart: 30 * time.Second, log: slog.New(slog.NewTextHandler(&log, nil))}
	at := func(d time.Duration) time.Time { return start().Add(d) }
	expect := func(what string, want time.Time) {
		t.Helper()
		if !r.due.Equal(want) {
			t.Errorf("%s: due at %v, want %v", what, r.due, want)
		}
	}
	expect("nothing has changed", time.Time{})
	r.changed(at(0))
	expect("the first change", at(0))
	for i := range 3 {
		r.save(at(time.Duration(i)*30*time.Second), someCache())
		expect("no disk", at(time.Duration(i+1)*30*time.Second))
	}
	if n := strings.Count(log.String(), "\n"); n != 1 || !strings.Contains(log.String(), "record the neighbours: ") {
		t.Errorf("%d lines:\n%s", n, &log)
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	r.save(at(90*time.Second), someCache())
	expect("saved", at(90*time.Second+time.Hour))
	r.changed(at(95 * time.Second))
	expect("changed soon after", at(120*time.Second))
	r.changed(at(100 * time.Second))
	expect("and again", at(120*time.Second))
}

func TestNewSaysWhatIsDamaged(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(string(newCacheFile(dir)), []byte("switchlet neighbors"), 0o600); err != nil {
		t.Fatal(err)
	}
	w, damage, err := New(Config{StateDir: dir, Log: slog.New(slog.DiscardHandler)})
	if err != nil || !strings.Contains(damage, "neighbors was unusable") || len(w.View().Neighbors) > 0 {
		t.Errorf("damage %q, error %v", damage, err)
	}
	if _, damage, err := New(Config{StateDir: dir, Log: slog.New(slog.DiscardHandler)}); damage != "" || err != nil {
		t.Errorf("the second time: damage %q, error %v", damage, err)
	}
}

func TestNewWithoutADisk(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := New(Config{StateDir: file, Log: slog.New(slog.DiscardHandler)}); err == nil || !strings.HasPrefix(err.Error(), "open the record of neighbours: ") {
		t.Errorf("error is %v", err)
	}
}
