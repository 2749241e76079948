package main_test

import (
	"errors"
	"fmt"
	"maps"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/switchlet/switchlet/deploy/lab/labtest"
	"github.com/switchlet/switchlet/deploy/lab/uml"
)

// forwards ends a test on a machine on which no lab can forward.
func forwards(t *testing.T) {
	t.Helper()
	if len(uml.Missing()) == 0 {
		return
	}
	if _, err := uml.Find(); err != nil {
		labtest.Missing(t, "a lab that forwards: %v", err)
	}
}

// A fabric of two spines, four leaves and six hosts comes up with nothing but its
// cables: all BGP sessions are established, every leaf reaches the tunnel address of
// every other one, and what a person does from outside has its effect inside.
func TestFabricForwards(t *testing.T) {
	l := newLab(t, "e2efwd", true)
	forwards(t)
	const leaves, spines, hosts = 4, 2, 6
	begin := time.Now()
	took := func(what string) {
		t.Logf("%s: %s after the start", what, time.Since(begin).Round(100*time.Millisecond))
	}
	said := l.must(t, "up", "--forward", "--deploy", "--leaves", fmt.Sprint(leaves), "--spines", fmt.Sprint(spines), "--hosts", fmt.Sprint(hosts))
	took("all BGP sessions are established")
	t.Log(steps(said))

	loopbacks := map[string]string{}
	for n := range leaves {
		leaf := fmt.Sprintf("leaf%d", n+1)
		eventually(t, leaf+" has Loopback1", func() bool {
			loopbacks[leaf] = l.loopback(leaf)
			return loopbacks[leaf] != ""
		})
	}
	for from, address := range loopbacks {
		others := slices.DeleteFunc(slices.Collect(maps.Values(loopbacks)), func(other string) bool { return other == address })
		eventually(t, fmt.Sprint(from, " reaches ", others), func() bool { return l.reaches(from, address, others...) })
	}
	took("every leaf reaches every other one")
	for n := range leaves {
		l.established(t, fmt.Sprintf("leaf%d", n+1), spines)
	}
	for n := range spines {
		l.established(t, fmt.Sprintf("spine%d", n+1), leaves)
	}
	// What breaks while a change is on trial is thought to be broken by the change.
	l.kubectl(t, "wait --for=condition=Confirmed --timeout=60s switchconfigs --all")
	l.survivesFaults(t, loopbacks)
	tr := l.trace(t)
	l.must(t, "down")
	tr.gone(t)
}

// established waits until a switch has so many BGP sessions.
func (l lab) established(t *testing.T, node string, want int) {
	t.Helper()
	defer func() {
		if t.Failed() {
			l.explain(t, node, "spine1", "spine2")
		}
	}()
	eventually(t, fmt.Sprintf("%s has %d BGP sessions", node, want), func() bool {
		output, err := l.run("exec", node, "vtysh", "-c", "show bgp l2vpn evpn summary established json")
		return err == nil && strings.Count(output, `"state":"Established"`) == want
	})
}

// explain logs what FRR says of its neighbours on switches, and what the kernel does of
// their links.
func (l lab) explain(t *testing.T, nodes ...string) {
	t.Helper()
	for _, node := range nodes {
		for _, argv := range [][]string{
			{"vtysh", "-c", "show bgp l2vpn evpn summary", "-c", "show bgp neighbors", "-c", "show interface", "-c", "show running-config"},
			{"ip", "-s", "address"},
			{"tail", "-n", "50", "/var/log/frr.log"},
		} {
			output, err := l.run("exec", append([]string{node}, argv...)...)
			t.Logf("%s on %s (%v):\n%s", argv, node, err, output)
		}
	}
}

// loopback is the address that a switch has on Loopback1, or nothing.
func (l lab) loopback(node string) string {
	output, err := l.run("exec", node, "ip", "-4", "-oneline", "address", "show", "dev", "Loopback1")
	found := regexp.MustCompile(`inet ([0-9.]+)/32`).FindStringSubmatch(output)
	if err != nil || found == nil {
		return ""
	}
	return found[1]
}

// reaches says whether a switch reaches addresses from one of its own: FRR listens on
// all of them.
func (l lab) reaches(node, from string, to ...string) bool {
	const connect = "import socket, sys\nfor to in sys.argv[2:]: socket.create_connection((to, 179), timeout=5, source_address=(sys.argv[1], 0))"
	_, err := l.run("exec", append([]string{node, "python3", "-c", connect, from}, to...)...)
	return err == nil
}

// steps are the lines with a time of what a command said.
func steps(said string) string {
	return strings.Join(regexp.MustCompile(`(?m)^ +[0-9.]+s  .*$`).FindAllString(said, -1), "\n")
}

// survivesFaults takes a link and a program away: the other way is used meanwhile.
func (l lab) survivesFaults(t *testing.T, loopbacks map[string]string) {
	t.Helper()
	both := func() bool { return l.reaches("leaf1", loopbacks["leaf1"], loopbacks["leaf2"]) }
	l.must(t, "link", "leaf1/Ethernet120", "down")
	l.established(t, "leaf1", 1)
	eventually(t, "leaf1 reaches leaf2 by the other spine", both)
	l.must(t, "link", "leaf1/Ethernet120", "up")
	l.must(t, "kill", "leaf2", "bgpd")
	l.established(t, "leaf1", 2)
	l.established(t, "leaf2", 2)
	eventually(t, "leaf1 reaches leaf2 again", both)
}

// The commands that look into a switch, and into its cables, work on one that is in
// User-Mode Linux as on any other.
func TestCommandsReachNodesThatForward(t *testing.T) {
	l := newLab(t, "e2efcmd", false)
	forwards(t)
	l.must(t, "up", "--forward", "--leaves", "2", "--spines", "0", "--hosts", "1")
	if got := l.must(t, "exec", "leaf1", "hostname"); got != "leaf1\n" {
		t.Errorf("hostname on leaf1 = %q", got)
	}
	var exit *exec.ExitError
	if output, err := l.run("exec", "leaf1", "sh", "-c", "exit 3"); !errors.As(err, &exit) || exit.ExitCode() != 3 {
		t.Errorf("a command that fails with 3: %v, %s", err, output)
	}
	if got := l.must(t, "rows", "leaf1"); !strings.Contains(got, `VLAN_MEMBER|Vlan10|Ethernet16 tagging_mode="untagged"`) {
		t.Errorf("rows of leaf1 lack an operator's VLAN member:\n%s", got)
	}
	if got := l.must(t, "daemons", "leaf1"); !strings.Contains(got, "0 mistakes") {
		t.Errorf("daemons of leaf1:\n%s", got)
	}
	l.must(t, "cable", "move", "host1/eth1", "leaf2/Ethernet8")
	l.cabled(t, "host1/eth1 leaf2/Ethernet8 up", "host1/eth2 leaf2/Ethernet0 up")
	for _, node := range []string{"leaf1", "leaf2", "host1", "cp1"} {
		l.kubectl(t, "wait --for=create --timeout=60s node/"+node)
		l.kubectl(t, "wait --for=condition=Ready --timeout=60s node/"+node)
	}
}
