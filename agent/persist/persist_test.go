package persist

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/switchlet/switchlet/deploy/lab/box"
	"github.com/switchlet/switchlet/deploy/lab/labtest"
	"github.com/switchlet/switchlet/sonic"
)

// place is a switch's disk.
type place struct {
	t   *testing.T
	cfg Config
}

const operators = "{\n    \"VLAN\": {\n        \"Vlan10\": {\n            \"vlanid\": \"10\"\n        }\n    }\n}\n"

func newPlace(t *testing.T) place {
	t.Helper()
	dir := t.TempDir()
	p := place{t, Config{File: filepath.Join(dir, "config_db.json"), LockFile: filepath.Join(dir, "reload.lock"), StateDir: t.TempDir()}}
	p.write(operators)
	return p
}

// open is the agent after a start.
func (p place) open() *Persister { return New(p.cfg) }

func (p place) write(text string) {
	p.t.Helper()
	if err := os.WriteFile(p.cfg.File, []byte(text), 0o640); err != nil {
		p.t.Fatal(err)
	}
}

func (p place) save(persister *Persister, own sonic.DB) {
	p.t.Helper()
	if _, err := persister.Save(own); err != nil {
		p.t.Fatal(err)
	}
}

// vlans of the file.
func (p place) has(want ...string) {
	p.t.Helper()
	text, err := os.ReadFile(p.cfg.File)
	if err != nil {
		p.t.Fatal(err)
	}
	var got []string
	table, _ := meaning(p.t, text)["VLAN"].(map[string]any)
	for _, name := range []string{"Vlan10", "Vlan100", "Vlan101"} {
		if _, ok := table[name]; ok {
			got = append(got, name)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		p.t.Errorf("VLANs in the file (-want +got):\n%s", diff)
	}
	others, err := filepath.Glob(filepath.Join(filepath.Dir(p.cfg.File), ".config_db*"))
	if err != nil || len(others) > 0 {
		p.t.Errorf("left over: %q, error %v", others, err)
	}
}

func vlan(id string) sonic.DB {
	return sonic.DB{{Table: "VLAN", Name: "Vlan" + id}: sonic.NewFields("vlanid", id)}
}

func TestSave(t *testing.T) {
	p := newPlace(t)
	if err := os.Chmod(p.cfg.File, 0o604); err != nil {
		t.Fatal(err)
	}
	persister := p.open()
	for _, want := range []bool{true, false} {
		outcome, err := persister.Save(vlan("100"))
		if err != nil || outcome.Changed != want {
			t.Fatalf("Save() = %+v, %v, want %t", outcome, err, want)
		}
		p.has("Vlan10", "Vlan100")
	}
	if info, err := os.Stat(p.cfg.File); err != nil || info.Mode().Perm() != 0o604 {
		t.Errorf("mode is %v, error %v", info.Mode(), err)
	}
	persister = p.open() // a restart
	p.save(persister, vlan("101"))
	p.has("Vlan10", "Vlan101")
	p.save(persister, nil)
	if text, err := os.ReadFile(p.cfg.File); err != nil || string(text) != operators {
		t.Errorf("in the end the file is, error %v:\n%s", err, text)
	}
}

// What does not change is not written: the file is the same one, and so is the
// record.
func TestSaveWritesNothing(t *testing.T) {
	p := newPlace(t)
	persister := p.open()
	p.save(persister, vlan("100"))
	inodes := func() (numbers [2]uint64) {
		for i, name := range []string{p.cfg.File, persister.recordFile()} {
			var stat unix.Stat_t
			if err := unix.Stat(name, &stat); err != nil {
				t.Fatal(err)
			}
			numbers[i] = stat.Ino
		}
		return numbers
	}
	before := inodes()
	for range 3 {
		p.save(p.open(), vlan("100"))
	}
	if after := inodes(); after != before {
		t.Errorf("inodes of the file and the record were %v and are %v", before, after)
	}
}

// The agent may be killed between any two writes. What it put into the file, or
// was about to, is known to be its own.
func TestKilledInBetween(t *testing.T) {
	p := newPlace(t)
	if err := p.open().keep(nil, ledgerOf(vlan("100"))); err != nil { // killed before the file is written
		t.Fatal(err)
	}
	p.save(p.open(), vlan("101"))
	p.has("Vlan10", "Vlan101")
	persister := p.open()
	noted := noting(ledgerOf(vlan("101")), vlan("100"))
	if err := persister.keep(nil, noted); err != nil {
		t.Fatal(err)
	}
	if _, err := persister.save(vlan("100"), noted); err != nil { // killed after it
		t.Fatal(err)
	}
	p.has("Vlan10", "Vlan100")
	if err := os.WriteFile(filepath.Join(filepath.Dir(p.cfg.File), ".config_db.json.switchlet"), []byte("{"), 0o600); err != nil {
		t.Fatal(err) // killed while it was
	}
	p.save(p.open(), vlan("101"))
	p.has("Vlan10", "Vlan101")
}

// A row that the operator saved from CONFIG_DB, while it was the agent's and
// before the agent saved it, goes when the agent's does.
func TestOperatorSavedTheAgentsRow(t *testing.T) {
	p := newPlace(t)
	held := p.hold()
	persister := p.open()
	if _, err := persister.Save(vlan("100")); !errors.Is(err, ErrBusy) || !strings.Contains(err.Error(), `is held by "reload, pid 1\n"`) {
		t.Fatalf("while the lock is held: %v", err)
	}
	p.has("Vlan10")
	p.write(`{"VLAN": {"Vlan10": {"vlanid": "10"}, "Vlan100": {"vlanid": "100"}}}`)
	held()
	p.save(persister, nil)
	p.has("Vlan10")
	if text, err := os.ReadFile(p.cfg.LockFile); err != nil || len(text) > 0 {
		t.Errorf("the lock file says %q, error %v", text, err)
	}
}

// hold takes the lock as `config reload` does.
func (p place) hold() (release func()) {
	p.t.Helper()
	f, err := os.OpenFile(p.cfg.LockFile, os.O_RDWR|os.O_CREATE, 0o600)
	if err == nil {
		err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	}
	if err == nil {
		_, err = f.WriteString("reload, pid 1\n")
	}
	if err != nil {
		p.t.Fatal(err)
	}
	return func() { _ = f.Close() }
}

func TestUnusableFileIsLeftAlone(t *testing.T) {
	p := newPlace(t)
	for _, text := range []string{"", "{", operators + "}"} {
		p.write(text)
		_, err := p.open().Save(vlan("100"))
		if err == nil || !strings.Contains(err.Error(), "is not usable, and was left alone") {
			t.Errorf("%q: error is %v", text, err)
		}
		if got, err := os.ReadFile(p.cfg.File); err != nil || string(got) != text {
			t.Errorf("%q became %q, error %v", text, got, err)
		}
	}
	if err := os.Remove(p.cfg.File); err != nil {
		t.Fatal(err)
	}
	if _, err := p.open().Save(vlan("100")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that is missing: %v", err)
	}
	if _, err := os.Stat(p.cfg.File); err == nil {
		t.Error("a file that is missing was made")
	}
}

func TestFileThatSomebodyElseChanges(t *testing.T) {
	p := newPlace(t)
	persister := p.open()
	if err := persister.replace(p.cfg.File, []byte("{}"), []byte("{ }")); !errors.Is(err, errChanged) {
		t.Errorf("the file is not as it was read: %v", err)
	}
	p.has("Vlan10")
}

func TestFileBehindALink(t *testing.T) {
	p := newPlace(t)
	target := filepath.Join(t.TempDir(), "real.json")
	if err := os.Rename(p.cfg.File, target); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, p.cfg.File); err != nil {
		t.Fatal(err)
	}
	p.save(p.open(), vlan("100"))
	p.has("Vlan10", "Vlan100")
	if got, err := os.Readlink(p.cfg.File); err != nil || got != target {
		t.Errorf("the link leads to %q, error %v", got, err)
	}
}

