package main_test

import (
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/switchlet/switchlet/deploy/lab/state"
)

func TestNodesOfALab(t *testing.T) {
	l := newLab(t, "e2enodes", false)
	l.must(t, "up", "--leaves", "1", "--spines", "1", "--hosts", "1")
	for _, node := range []string{"leaf1", "spine1", "host1", "cp1"} {
		l.kubectl(t, "wait --for=create --timeout=60s node/"+node)
		l.kubectl(t, "wait --for=condition=Ready --timeout=60s node/"+node)
	}
	for node, want := range map[string]string{
		"leaf1":  "leaf fabric.switchlet.io/switch:NoSchedule",
		"spine1": "spine fabric.switchlet.io/switch:NoSchedule",
		"host1":  " :",
		"cp1":    " :",
	} {
		// Kubernetes takes its own taints from a Ready node a moment later.
		eventually(t, "role and taint of "+node+" are "+want, func() bool {
			got := l.kubectl(t, `get node `+node+` -o 'jsonpath={.metadata.labels.fabric\.switchlet\.io/role} {.spec.taints[*].key}:{.spec.taints[*].effect}'`)
			return got == want
		})
	}
	if got := l.must(t, "exec", "leaf1", "hostname"); got != "leaf1\n" {
		t.Errorf("hostname on leaf1 = %q", got)
	}
	if got := l.must(t, "exec", "spine1", "redis-cli", "-n", "4", "hget", "DEVICE_METADATA|localhost", "hostname"); got != "spine1\n" {
		t.Errorf("hostname in CONFIG_DB of spine1 = %q", got)
	}
	if got := l.must(t, "rows", "leaf1"); !strings.Contains(got, `VLAN_MEMBER|Vlan10|Ethernet16 tagging_mode="untagged"`) {
		t.Errorf("rows of leaf1 lack an operator's VLAN member:\n%s", got)
	}
}

func TestDownLeavesNothing(t *testing.T) {
	l := newLab(t, "e2edown", false)
	l.must(t, "up", "--leaves", "1", "--spines", "0", "--hosts", "1")
	tr := l.trace(t)
	if got := l.must(t, "status"); !strings.Contains(got, l.name) || !strings.Contains(got, "running") {
		t.Errorf("status = %q, want %s running", got, l.name)
	}
	l.must(t, "down")
	tr.gone(t)
	if got := l.must(t, "down"); !strings.Contains(got, "nothing to do") {
		t.Errorf("a second down says %q", got)
	}
}

func TestUpAfterKilledLab(t *testing.T) {
	l := newLab(t, "e2ekill", false)
	l.must(t, "up", "--leaves", "1", "--spines", "0", "--hosts", "1")
	tr := l.trace(t)
	if err := syscall.Kill(tr.record.Process.Pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, "all processes end with the first one", func() bool { return len(tr.processes(t)) == 0 })
	l.must(t, "up", "--leaves", "1", "--spines", "0", "--hosts", "0")
	second := l.trace(t)
	l.must(t, "down")
	second.gone(t)
}

// Whatever ends the one who starts a lab, the lab ends with it.
func TestLabThatIsInterruptedWhileItStarts(t *testing.T) {
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGKILL} {
		t.Run(signal.String(), func(t *testing.T) {
			l := newLab(t, "e2eint", false)
			up := l.start(t, "built the images", "up")
			eventually(t, "the lab's process is recorded", func() bool {
				_, err := state.Load(l.name)
				return err == nil
			})
			tr := l.trace(t)
			if err := up.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			if err := up.Wait(); err == nil {
				t.Error("lab up succeeded although it was interrupted")
			}
			eventually(t, "all processes end", func() bool { return len(tr.processes(t)) == 0 })
			if signal == syscall.SIGKILL {
				l.must(t, "down") // nobody could clean up
			}
			tr.gone(t)
		})
	}
}

func TestTwoLabsSideBySide(t *testing.T) {
	first, second := newLab(t, "e2eone", false), newLab(t, "e2etwo", false)
	var both sync.WaitGroup
	for _, l := range []lab{first, second} {
		both.Go(func() {
			if output, err := l.run("up", "--leaves", "1", "--spines", "0", "--hosts", "0"); err != nil {
				t.Errorf("lab up --name %s: %v\n%s", l.name, err, output)
			}
		})
	}
	both.Wait()
	if t.Failed() {
		return
	}
	if a, b := first.trace(t).record.Subnet, second.trace(t).record.Subnet; a.Overlaps(b) {
		t.Errorf("subnets %s and %s overlap", a, b)
	}
	first.must(t, "down")
	second.kubectl(t, "wait --for=create --timeout=60s node/leaf1")
}

// The demonstration checks itself: every row, and that those made by hand are
// the same byte for byte. It runs again on top of itself. Here its switches forward
// nothing: on each of them is a kubelet, and agents are pods.
func TestDemo(t *testing.T) {
	l := newLab(t, "e2edemo", true)
	for run := range 2 {
		begin := time.Now()
		output := l.must(t, "demo", "--forward=false")
		t.Logf("run %d took %s", run+1, time.Since(begin).Round(time.Millisecond))
		for _, want := range []string{
			"6 nodes are Ready",
			"controller and agents run",
			"found all 6 cables by LLDP",
			"the underlay is in force on 3 switches",
			"Rows that appeared in CONFIG_DB of spine1 with the underlay",
			"Rows that appeared in CONFIG_DB of leaf1 with the VPCs",
			"Rows that appeared in CONFIG_DB of leaf2 with the VPCs",
			"No row appeared in CONFIG_DB of spine1 with the VPCs",
			"leaf2/Ethernet8 carries tenant-a/blue/web and tenant-b/red/app",
			"leaf1/Ethernet0 has lost them",
			"its rows are gone",
			"are byte for byte as before",
			"ASIC_DB 3 BRIDGE_PORT",
			"0 mistakes in what was written or in its order, 0 errors logged",
			"eval $(bin/lab env",
		} {
			if !strings.Contains(output, want) {
				t.Errorf("lab demo does not say %q, but:\n%s", want, output)
			}
		}
		if got := strings.Count(output, "Established"); got != 4 {
			t.Errorf("%d ends of BGP sessions are established, want 4:\n%s", got, output)
		}
	}
	rows := l.must(t, "rows", "leaf1")
	for _, want := range []string{"switchlet tenant-a/blue/db", `VLAN|Vlan12 description="added by hand"`} {
		if !strings.Contains(rows, want) {
			t.Errorf("leaf1 lacks %q after the demonstration:\n%s", want, rows)
		}
	}
	if strings.Contains(rows, "tenant-b") {
		t.Errorf("leaf1 still has rows of the VPC that was deleted:\n%s", rows)
	}
	tr := l.trace(t)
	l.must(t, "down")
	tr.gone(t)
}

func TestDemoThatIsInterruptedEndsItsLab(t *testing.T) {
	l := newLab(t, "e2eintr", true)
	demo := l.start(t, "controller and agents run", "demo", "--forward=false")
	tr := l.trace(t)
	if err := demo.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := demo.Wait(); err == nil {
		t.Error("lab demo succeeded although it was interrupted")
	}
	tr.gone(t)
}
