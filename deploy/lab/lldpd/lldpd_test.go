package lldpd_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/switchlet/switchlet/deploy/lab/cabling"
	"github.com/switchlet/switchlet/deploy/lab/labtest"
	"github.com/switchlet/switchlet/deploy/lab/lldpcli"
	"github.com/switchlet/switchlet/deploy/lab/lldpd"
	"github.com/switchlet/switchlet/deploy/lab/nettest"
	"github.com/switchlet/switchlet/deploy/lab/patch"
	"github.com/switchlet/switchlet/deploy/lab/process"
)

// device is a switch as far as lldpd needs one.
type device struct {
	place  patch.Place
	client lldpcli.Client

	mu    sync.Mutex
	rows  lldpd.Rows
	links chan struct{}
}

// folder is one that everybody may enter: lldpcli has the rights of lldpd's own
// user, wherever it is started.
func folder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "lldpd")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// start starts lldpd in a namespace of its own.
func start(t *testing.T, name string, number byte, rows lldpd.Rows) *device {
	t.Helper()
	labtest.Program(t, "lldpd", "lldpd")
	dir := folder(t)
	d := &device{
		place:  patch.Place{Name: name, Namespace: nettest.Namespace(t)},
		client: lldpcli.Client{Socket: filepath.Join(dir, "s")},
		rows:   rows, links: make(chan struct{}, 1),
	}
	rows["DEVICE_METADATA|localhost"] = map[string]string{"hostname": name}
	nettest.Management(t, d.place.Namespace, number)
	daemon := lldpd.New(lldpd.Config{
		ConfigDB: func(ctx context.Context) (lldpd.Rows, error) { return d.read(ctx) },
		Rows:     d.read, Description: "SONiC Software Version: SONiC.test", Interval: time.Second,
		File: filepath.Join(dir, "conf"), Output: filepath.Join(dir, "log"), Socket: d.client.Socket, Log: slog.New(slog.DiscardHandler),
	})
	var running *process.Process
	nettest.In(t, d.place.Namespace, func() (err error) {
		running, err = daemon.Start(t.Context())
		return err
	})
	t.Cleanup(func() {
		if err := running.Stop(10 * time.Second); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("log of %s:\n%s", name, process.Tail(running.Log(), 20))
		}
	})
	ctx, cancel := context.WithCancel(context.Background())
	var manager sync.WaitGroup
	manager.Go(func() { daemon.Manage(ctx, d.links) })
	t.Cleanup(func() { cancel(); manager.Wait() })
	return d
}

func (d *device) read(context.Context, ...string) (lldpd.Rows, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return lldpd.Rows{"DEVICE_METADATA|localhost": d.rows["DEVICE_METADATA|localhost"], "PORT|Ethernet0": d.rows["PORT|Ethernet0"]}, nil
}

// hears waits until lldpd has exactly these neighbours: "Ethernet0: leaf1 Eth1".
func (d *device) hears(t *testing.T, want ...string) {
	t.Helper()
	var got []string
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		neighbors, err := d.client.Neighbors(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		got = nil
		for _, n := range neighbors {
			got = append(got, fmt.Sprintf("%s: %s %s %s %s", n.Name, n.Chassis.ID.Value, n.Chassis.Name, n.Port.ID.Value, n.Port.Description))
		}
		if cmp.Equal(want, got) {
			return
		}
	}
	t.Fatalf("neighbours of %s (-want +got):\n%s", d.place.Name, cmp.Diff(want, got))
}

// Two real lldpds: each hears of the other what SONiC's would say, and nothing
// any more once the cable is pulled.
func TestSwitchesHearOfEachOther(t *testing.T) {
	leaf := start(t, "leaf1", 1, lldpd.Rows{"PORT|Ethernet0": {"alias": "Eth1"}})
	spine := start(t, "spine1", 2, lldpd.Rows{"PORT|Ethernet0": {"alias": "etp1", "description": "to leaf1"}})
	panel, err := patch.Open(nettest.Namespace(t), []patch.Place{leaf.place, spine.place})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(panel.Close)
	here, there := cabling.End{Node: "leaf1", Port: "Ethernet0"}, cabling.End{Node: "spine1", Port: "Ethernet0"}

	if err := panel.Plug(here, there); err != nil {
		t.Fatal(err)
	}
	leaf.links <- struct{}{}
	spine.links <- struct{}{}
	leaf.hears(t, "Ethernet0: 52:54:00:5c:00:02 spine1 etp1 to leaf1")
	spine.hears(t, "Ethernet0: 52:54:00:5c:00:01 leaf1 Eth1 Ethernet0")

	spine.mu.Lock()
	spine.rows["PORT|Ethernet0"] = map[string]string{"alias": "etp9", "description": "to leaf1"}
	spine.mu.Unlock()
	leaf.hears(t, "Ethernet0: 52:54:00:5c:00:02 spine1 etp9 to leaf1")

	if err := panel.Pull(there); err != nil {
		t.Fatal(err)
	}
	leaf.hears(t)
	spine.hears(t)
}
