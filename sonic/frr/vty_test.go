package frr

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"
)

// daemon is a strict stand-in for one of FRR 10's: it answers as the real ones
// do, and fails the test over what vtysh would not send.
type daemon struct {
	t      *testing.T
	answer func(command string) (string, byte)
	mu     sync.Mutex
	got    []string
}

// serve answers on the daemon's socket until the test ends.
func (d *daemon) serve(dir, name string) {
	d.t.Helper()
	l, err := net.Listen("unix", filepath.Join(dir, name+".vty"))
	if err != nil {
		d.t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			running.Go(func() { d.talk(conn) })
		}
	})
	d.t.Cleanup(func() {
		if err := l.Close(); err != nil {
			d.t.Error(err)
		}
		running.Wait()
	})
}

func (d *daemon) talk(conn net.Conn) {
	defer conn.Close()
	in := bufio.NewReader(conn)
	for {
		command, err := in.ReadString(0)
		if err != nil {
			return
		}
		command = strings.TrimSuffix(command, "\x00")
		if in.Buffered() > 0 {
			d.t.Errorf("more follows %q before its answer: a daemon that waits for mgmtd would drop it", command)
		}
		d.mu.Lock()
		d.got = append(d.got, command)
		text, status := d.answer(command)
		d.mu.Unlock()
		if _, err := io.WriteString(conn, text+"\x00\x00\x00"+string(rune(status))); err != nil {
			return
		}
	}
}

func (d *daemon) commands() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.got)
}

// fakeTen is FRR 10, where VRFs, route maps and prefix lists of zebra are mgmtd's.
func fakeTen(t *testing.T) (dir string, mgmtd, zebra, bgpd *daemon) {
	t.Helper()
	dir = t.TempDir()
	knows := func(words ...string) func(string) (string, byte) {
		return func(command string) (string, byte) {
			for _, word := range append(words, "enable", "configure", "exit", "show") {
				if strings.HasPrefix(command, word) {
					return "", statusSuccess
				}
			}
			return "% Unknown command: " + command + "\n", statusUnknown
		}
	}
	mgmtd = &daemon{t: t, answer: knows("vrf", "vni", "route-map", "match interface", "no vni", "no vrf")}
	zebra = &daemon{t: t, answer: knows()}
	bgpd = &daemon{t: t, answer: knows("router", "bgp", "neighbor", "address-family", "route-map", "match interface", "advertise", "rd", "route-target")}
	mgmtd.serve(dir, "mgmtd")
	zebra.serve(dir, "zebra")
	bgpd.serve(dir, "bgpd")
	return dir, mgmtd, zebra, bgpd
}

func vni() []Command {
	return []Command{
		{Context: []string{"vrf Vrf20001"}, Line: "vni 20001", Owner: "a"},
		{Line: "route-map ALL permit 10"},
		{Context: []string{"router bgp 65001 vrf Vrf20001", "address-family l2vpn evpn"}, Line: "rd 10.255.0.1:1", Owner: "a"},
		{Context: []string{"router bgp 65001 vrf Vrf20001", "address-family l2vpn evpn"}, Line: "advertise ipv4 unicast", Owner: "a"},
	}
}

// TestEachDaemonGetsItsOwn sends each statement to all who know it.
func TestEachDaemonGetsItsOwn(t *testing.T) {
	dir, mgmtd, zebra, bgpd := fakeTen(t)
	answers, err := Sockets{Dir: dir}.Configure(t.Context(), vni())
	if err != nil || len(answers) > 0 {
		t.Fatalf("%+v, %v", answers, err)
	}
	for _, test := range []struct {
		name string
		d    *daemon
		want []string
	}{
		{"mgmtd", mgmtd, []string{"enable", "configure terminal", "vrf Vrf20001", "vni 20001", "exit", "route-map ALL permit 10", "exit", "router bgp 65001 vrf Vrf20001"}},
		{"zebra", zebra, []string{"enable", "configure terminal", "vrf Vrf20001", "route-map ALL permit 10", "router bgp 65001 vrf Vrf20001"}},
		{"bgpd", bgpd, []string{
			"enable", "configure terminal", "vrf Vrf20001", "route-map ALL permit 10", "exit",
			"router bgp 65001 vrf Vrf20001", "address-family l2vpn evpn", "rd 10.255.0.1:1", "advertise ipv4 unicast",
		}},
	} {
		if got := test.d.commands(); !slices.Equal(got, test.want) {
			t.Errorf("%s got\n%q\nwant\n%q", test.name, got, test.want)
		}
	}
}

// TestLocked waits for another session to let go of mgmtd's datastores.
func TestLocked(t *testing.T) {
	dir, mgmtd, _, _ := fakeTen(t)
	free, tries := mgmtd.answer, 0
	mgmtd.answer = func(command string) (string, byte) {
		if command == "vni 20001" && tries < 3 {
			tries++
			return "% could not lock candidate DS\n% Failed to apply configuration data.\n", 13
		}
		return free(command)
	}
	answers, err := Sockets{Dir: dir}.Configure(t.Context(), vni())
	if err != nil || len(answers) > 0 || tries != 3 {
		t.Errorf("%+v, %v after %d tries", answers, err, tries)
	}
}

// TestLockedForGood gives up on the one command, says so, and goes on.
func TestLockedForGood(t *testing.T) {
	dir, mgmtd, _, bgpd := fakeTen(t)
	free := mgmtd.answer
	mgmtd.answer = func(command string) (string, byte) {
		if strings.HasPrefix(command, "vrf ") {
			return "% Configuration failed.\n\nError: Lock already taken on DS by another session!\n", 13
		}
		return free(command)
	}
	answers, err := Sockets{Dir: dir, LockWait: 50 * time.Millisecond}.Configure(t.Context(), vni())
	if err != nil || len(answers) != 1 || answers[0].Command != 0 || !strings.Contains(answers[0].Text, "mgmtd: % Configuration failed. Error: Lock already taken") {
		t.Errorf("%+v, %v", answers, err)
	}
	if got := bgpd.commands(); !slices.Contains(got, "advertise ipv4 unicast") {
		t.Errorf("bgpd got %q", got)
	}
}

