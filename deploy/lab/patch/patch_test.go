package patch_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"

	"github.com/switchlet/switchlet/deploy/lab/cabling"
	"github.com/switchlet/switchlet/deploy/lab/nettest"
	"github.com/switchlet/switchlet/deploy/lab/patch"
)

func link(t *testing.T, p patch.Place, name string) netlink.Link {
	t.Helper()
	l, err := nettest.Handle(t, p.Namespace).LinkByName(name)
	if err != nil {
		t.Fatalf("%s on %s: %v", name, p.Name, err)
	}
	return l
}

// lab is a panel with two hosts with NICs eth1, two leaves and a spine.
func lab(t *testing.T) (*patch.Panel, map[string]patch.Place) {
	t.Helper()
	var places []patch.Place
	byName := map[string]patch.Place{"floor": {Name: "floor", Namespace: nettest.Namespace(t)}}
	for i, name := range []string{"host1", "host2", "leaf1", "leaf2", "spine1"} {
		p := patch.Place{Name: name, Namespace: nettest.Namespace(t), Host: strings.HasPrefix(name, "host")}
		nettest.Management(t, p.Namespace, byte(i))
		places, byName[name] = append(places, p), p
	}
	panel, err := patch.Open(byName["floor"].Namespace, places)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(panel.Close)
	for _, host := range []string{"host1", "host2"} {
		if err := panel.AddNIC(cabling.End{Node: host, Port: "eth1"}); err != nil {
			t.Fatal(err)
		}
	}
	return panel, byName
}

// do carries out a command as a person types it.
func do(t *testing.T, panel *patch.Panel, command string) error {
	t.Helper()
	words := strings.Fields(command)
	var ends []cabling.End
	for _, word := range words[1:] {
		end, err := cabling.ParseEnd(word)
		if err != nil {
			t.Fatal(err)
		}
		ends = append(ends, end)
	}
	switch words[0] {
	case "plug":
		return panel.Plug(ends[0], ends[1])
	case "move":
		return panel.Move(ends[0], ends[1])
	case "pull":
		return panel.Pull(ends[0])
	}
	t.Fatalf("no command %q", command)
	return nil
}

// shown is the panel as text, once carriers have come and gone as they should:
// the kernel tells of them a moment later.
func shown(t *testing.T, panel *patch.Panel) string {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		all, err := panel.Status()
		if err != nil {
			t.Fatal(err)
		}
		var text strings.Builder
		settled := true
		for _, s := range all {
			far := "-"
			if s.Far != (cabling.End{}) {
				far = s.Far.String()
			}
			fmt.Fprintln(&text, s.End, far)
			settled = settled && s.Carrier == (far != "-")
		}
		if settled {
			return text.String()
		}
		if time.Now().After(deadline) {
			t.Fatalf("carriers: %+v", all)
		}
	}
}

// Each line of want is an end with a link, and where its cable leads. What is
// plugged in at both ends has a carrier, what is not has none.
func TestCablesAreWhereTheyWerePlugged(t *testing.T) {
	panel, _ := lab(t)
	for _, step := range []struct{ command, want string }{
		{"plug leaf1/Ethernet0 host1/eth1", "host1/eth1 leaf1/Ethernet0\nhost2/eth1 -\nleaf1/Ethernet0 host1/eth1\n"},
		{"move host1/eth1 leaf2/Ethernet8", "host1/eth1 leaf2/Ethernet8\nhost2/eth1 -\nleaf2/Ethernet8 host1/eth1\n"},
		{"move host1/eth1 leaf2/Ethernet4", "host1/eth1 leaf2/Ethernet4\nhost2/eth1 -\nleaf2/Ethernet4 host1/eth1\n"},
		{"pull host1/eth1", "host1/eth1 -\nhost2/eth1 -\n"},
		{"plug host2/eth1 leaf2/Ethernet4", "host1/eth1 -\nhost2/eth1 leaf2/Ethernet4\nleaf2/Ethernet4 host2/eth1\n"},
		{"plug host1/eth1 leaf1/Ethernet0", "host1/eth1 leaf1/Ethernet0\nhost2/eth1 leaf2/Ethernet4\nleaf1/Ethernet0 host1/eth1\nleaf2/Ethernet4 host2/eth1\n"},
		{"pull leaf1/Ethernet0", "host1/eth1 -\nhost2/eth1 leaf2/Ethernet4\nleaf2/Ethernet4 host2/eth1\n"},
		{"pull leaf2/Ethernet4", "host1/eth1 -\nhost2/eth1 -\n"},
		{"plug leaf1/Ethernet120 spine1/Ethernet0", "host1/eth1 -\nhost2/eth1 -\nleaf1/Ethernet120 spine1/Ethernet0\nspine1/Ethernet0 leaf1/Ethernet120\n"},
		{"move spine1/Ethernet0 leaf2/Ethernet120", "host1/eth1 -\nhost2/eth1 -\nleaf2/Ethernet120 spine1/Ethernet0\nspine1/Ethernet0 leaf2/Ethernet120\n"},
		{"pull leaf2/Ethernet120", "host1/eth1 -\nhost2/eth1 -\nspine1/Ethernet0 -\n"}, // it hangs from the spine
		{"plug host1/eth1 spine1/Ethernet0", "host1/eth1 spine1/Ethernet0\nhost2/eth1 -\nspine1/Ethernet0 host1/eth1\n"},
	} {
		t.Run(step.command, func(t *testing.T) {
			if err := do(t, panel, step.command); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(step.want, shown(t, panel)); diff != "" {
				t.Errorf("ends (-want +got):\n%s", diff)
			}
		})
	}
}

