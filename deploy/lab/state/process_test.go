package state

import (
	"os"
	"os/exec"
	"testing"
	"time"
)

func TestStartTimeIsNotFooledByTheProgramsName(t *testing.T) {
	stat := "42 (a) b) R 1 42 42 0 -1 4194560 100 0 0 0 1 2 0 0 20 0 1 0 987654 1000 10 0"
	if got, err := startTime([]byte(stat)); err != nil || got != 987654 {
		t.Errorf("startTime() = %d, %v, want 987654", got, err)
	}
	if got, err := startTime([]byte("42 (sh) R 1")); err == nil {
		t.Errorf("startTime() of a short line = %d, want an error", got)
	}
}

func TestKillEndsThisVeryProcess(t *testing.T) {
	cmd := exec.Command("sleep", "60")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p, err := FindProcess(cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	another := Process{Pid: p.Pid, Start: p.Start + 1} // the same id at another time
	if err := another.Kill(10 * time.Second); err != nil {
		t.Fatal(err)
	}
	if running, err := p.Running(); !running || err != nil {
		t.Fatalf("Running() = %v, %v, want true: only another process was to be killed", running, err)
	}
	if err := p.Kill(10 * time.Second); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil {
		t.Error("the process ended by itself")
	}
	if running, err := p.Running(); running || err != nil {
		t.Errorf("Running() = %v, %v, want false", running, err)
	}
	if err := p.Kill(time.Second); err != nil {
		t.Errorf("Kill() of a process that is gone: %v", err)
	}
}

func TestFolderRefusesWhatCannotNameAHost(t *testing.T) {
	for _, name := range []string{"", "Demo", "a-b", "elevenchars", "../x", "1st"} {
		if dir, err := Folder(name); err == nil {
			t.Errorf("Folder(%q) = %s, want an error", name, dir)
		}
	}
}

func TestRecordIsReadBack(t *testing.T) {
	t.Setenv("SWITCHLET_LAB_DIR", t.TempDir())
	dir, err := Folder("demo")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	want := Lab{Name: "demo", Dir: dir, Leaves: 2, Spines: 1, Process: Process{Pid: 1, Start: 2}}
	if err := want.Save(); err != nil {
		t.Fatal(err)
	}
	if got, err := Load("demo"); err != nil || got != want {
		t.Errorf("Load() = %+v, %v, want %+v", got, err, want)
	}
}

func TestLabsOfOneNameInTwoFoldersShareNothing(t *testing.T) {
	first, second := Lab{Name: "demo", Dir: "/var/lib/switchlet-lab/demo"}, Lab{Name: "demo", Dir: "/run/labs/demo"}
	if first.HostLink() == second.HostLink() || first.Cgroup() == second.Cgroup() {
		t.Errorf("both have link %s or cgroup %s", first.HostLink(), first.Cgroup())
	}
	if n := len(first.HostLink()); n > 15 {
		t.Errorf("link %s has %d characters, the kernel takes 15", first.HostLink(), n)
	}
}
