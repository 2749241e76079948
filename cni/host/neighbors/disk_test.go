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

// What is damaged is said until it is written anew, which is at once, and is there for
// people to look at. Nobody is known then.
func TestDiskIsDamaged(t *testing.T) {
	for name, text := range map[string]string{"nonsense": "nonsense", "empty": "", "too large": strings.Repeat("x", maxFileSize+1)} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, fileName), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			d, known := openDisk(dir, start(), time.Hour)
			if d.err == nil || !strings.Contains(d.err.Error(), ".damaged") || known != nil || d.due.After(start()) {
				t.Errorf("error %v, known %v, due %v", d.err, known, d.due)
			}
			if aside, err := os.ReadFile(filepath.Join(dir, fileName+".damaged")); err != nil || string(aside) != text {
				t.Errorf("%d octets are aside, error %v", len(aside), err)
			}
			d.save(start(), nil)
			if d.err != nil {
				t.Errorf("error %v when it is written anew", d.err)
			}
		})
	}
}

// Who was heard is known after a restart, and a file that says the same is not written
// again.
func TestDiskRemembers(t *testing.T) {
	dir, all := t.TempDir(), []wire.Neighbor{heardAt(start(), "eth1", "leaf1", "etp1")}
	d, _ := openDisk(dir, start(), time.Hour)
	d.save(start(), all)
	before, err := os.Stat(d.file)
	if err != nil {
		t.Fatal(err)
	}
	d, known := openDisk(dir, start(), time.Hour)
	if d.err != nil || len(known) != 1 || !known[0].Stale || known[0].Interface != "eth1" {
		t.Errorf("known %+v, error %v", known, d.err)
	}
	d.save(start(), all)
	if after, err := os.Stat(d.file); err != nil || !os.SameFile(before, after) {
		t.Errorf("it was replaced, error %v", err)
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