// TestInstanceWaitsForItsVNI takes an instance away that bgpd lets go of only
// when it has heard from zebra that the L3 VNI is gone.
func TestInstanceWaitsForItsVNI(t *testing.T) {
	dir, _, _, bgpd := fakeTen(t)
	knows, tries := bgpd.answer, 0
	bgpd.answer = func(command string) (string, byte) {
		if command != "no router bgp 65001 vrf Vrf20001" {
			return knows(command)
		}
		if tries++; tries < 3 {
			return "% Please unconfigure l3vni 20001\n", 13
		}
		return "", statusSuccess
	}
	answers, err := Sockets{Dir: dir}.Configure(t.Context(), []Command{
		{Context: []string{"vrf Vrf20001"}, Line: "no vni 20001"}, {Line: "no router bgp 65001 vrf Vrf20001"},
	})
	if err != nil || len(answers) > 0 || tries != 3 {
		t.Errorf("%+v, %v after %d tries", answers, err, tries)
	}
}

// TestVRFOfTheKernelStays never asks FRR to forget a VRF that the kernel has.
func TestVRFOfTheKernelStays(t *testing.T) {
	dir, mgmtd, zebra, _ := fakeTen(t)
	knows := mgmtd.answer
	vni := " vni 20001\n"
	mgmtd.answer = func(command string) (string, byte) {
		switch command {
		case "show running-config":
			return "vrf Vrf20001\n" + vni + "exit-vrf\nvrf Vrf20002\nexit-vrf\n", statusSuccess
		case "no vni 20001":
			vni = ""
		}
		return knows(command)
	}
	zebra.answer = func(command string) (string, byte) {
		if command == "show vrf" {
			return "vrf Vrf20001 id 12 table 1001\nvrf Vrf20002 inactive (configured)\n", statusSuccess
		}
		return "", statusSuccess
	}
	owned := parse(t, "vrf Vrf20001\n vni 20001\nvrf Vrf20002\n")
	_, err := NewSession(Sockets{Dir: dir}, discard()).Apply(t.Context(), nil, owned, func(Tree) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	if got := mgmtd.commands(); slices.Contains(got, "no vrf Vrf20001") || !slices.Contains(got, "no vrf Vrf20002") {
		t.Errorf("mgmtd got %q", got)
	}
}

// TestRefusedContext blames what is inside of a context that cannot be entered
// on the context, and never sends it into another one.
func TestRefusedContext(t *testing.T) {
	dir, _, _, bgpd := fakeTen(t)
	knows := bgpd.answer
	bgpd.answer = func(command string) (string, byte) {
		if strings.HasPrefix(command, "router bgp ") {
			return "BGP is already running; AS is 65100\n", 13
		}
		return knows(command)
	}
	answers, err := Sockets{Dir: dir}.Configure(t.Context(), vni())
	want := "bgpd: BGP is already running; AS is 65100"
	if err != nil || len(answers) != 2 || answers[0].Text != want || answers[1].Text != want || answers[0].Command != 2 {
		t.Errorf("%+v, %v", answers, err)
	}
	if got := bgpd.commands(); slices.Contains(got, "rd 10.255.0.1:1") {
		t.Errorf("bgpd got %q", got)
	}
}

func TestNobodyKnows(t *testing.T) {
	dir, _, _, _ := fakeTen(t)
	answers, err := Sockets{Dir: dir}.Configure(t.Context(), []Command{{Line: "fpm address 127.0.0.1"}})
	if err != nil || len(answers) != 1 || answers[0].Text != "no daemon that runs knows this command" {
		t.Errorf("%+v, %v", answers, err)
	}
}

// TestHangingDaemon ends with the context.
func TestHangingDaemon(t *testing.T) {
	dir, mgmtd, _, _ := fakeTen(t)
	asked, release := make(chan struct{}), make(chan struct{})
	free := mgmtd.answer
	mgmtd.answer = func(command string) (string, byte) {
		if command == "vni 20001" {
			close(asked)
			<-release
		}
		return free(command)
	}
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-asked
		cancel()
	}()
	_, err := Sockets{Dir: dir}.Configure(ctx, vni())
	close(release)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestMissingDaemons(t *testing.T) {
	_, err := Sockets{Dir: t.TempDir()}.Running(t.Context())
	if err == nil || !strings.Contains(err.Error(), "FRR's zebra does not answer") {
		t.Errorf("%v", err)
	}
}

func FuzzReadAnswer(f *testing.F) {
	f.Add([]byte("text\x00\x00\x00\x0d"))
	f.Add([]byte("\x00\x00\x00"))
	f.Add([]byte("a\x00b\x00\x00c\x00\x00\x00\x00x"))
	f.Fuzz(func(t *testing.T, sent []byte) {
		text, status, err := readAnswer(bytes.NewReader(sent), make([]byte, 0, 16))
		slow, slowStatus, slowErr := readAnswer(iotest.OneByteReader(bytes.NewReader(sent)), nil)
		if err == nil && (slowErr != nil || string(slow) != string(text) || slowStatus != status) {
			t.Errorf("%q at once, %q byte by byte: %v", text, slow, slowErr)
		}
		if err == nil && !bytes.HasPrefix(sent, append(append(bytes.Clone(text), 0, 0, 0), status)) {
			t.Errorf("%q and %d of %q", text, status, sent)
		}
	})
}
