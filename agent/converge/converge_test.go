package converge_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/switchlet/switchlet/agent/report"
	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/deploy/lab/box"
)

// What was there before the agent is there afterwards, byte for byte.
func TestCreateChangeDelete(t *testing.T) {
	r := newRig(t)
	r.start()
	r.apply(spec("r1", 100, 101))
	r.apply(spec("r2", 101, 102))
	rows := r.rows()
	if _, there := rows["VLAN|Vlan100"]; there {
		t.Error("VLAN|Vlan100 is still there")
	}
	if got := rows["VLAN|Vlan102"]["description"]; got != "switchlet tenant/blue/s102" {
		t.Errorf("description of Vlan102 is %q", got)
	}
	r.apply(nothing("r3"))
	r.becomes("only the rows made by hand are left", r.before)
}

func TestRestartWritesNothing(t *testing.T) {
	r := newRig(t)
	r.start()
	r.apply(spec("r1", 100))
	r.end()
	commands := r.operator.Info(t.Context(), "commandstats").Val()
	r.start()
	r.until("the last good configuration is in force", func(f report.Facts) bool { return f.Connected.OK && f.Inventory != nil })
	r.apply(spec("r1", 100))
	if before, after := count(commands, "cmdstat_hset"), count(r.operator.Info(t.Context(), "commandstats").Val(), "cmdstat_hset"); before != after {
		t.Errorf("HSET before %s, after %s", before, after)
	}
}

// What the agent wrote and somebody changed or deleted is put back; what
// somebody added stays.
func TestChangesByHand(t *testing.T) {
	r := newRig(t)
	r.byHand = true
	r.start()
	r.apply(spec("r1", 100))
	want := r.rows()
	for _, change := range []struct {
		name string
		do   func()
	}{
		{"a row is deleted", func() { r.del("VLAN_MEMBER|Vlan100|Ethernet0") }},
		{"a VLAN is deleted under its rows", func() { r.del("VLAN|Vlan100") }},
		{"an interface is deleted under its address", func() { r.del("VLAN_INTERFACE|Vlan100") }},
		{"a VRF is deleted under its interfaces", func() { r.del("VRF|Vrf20001") }},
		{"a field is changed", func() { r.hset("VLAN|Vlan100", "description", "mine") }},
		{"a VRF's VNI is changed", func() { r.hset("VRF|Vrf20001", "vni", "7") }},
		{"an interface's VRF is removed", func() { r.must(r.operator.HDel(t.Context(), "VLAN_INTERFACE|Vlan100", "vrf_name").Err()) }},
		{"everything is deleted", func() {
			for key := range want {
				if _, hand := r.before[key]; !hand {
					r.del(key)
				}
			}
		}},
	} {
		change.do()
		r.becomes(change.name, want)
	}
	r.hset("VLAN|Vlan12", "vlanid", "12")
	r.hset("VLAN|Vlan100", "mtu", "9000")
	want["VLAN|Vlan12"] = map[string]string{"vlanid": "12"}
	want["VLAN|Vlan100"]["mtu"] = "9000"
	r.apply(spec("r2", 100))
	r.becomes("rows and fields made by hand stay", want)
	r.apply(nothing("r3"))
	r.before["VLAN|Vlan12"] = map[string]string{"vlanid": "12"}
	r.before["VLAN|Vlan100"] = map[string]string{"mtu": "9000"}
	r.becomes("and stay when the agent's rows go", r.before)
}

// A row in the way is one owner's problem, which goes away with the row.
func TestConflict(t *testing.T) {
	r := newRig(t)
	r.hset("VLAN|Vlan100", "vlanid", "100")
	r.before["VLAN|Vlan100"] = map[string]string{"vlanid": "100"}
	r.start()
	r.write(spec("r1", 100, 101))
	r.until("the VPC has a problem", hasProblem(v1alpha1.KindVPC, "VLAN|Vlan100 is in the switch's CONFIG_DB already"))
	r.until("the attachment waits", hasProblem(v1alpha1.KindVPCAttachment, "It waits for VLAN|Vlan100"))
	f := r.until("the rest is in force", func(f report.Facts) bool { return f.AppliedGeneration == 1 })
	if f.AppliedGeneration != 1 || !f.Programmed.OK || f.Rendered.Reason != "Problems" {
		t.Errorf("facts are %+v", f)
	}
	if got := r.rows(); got["VLAN_MEMBER|Vlan101|Ethernet0"] == nil {
		t.Error("the other subnet is not programmed")
	}
	if gone := r.before.Minus(r.rows()); len(gone) > 0 {
		t.Errorf("rows made by hand changed:\n%s", gone)
	}
	r.del("VLAN|Vlan100")
	r.until("no problem is left", func(f report.Facts) bool { return len(f.Problems) == 0 && f.Rendered.OK })
	if got := r.rows(); got["VLAN_MEMBER|Vlan100|Ethernet0"] == nil {
		t.Error("the subnet is not programmed once the row is gone")
	}
}

