package journal_test

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/switchlet/switchlet/cni/host/ipam"
	"github.com/switchlet/switchlet/cni/host/journal"
	"github.com/switchlet/switchlet/cni/host/request"
)

var now = time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)

func key(n int) request.Key { return request.Key{ContainerID: fmt.Sprint("c", n), IfName: "net1"} }

func attachment(n int) journal.Attachment {
	return journal.Attachment{Key: key(n), VNI: 1111, Pod: request.Pod{Namespace: "blue", Name: fmt.Sprint("pod", n)}, Made: now}
}

// slice has the addresses 10.1.0.2 to 10.1.0.last.
func slice(last byte) []ipam.Subnet {
	return []ipam.Subnet{{
		CIDR: netip.MustParsePrefix("10.1.0.0/24"), Gateway: netip.MustParseAddr("10.1.0.1"),
		Ranges: []ipam.Range{{First: netip.AddrFrom4([4]byte{10, 1, 0, 2}), Last: netip.AddrFrom4([4]byte{10, 1, 0, last})}},
	}}
}

func open(t testing.TB, dir string) *journal.Store {
	t.Helper()
	s, damage, err := journal.Open(dir)
	if err != nil || damage != nil {
		t.Fatalf("damage %q, error %v", damage, err)
	}
	return s
}

func add(t testing.TB, s *journal.Store, n int) journal.Attachment {
	t.Helper()
	a, commit, err := s.Add(attachment(n), slice(254))
	if err == nil {
		err = commit.Wait()
	}
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func text(t testing.TB, dir string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, "attachments"))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// What was given is there after a restart, and so is what was released.
func TestRestart(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	first, second := add(t, s, 1), add(t, s, 2)
	if got := first.Addresses[0].String() + " " + first.MAC + " " + second.Addresses[0].String(); got != "10.1.0.2/24 0a:58:0a:01:00:02 10.1.0.3/24" {
		t.Error(got)
	}
	_, commit := s.Remove(key(1), now)
	if err := commit.Wait(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir)
	if diff := cmp.Diff([]journal.Attachment{second}, s.All(), cmpopts.EquateComparable(netip.Addr{}, netip.Prefix{})); diff != "" {
		t.Errorf("after a restart (-want +got):\n%s", diff)
	}
	if _, _, err := s.Add(attachment(3), slice(3)); !errors.Is(err, ipam.ErrNone) || !strings.Contains(err.Error(), "1 were released less than") {
		t.Errorf("with one address in use and the other cooling down: %v", err)
	}
	later := attachment(3)
	later.Made = now.Add(ipam.Cooldown)
	if a, _, err := s.Add(later, slice(3)); err != nil || a.Addresses[0].String() != "10.1.0.2/24" {
		t.Errorf("afterwards: %v, error %v", a.Addresses, err)
	}
}

func TestAddRefuses(t *testing.T) {
	s := open(t, t.TempDir())
	a := add(t, s, 1)
	if _, _, err := s.Add(attachment(1), slice(254)); !errors.Is(err, journal.ErrThere) {
		t.Errorf("the same again: %v", err)
	}
	other := attachment(2)
	other.MAC = a.MAC
	if _, _, err := s.Add(other, slice(254)); !errors.Is(err, journal.ErrMAC) || !strings.Contains(err.Error(), "container c1/net1 has 0a:58:0a:01:00:02") {
		t.Errorf("the MAC address of another: %v", err)
	}
	if got := s.Holder(1111, netip.MustParseAddr("10.1.0.3")); got != "" {
		t.Errorf("%s has an address, and its ADD was refused", got)
	}
}

// A power cut at any octet of the file: what was counted on is there, and of the
// rest nothing, or all.
func TestPowerCut(t *testing.T) {
	dir, cut := t.TempDir(), t.TempDir()
	s := open(t, dir)
	add(t, s, 0)
	for _, change := range []int{1, 2, -1, 3, -0, 4} {
		before, was := names(s), text(t, dir)
		if change > 0 {
			add(t, s, change)
		} else if _, commit := s.Remove(key(-change), now); commit.Wait() != nil {
			t.Fatal("not removed")
		}
		after, is := names(s), text(t, dir)
		if !strings.HasPrefix(is, was) {
			t.Fatalf("change %d wrote the file anew", change)
		}
		for size := len(was); size <= len(is); size++ {
			if err := os.WriteFile(filepath.Join(cut, "attachments"), []byte(is[:size]), 0o600); err != nil {
				t.Fatal(err)
			}
			got := names(open(t, cut))
			if got != before && got != after || size == len(is) && got != after {
				t.Fatalf("cut after %d of %d octets there are\n%s, before\n%s, after\n%s", size, len(is), got, before, after)
			}
		}
	}
}

