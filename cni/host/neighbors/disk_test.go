package neighbors

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/switchlet/switchlet/lldp/wire"
)

// Changes are written at once, as long as they are not too many; and without any
// it is written now and then who is still heard.
func TestDiskIsSpared(t *testing.T) {
	now := start()
	d, known := openDisk(filepath.Join(t.TempDir(), "not there yet"), now, time.Hour)
	if d.err != nil || known != nil || !d.due.Equal(now.Add(saveEvery)) {
		t.Fatalf("%+v, %v", d, known)
	}
	var last time.Time
	for i := range 100 {
		d.changed(now)
		if i <= saveBurst && !d.due.Equal(now) {
			t.Fatalf("change %d is written after %v", i, d.due.Sub(now))
		}
		last, now = now, d.due.Add(time.Millisecond)
		d.save(now, []wire.Neighbor{heardAt(now, "eth1", "leaf1", "etp1")})
		if d.err != nil || !d.due.Equal(now.Add(saveEvery)) {
			t.Fatalf("due %v, error %v when change %d is written", d.due, d.err, i)
		}
	}
	if apart := now.Sub(last); apart < saveApart-time.Second || apart > saveApart+time.Second {
		t.Errorf("in the end they are %v apart", apart)
	}
	d.changed(now.Add(time.Hour))
	if !d.due.Equal(now.Add(time.Hour)) {
		t.Errorf("after an hour a change is written after %v", d.due.Sub(now))
	}
}

// What is damaged is said until it is written anew, which is at once.
func TestDiskIsDamaged(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, fileName), []byte("nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	d, known := openDisk(dir, start(), time.Hour)
	if d.err == nil || !strings.Contains(d.err.Error(), ".damaged") || known != nil || d.due.After(start()) {
		t.Errorf("error %v, known %v, due %v", d.err, known, d.due)
	}
	d.save(start(), nil)
	if d.err != nil {
		t.Errorf("error %v when it is written anew", d.err)
	}
}

// What cannot be written is said, with the option, and tried again.
func TestDiskIsNotWritable(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	d, _ := openDisk(file, start(), time.Hour)
	d.save(start(), nil)
	if d.err == nil || !strings.Contains(d.err.Error(), "--state-dir") || !d.due.Equal(start().Add(retryEvery)) {
		t.Errorf("error %v, due %v", d.err, d.due)
	}
}