// A VLAN that somebody put a port into is kept until that is gone.
func TestRowInUse(t *testing.T) {
	r := newRig(t)
	r.start()
	r.apply(spec("r1", 100))
	r.hset("VLAN_MEMBER|Vlan100|Ethernet4", "tagging_mode", "tagged")
	r.write(nothing("r2"))
	r.until("the switch has a problem", hasProblem(v1alpha1.KindSwitch, "VLAN_MEMBER|Vlan100|Ethernet4"))
	if got := r.rows()["VLAN|Vlan100"]; got == nil {
		t.Error("VLAN|Vlan100 is gone")
	}
	r.del("VLAN_MEMBER|Vlan100|Ethernet4")
	r.becomes("the VLAN goes when nobody needs it", r.before)
}

func TestSpecThatCannotBeRendered(t *testing.T) {
	r := newRig(t)
	r.byHand = true
	r.start()
	r.apply(spec("r1", 100))
	want := r.rows()
	bad := spec("r2", 101)
	bad.VTEP = "nowhere"
	r.write(bad)
	f := r.until("the condition says so", func(f report.Facts) bool { return f.Rendered.Reason == "InvalidSpec" })
	const message = `the spec cannot be rendered: spec.vtep is "nowhere": it must be an IP address. The last good revision r1 stays in force.`
	if f.Rendered.Message != message || f.Programmed.OK || f.AppliedRevision != "r1" || f.AppliedGeneration != 1 {
		t.Errorf("facts are %+v", f)
	}
	r.del("VLAN|Vlan100")
	r.becomes("the last good configuration is kept in force", want)
	r.end()
	r.start()
	r.generation = 1
	r.write(bad)
	r.until("also after a restart", func(f report.Facts) bool { return f.Rendered.Reason == "InvalidSpec" && f.AppliedGeneration == 1 })
	r.becomes("also after a restart", want)
	r.apply(spec("r3", 100))
}

func TestPaused(t *testing.T) {
	r := newRig(t)
	r.start()
	r.apply(spec("r1", 100))
	want := r.rows()
	r.pause(true)
	r.write(spec("r2", 101))
	r.until("the condition says so", func(f report.Facts) bool { return f.Programmed.Reason == "Paused" })
	r.end()
	r.start() // without the API server
	r.del("VLAN_MEMBER|Vlan100|Ethernet0")
	delete(want, "VLAN_MEMBER|Vlan100|Ethernet0")
	r.until("paused also after a restart", func(f report.Facts) bool { return f.Programmed.Reason == "Paused" })
	r.becomes("nothing is changed", want)
	r.pause(false)
	r.apply(spec("r2", 101))
}

// A switch may be paused from the start: nothing is written before that is known.
func TestNothingBeforeTheSwitchIsKnown(t *testing.T) {
	r := newRig(t)
	r.start()
	r.known = true // the Switch is on its way
	r.write(spec("r1", 100))
	r.until("the agent has looked around", func(f report.Facts) bool { return f.Connected.OK })
	r.pause(true)
	r.until("the condition says so", func(f report.Facts) bool { return f.Programmed.Reason == "Paused" })
	r.becomes("nothing is written", r.before)
	r.pause(false)
	r.until("it goes on by itself", func(f report.Facts) bool { return f.AppliedRevision == "r1" })
}

// Without the API server, the last good configuration is put in force at once.
func TestBootWithoutAPIServer(t *testing.T) {
	r := newRig(t)
	r.start()
	r.apply(spec("r1", 100))
	want := r.rows()
	r.end()
	r.must(r.box.Restart(t.Context()))
	r.start()
	r.becomes("the rows are back after a reboot", want)
}

func TestRedisComesAndGoes(t *testing.T) {
	r := newRig(t)
	r.start()
	r.apply(spec("r1", 100))
	want := r.rows()
	r.must(r.box.Reload(t.Context()))
	r.becomes("the rows are back after config reload", want)
	r.must(r.box.RestartKeepingData(t.Context()))
	r.becomes("the rows are still there after a restart of the database", want)
	r.must(r.box.Kill())
	r.until("the condition says so", func(f report.Facts) bool { return f.Connected.Reason == "ConfigDBUnreachable" && !f.Programmed.OK })
	generation := r.write(spec("r2", 100, 101))
	r.must(r.box.Boot(t.Context()))
	r.until("what came meanwhile is in force", func(f report.Facts) bool {
		return f.AppliedGeneration == generation && f.Programmed.OK && f.Connected.OK
	})
	if r.rows()["VLAN|Vlan101"] == nil {
		t.Error("VLAN|Vlan101 is not there")
	}
}