func TestRecordIsDamaged(t *testing.T) {
	p := newPlace(t)
	persister := p.open()
	p.save(persister, vlan("100"))
	if err := os.WriteFile(persister.recordFile(), []byte("switchlet persisted 1 00000000\n{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	outcome, err := p.open().Save(vlan("101"))
	if err != nil || !strings.Contains(outcome.Damage, "persisted was unusable (damaged: the checksum is wrong) and is now ") {
		t.Fatalf("Save() = %+v, %v", outcome, err)
	}
	p.has("Vlan10", "Vlan100", "Vlan101") // who Vlan100 belongs to is not known any more
}

func TestRecordAcrossRestarts(t *testing.T) {
	record := sonic.Ledger{sonic.VLANKey(100): {"description", "vlanid"}, {Table: "VLAN_INTERFACE", Name: "Vlan100|fc00::1/64"}: {}}
	text, err := encodeRecord(record)
	if err != nil {
		t.Fatal(err)
	}
	got, err := decodeRecord(text)
	if diff := cmp.Diff(record, got); err != nil || diff != "" {
		t.Errorf("error %v (-want +got):\n%s", err, diff)
	}
}

// What was saved is there after a reboot, before any agent has started.
func TestReboot(t *testing.T) {
	b := labtest.Box(t, box.Config{})
	before, err := b.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	p := place{t, Config{File: b.ConfigFile(), LockFile: filepath.Join(filepath.Dir(b.ConfigFile()), "reload.lock"), StateDir: b.StateDir()}}
	own := rows(t, "VLAN|Vlan100 vlanid=100 dhcp_servers@=10.0.0.1,10.0.0.2\nVLAN_INTERFACE|Vlan100\nVLAN_INTERFACE|Vlan100|10.1.0.1/24")
	for _, step := range []struct {
		own  sonic.DB
		want string
	}{
		{own, "VLAN_INTERFACE|Vlan100\nVLAN_INTERFACE|Vlan100|10.1.0.1/24\nVLAN|Vlan100 dhcp_servers@=\"10.0.0.1,10.0.0.2\" vlanid=\"100\"\n"},
		{nil, ""},
	} {
		p.save(p.open(), step.own)
		if err := b.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
		after, err := b.Snapshot(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(step.want, after.Minus(before).String()); diff != "" {
			t.Errorf("rows (-want +got):\n%s", diff)
		}
		if gone := before.Minus(after).String(); gone != "" {
			t.Errorf("rows of others changed:\n%s", gone)
		}
	}
}

func FuzzRecord(f *testing.F) {
	f.Add([]byte(`{"VLAN|Vlan100":["vlanid"],"VRF|Vrf1":null}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		record, err := decodeRecord(append(fmt.Appendf(nil, recordHeader, checksum(body)), body...))
		if err != nil {
			return
		}
		text, err := encodeRecord(record)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := decodeRecord(text); err != nil || len(again) != len(record) {
			t.Errorf("%v written and read is %v, error %v", record, again, err)
		}
	})
}