func names(s *journal.Store) string {
	var text strings.Builder
	for _, a := range s.All() {
		fmt.Fprintln(&text, a.Key, a.Addresses)
	}
	return text.String()
}

// A pod that comes back at once has its address again, however often: one that cannot
// be attached does not use the others' addresses up. For everybody else the address
// rests, and after a while for itself.
func TestAPodComesBack(t *testing.T) {
	s := open(t, t.TempDir())
	at := now
	for try := range 10 {
		a := attachment(try) // each try has another container
		a.Pod, a.Made = request.Pod{Namespace: "blue", Name: "web-0", UID: fmt.Sprint(try)}, at
		got, _, err := s.Add(a, slice(3))
		if err != nil || got.Addresses[0].Addr().String() != "10.1.0.2" {
			t.Fatalf("try %d: %v, error %v", try, got.Addresses, err)
		}
		at = at.Add(time.Second)
		s.Remove(a.Key, at)
	}
	for n, want := range []string{"10.1.0.3/24", ""} {
		a := attachment(100 + n)
		a.Made = at
		if got, _, err := s.Add(a, slice(3)); fmt.Sprint(got.Addresses) != "["+want+"]" || (err == nil) != (want != "") {
			t.Errorf("another pod: %v, error %v", got.Addresses, err)
		}
	}
	late := attachment(0)
	late.Made = at.Add(ipam.Cooldown)
	if got, _, err := s.Add(late, slice(3)); err != nil || got.Addresses[0].Addr().String() != "10.1.0.2" {
		t.Errorf("later: %v, error %v", got.Addresses, err)
	}
}

// A damaged line costs what it said and nothing else, and is kept for people.
func TestDamage(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	add(t, s, 1)
	add(t, s, 2)
	whole := text(t, dir)
	if err := os.WriteFile(filepath.Join(dir, "attachments"), []byte(strings.Replace(whole, "pod1", "podX", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	s, damage, err := journal.Open(dir)
	if err != nil || len(damage) != 1 || !strings.Contains(damage[0], "line 2: the checksum is wrong") {
		t.Errorf("damage %q, error %v", damage, err)
	}
	if all := s.All(); len(all) != 1 || all[0].Key != key(2) {
		t.Errorf("there are %v", all)
	}
	add(t, s, 3)
	if got := names(open(t, dir)); got != names(s) {
		t.Errorf("after that there are\n%s, want\n%s", got, names(s))
	}
	if kept, err := os.ReadFile(filepath.Join(dir, "attachments.damaged")); err != nil || !strings.Contains(string(kept), "podX") {
		t.Errorf("%s, error %v", kept, err)
	}
}

// A disk that refuses makes an ADD fail. When it works again, so does the next.
func TestDiskRefuses(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	name := filepath.Join(dir, ".attachments.new") // where it is written to
	if err := os.MkdirAll(filepath.Join(name, "in the way"), 0o700); err != nil {
		t.Fatal(err)
	}
	_, commit, err := s.Add(attachment(1), slice(254))
	if err != nil {
		t.Fatal(err)
	}
	if err := commit.Wait(); err == nil || !strings.Contains(err.Error(), "journal of attachments") {
		t.Errorf("error %v", err)
	}
	s.Remove(key(1), now)
	if err := os.RemoveAll(name); err != nil {
		t.Fatal(err)
	}
	add(t, s, 2)
	if got, want := names(open(t, dir)), names(s); got != want || !strings.HasPrefix(got, "c2/net1") {
		t.Errorf("there are %s, want %s", got, want)
	}
}

// Many at once: no address twice, everything on the disk, and fewer writes than
// changes. Afterwards the file does not grow for ever.
func TestManyAtOnce(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	for round := range 30 {
		var all sync.WaitGroup
		for n := range 100 {
			all.Go(func() { add(t, s, n) })
		}
		all.Wait()
		seen := map[netip.Prefix]request.Key{}
		for _, a := range s.All() {
			if other, twice := seen[a.Addresses[0]]; twice {
				t.Fatalf("%s and %s have %s", a.Key, other, a.Addresses[0])
			}
			seen[a.Addresses[0]] = a.Key
		}
		if got, want := names(open(t, dir)), names(s); len(seen) != 100 || got != want {
			t.Fatalf("round %d: the disk has\n%s, want\n%s", round, got, want)
		}
		for n := range 100 {
			all.Go(func() {
				if _, commit := s.Remove(key(n), now.Add(-time.Hour)); commit.Wait() != nil {
					t.Error("not removed")
				}
			})
		}
		all.Wait()
	}
	if lines := strings.Count(text(t, dir), "\n"); lines > 2000 {
		t.Errorf("the file has %d lines and no attachment", lines)
	}
}