// While SONiC loads its configuration, nothing is written.
func TestConfigDBNotInitialized(t *testing.T) {
	r := newRig(t)
	r.must(r.operator.Set(t.Context(), "CONFIG_DB_INITIALIZED", "0", 0).Err())
	r.start()
	r.write(spec("r1", 100))
	r.until("the condition says so", func(f report.Facts) bool { return f.Connected.Reason == "ConfigDBNotInitialized" })
	if got := r.rows().Minus(r.before); len(got) > 0 {
		t.Errorf("rows were written:\n%s", got)
	}
	r.must(r.operator.Set(t.Context(), "CONFIG_DB_INITIALIZED", "1", 0).Err())
	r.until("the spec is in force", func(f report.Facts) bool { return f.Programmed.OK && f.Connected.OK })
}

// A file on the disk that is damaged or lost is made anew, and the rows stay.
func TestDamagedState(t *testing.T) {
	for _, test := range []struct {
		name   string
		damage func(dir string) error
		reason string
	}{
		{"the last good configuration is cut off", func(dir string) error { return os.Truncate(filepath.Join(dir, "last-good.json"), 100) }, "Recovered"},
		{"the ledger is garbage", func(dir string) error { return os.WriteFile(filepath.Join(dir, "ledger"), []byte("garbage\n"), 0o600) }, "Recovered"},
		{"the ledger is lost", func(dir string) error { return os.Remove(filepath.Join(dir, "ledger")) }, "Recovered"},
		{"everything is lost, as after an image upgrade", os.RemoveAll, "Recovered"},
		{"both are garbage", func(dir string) error {
			for _, name := range []string{"ledger", "last-good.json", "last-good.previous.json"} {
				if err := os.WriteFile(filepath.Join(dir, name), []byte("garbage\n"), 0o600); err != nil {
					return err
				}
			}
			return nil
		}, "Recovered"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := newRig(t)
			r.start()
			r.apply(spec("r1", 100))
			r.apply(spec("r2", 100, 101))
			want := r.rows()
			r.end()
			r.must(test.damage(r.box.StateDir()))
			r.start()
			r.apply(spec("r2", 100, 101))
			f := r.until("the condition says so", func(f report.Facts) bool { return f.StateSaved.Reason == test.reason && f.StateSaved.OK })
			if f.StateSaved.Message == "" {
				t.Error("there is no message")
			}
			r.becomes("the rows stay", want)
			r.apply(nothing("r3"))
			left := r.rows().Minus(r.before)
			delete(left, "LOOPBACK_INTERFACE|Loopback1") // nobody can tell any more whose it was
			if diff := cmp.Diff(box.Rows{}, left); diff != "" {
				t.Errorf("rows left:\n%s", diff)
			}
		})
	}
}

// A disk that cannot be written to: what cannot be recorded is not written.
func TestDiskFull(t *testing.T) {
	r := newRig(t)
	r.start()
	r.apply(spec("r1", 100))
	want := r.rows()
	ledger := filepath.Join(r.box.StateDir(), "ledger")
	r.must(os.Remove(ledger))
	r.must(os.Mkdir(ledger, 0o700)) // root may write to any file, but not to a folder
	r.write(spec("r2", 101))
	r.until("the condition says so", func(f report.Facts) bool {
		return f.StateSaved.Reason == "WriteFailed" && f.Programmed.Reason == "WriteFailed"
	})
	r.becomes("nothing is changed", want)
	r.must(os.Remove(ledger))
	r.until("it goes on by itself", func(f report.Facts) bool { return f.AppliedRevision == "r2" && f.StateSaved.OK })
}

func TestModelsUnreadable(t *testing.T) {
	r := newRig(t)
	aside := r.box.YANGDir() + ".aside"
	r.must(os.Rename(r.box.YANGDir(), aside))
	r.start()
	r.write(spec("r1", 100))
	r.until("the condition says so", func(f report.Facts) bool { return f.Connected.Reason == "ModelsUnreadable" })
	r.must(os.Rename(aside, r.box.YANGDir()))
	r.until("it goes on by itself", func(f report.Facts) bool { return f.AppliedRevision == "r1" && f.Connected.OK })
}
