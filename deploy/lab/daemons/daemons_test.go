package daemons_test

import (
	"context"
	"log/slog"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/switchlet/switchlet/deploy/lab/box"
	"github.com/switchlet/switchlet/deploy/lab/daemons"
	"github.com/switchlet/switchlet/deploy/lab/labtest"
)

// serve serves the daemons of a box until the test ends.
func serve(t *testing.T, b *box.Box) (socket string) {
	t.Helper()
	socket = filepath.Join(t.TempDir(), "swss.sock")
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- daemons.Serve(ctx, socket, b.Daemons(), slog.New(slog.NewTextHandler(t.Output(), nil)))
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		connection, err := net.Dial("unix", socket)
		if err == nil {
			_ = connection.Close()
			return socket
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

func ask(t *testing.T, socket string) daemons.Report {
	t.Helper()
	r, err := daemons.Ask(t.Context(), socket)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Another process learns what the daemons made of a row at once, and of a
// mistake.
func TestAsk(t *testing.T) {
	b := labtest.Box(t, box.Config{})
	socket := serve(t, b)
	before := ask(t, socket)
	if !before.Clean() || !slices.Contains(before.Rows, "STATE_DB VLAN_TABLE|Vlan10 state=ok") {
		t.Errorf("%s, rows:\n%s", before.Verdict(), strings.Join(before.Rows, "\n"))
	}
	write := func(rows box.Rows) {
		if err := box.Write(t.Context(), b.Socket(), rows); err != nil {
			t.Fatal(err)
		}
	}
	write(box.Rows{"VLAN|Vlan100": {"vlanid": "100"}, "VLAN_MEMBER|Vlan100|Ethernet0": {"tagging_mode": "tagged"}})
	after := ask(t, socket)
	want := "STATE_DB 1 VLAN_MEMBER_TABLE, 1 VLAN_TABLE\nAPPL_DB 1 VLAN_MEMBER_TABLE, 1 VLAN_TABLE\nASIC_DB 1 BRIDGE_PORT, 1 VLAN, 1 VLAN_MEMBER\n"
	if got := after.Since(before).String(); got != want || !after.Clean() {
		t.Errorf("what came:\n%swant:\n%s%s", got, want, after.Verdict())
	}
	write(box.Rows{"VLAN|Vlan100": {"vlanid": "100"}})
	if r := ask(t, socket); r.Clean() || !strings.Contains(r.Verdict(), "1 mistakes, 0 errors logged\n  Needless VLAN|Vlan100") {
		t.Errorf("after a row was set again: %s", r.Verdict())
	}
}

func TestNobodyToAsk(t *testing.T) {
	_, err := daemons.Ask(t.Context(), filepath.Join(t.TempDir(), "swss.sock"))
	if err == nil || !strings.Contains(err.Error(), "ask the daemons: ") {
		t.Errorf("error %v", err)
	}
}

// An answer that never comes ends with the one who asks.
func TestAskIsInterrupted(t *testing.T) {
	listener, err := net.Listen("unix", filepath.Join(t.TempDir(), "swss.sock"))
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := daemons.Ask(ctx, listener.Addr().String()); err == nil {
		t.Error("no error")
	}
}