func TestErrorsNameTheEndAndWhatThereIs(t *testing.T) {
	panel, _ := lab(t)
	for _, command := range []string{"plug host1/eth1 leaf1/Ethernet0", "plug leaf1/Ethernet120 spine1/Ethernet0"} {
		if err := do(t, panel, command); err != nil {
			t.Fatal(err)
		}
	}
	before := shown(t, panel)
	for _, test := range []struct{ command, want string }{
		{"plug host1/eth1 leaf2/Ethernet0", "host1/eth1 has a cable to leaf1/Ethernet0: pull that first"},
		{"plug host2/eth1 leaf1/Ethernet0", "leaf1/Ethernet0 has a cable to host1/eth1: pull that first"},
		{"plug host2/eth7 leaf1/Ethernet4", "host2 has no NIC eth7; it has eth1"},
		{"plug host2/eth1 host1/eth1", "both NICs"},
		{"plug leaf1/Ethernet4 leaf1/Ethernet4", "a cable needs two"},
		{"plug leaf9/Ethernet0 leaf1/Ethernet4", "there is no leaf9 with ports or NICs; there are [host1 host2 leaf1 leaf2 spine1]"},
		{"pull leaf1/Ethernet4", "no cable is plugged in at leaf1/Ethernet4; on leaf1 cables are at Ethernet0, Ethernet120"},
		{"pull host2/eth1", "no cable is plugged in at host2/eth1; on host2 cables are at none"},
		{"move host2/eth1 leaf1/Ethernet4", "no cable is plugged in at host2/eth1"},
		{"move host1/eth1 leaf1/Ethernet120", "leaf1/Ethernet120 has a cable to spine1/Ethernet0: pull that first"},
		{"move leaf1/Ethernet0 leaf2/Ethernet0", "name that first: lab cable move host1/eth1 leaf2/Ethernet0"},
		{"move spine1/Ethernet0 host2/eth1", "host2/eth1 is a NIC"},
	} {
		t.Run(test.command, func(t *testing.T) {
			if err := do(t, panel, test.command); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want an error with %q", err, test.want)
			}
		})
	}
	if diff := cmp.Diff(before, shown(t, panel)); diff != "" {
		t.Errorf("commands that fail changed something (-before +after):\n%s", diff)
	}
}

// A NIC is the same device all the time, and a port has the MTU of SONiC's ports
// and the MAC address of the switch that it is on.
func TestLinksAreAsOnTheRealThing(t *testing.T) {
	panel, places := lab(t)
	nic := link(t, places["host1"], "eth1").Attrs()
	for _, step := range []struct{ command, node, port, mac string }{
		{"plug host1/eth1 leaf1/Ethernet0", "leaf1", "Ethernet0", "52:54:00:5c:00:02"},
		{"move host1/eth1 leaf2/Ethernet4", "leaf2", "Ethernet4", "52:54:00:5c:00:03"},
		{"plug leaf1/Ethernet120 spine1/Ethernet0", "spine1", "Ethernet0", "52:54:00:5c:00:04"},
	} {
		if err := do(t, panel, step.command); err != nil {
			t.Fatal(err)
		}
		got := link(t, places[step.node], step.port).Attrs()
		if got.MTU != patch.MTU || got.HardwareAddr.String() != step.mac {
			t.Errorf("after %s: MTU %d, MAC %s, want %d and %s", step.command, got.MTU, got.HardwareAddr, patch.MTU, step.mac)
		}
	}
	now := link(t, places["host1"], "eth1").Attrs()
	if now.Index != nic.Index || now.HardwareAddr.String() != nic.HardwareAddr.String() {
		t.Errorf("eth1 of host1 is another one: was %d %s, is %d %s", nic.Index, nic.HardwareAddr, now.Index, now.HardwareAddr)
	}
	if left, err := nettest.Handle(t, places["floor"].Namespace).LinkList(); err != nil || len(left) != 2 { // lo, and the cable of host2
		t.Errorf("%d links on the floor, %v", len(left), err)
	}
}

// A switch never sees the MAC address of another one at a port of its own: its bgpd would
// take the other one's routes for its own.
func TestNoSwitchSeesAnAddressOfAnother(t *testing.T) {
	panel, places := lab(t)
	namespace, err := netns.GetFromPath(places["leaf2"].Namespace)
	if err != nil {
		t.Fatal(err)
	}
	defer namespace.Close()
	updates, done := make(chan netlink.LinkUpdate, 1000), make(chan struct{})
	defer close(done)
	if err := netlink.LinkSubscribeWithOptions(updates, done, netlink.LinkSubscribeOptions{Namespace: &namespace}); err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{
		"plug host1/eth1 leaf1/Ethernet0", "move host1/eth1 leaf2/Ethernet4", "move host1/eth1 leaf1/Ethernet0",
		"pull host1/eth1", "plug host1/eth1 leaf2/Ethernet8", "move host1/eth1 leaf2/Ethernet0",
	} {
		if err := do(t, panel, command); err != nil {
			t.Fatal(err)
		}
	}
	const own = "52:54:00:5c:00:03"
	for {
		select {
		case u := <-updates:
			a := u.Attrs()
			if mac := a.HardwareAddr.String(); mac != own && a.Name != "lo" {
				t.Errorf("leaf2 saw %s with %s", a.Name, mac)
			}
			if a.Name == "Ethernet0" && a.OperState == netlink.OperUp {
				return
			}
		case <-time.After(10 * time.Second):
			t.Fatal("Ethernet0 of leaf2 did not come up")
		}
	}
}
