package wire_test

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"

	"github.com/switchlet/switchlet/deploy/lab/labtest"
	"github.com/switchlet/switchlet/lldp/frame"
	"github.com/switchlet/switchlet/lldp/wire"
)

// lldpd is the LLDP daemon of Linux and SONiC, in a namespace.
type lldpd struct {
	t      testing.TB
	cmd    *exec.Cmd
	cli    string
	socket string
	ended  bool
}

// lldpd starts lldpd on a link.
func (s *space) lldpd(link string) *lldpd {
	s.t.Helper()
	d := &lldpd{
		t:      s.t,
		cli:    labtest.Program(s.t, "lldpcli", "lldpd"),
		socket: filepath.Join(openDir(s.t), "lldpd.socket"),
	}
	d.cmd = exec.Command(labtest.Program(s.t, "lldpd", "lldpd"),
		"-d", "-u", d.socket, "-I", link, "-C", link, "-S", "the real lldpd", "-O", os.DevNull)
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // it has children
	s.do(d.cmd.Start)
	s.t.Cleanup(d.end)
	awaitTrue(s.t, "lldpd's socket", func() bool { return exec.Command(d.cli, "-u", d.socket, "show", "chassis").Run() == nil })
	return d
}

// openDir is a folder that lldpd and lldpcli, which are not root, can look into.
func openDir(t testing.TB) string {
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

// end ends lldpd as systemd does.
func (d *lldpd) end() {
	if d.ended {
		return
	}
	d.ended = true
	_ = d.cmd.Process.Signal(syscall.SIGTERM)
	_ = d.cmd.Wait() // 143: ended by what was just sent
}

func (d *lldpd) ask(args ...string) string {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	out, err := exec.CommandContext(ctx, d.cli, append([]string{"-u", d.socket, "-f", "keyvalue"}, args...)...).CombinedOutput()
	if err != nil {
		d.t.Fatalf("lldpcli %v: %v: %s", args, err, out)
	}
	return string(out)
}

// say lets lldpd speak once somebody listens. It does not by itself when it hears of
// somebody new.
func (d *lldpd) say(to *run) {
	d.t.Helper()
	to.until("a link to listen on", func() bool { return len(to.Ports()) > 0 })
	d.ask("update")
}

// until waits until lldpd shows these lines of its neighbours.
func (d *lldpd) until(want ...string) {
	d.t.Helper()
	missing := func() []string {
		shown := slices.Collect(strings.Lines(d.ask("show", "neighbors", "details", "hidden")))
		return slices.DeleteFunc(slices.Clone(want), func(w string) bool { return slices.Contains(shown, w+"\n") })
	}
	for deadline := time.Now().Add(patience); len(missing()) > 0; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			d.t.Fatalf("lldpd does not show %q in\n%s", missing(), d.ask("show", "neighbors", "details", "hidden"))
		}
	}
}

// The agent and lldpd understand all that the other says, and that it ends.
func TestWithLLDPD(t *testing.T) {
	node, leaf := newSpace(t), newSpace(t)
	cable(node, "eth0", leaf, "Ethernet0")
	leaf.set("Ethernet0", func(l netlink.Link) error { return netlink.LinkSetMTU(l, 9000) })
	d := leaf.lldpd("Ethernet0")
	d.ask("configure", "system", "hostname", "leaf1")
	d.ask("configure", "ports", "Ethernet0", "lldp", "portidsubtype", "local", "etp1")
	d.ask("configure", "ports", "Ethernet0", "lldp", "portdescription", "Ethernet0")
	d.ask("configure", "lldp", "custom-tlv", "add", "oui", "aa,bb,cc", "subtype", "7", "oui-info", "01,02")
	a := node.agent(everything())

	t.Run("what lldpd says", func(t *testing.T) {
		d.say(a)
		a.until("all of it", func() bool {
			n := a.Neighbors()
			return len(n) == 1 && n[0].Frame.PortID.ID == "etp1" && n[0].Frame.SystemName == "leaf1" &&
				n[0].Frame.PortDescription == "Ethernet0" && len(custom(n[0].Frame)) == 1
		})
		n := a.Neighbors()[0]
		if mac, ok := n.Frame.ChassisID.MAC(); !ok || mac.String() != n.Source.String() {
			t.Errorf("chassis %v, sent from %v", n.Frame.ChassisID, n.Source)
		}
		if n.Frame.PortID.Subtype != frame.PortLocal || n.Frame.TTL != 2*time.Minute || n.Frame.SystemDescription != "the real lldpd" {
			t.Errorf("port subtype %d, TTL %v, system description %q", n.Frame.PortID.Subtype, n.Frame.TTL, n.Frame.SystemDescription)
		}
		if n.Frame.Capabilities.Enabled != frame.Station {
			t.Errorf("it is %v", n.Frame.Capabilities.Enabled)
		}
		if phy, ok := n.Frame.MACPHY(); !ok || phy.MAU == 0 {
			t.Errorf("MAC/PHY %+v, %t", phy, ok)
		}
		if aggregation, ok := n.Frame.LinkAggregation(); !ok || aggregation.Enabled {
			t.Errorf("link aggregation %+v, %t", aggregation, ok)
		}
		if len(n.Frame.Discarded)+len(n.Frame.Unknown) > 0 {
			t.Errorf("not understood: %v %v", n.Frame.Discarded, n.Frame.Unknown)
		}
		if o := custom(n.Frame)[0]; o.Subtype != 7 || o.Value != "\x01\x02" {
			t.Errorf("custom TLV %+v", o)
		}
	})
	t.Run("what lldpd hears", func(*testing.T) {
		d.until(
			"lldp.Ethernet0.chassis.local=node1",
			"lldp.Ethernet0.chassis.name=node1.example",
			"lldp.Ethernet0.chassis.descr=a test",
			"lldp.Ethernet0.chassis.mgmt-ip=192.0.2.1",
			"lldp.Ethernet0.chassis.mgmt-ip=2001:db8::1",
			"lldp.Ethernet0.chassis.Router.enabled=on",
			"lldp.Ethernet0.chassis.Bridge.enabled=off",
			"lldp.Ethernet0.port.ifname=eth0",
			"lldp.Ethernet0.port.descr=eth0 to the leaf",
			"lldp.Ethernet0.port.ttl=120",
			"lldp.Ethernet0.port.mfs=1518",
			"lldp.Ethernet0.vlan.vlan-id=100",
			"lldp.Ethernet0.vlan=web",
			"lldp.Ethernet0.unknown-tlvs.unknown-tlv.oui=AA,BB,DD",
		)
	})
	t.Run("lldpd hears the end", func(t *testing.T) {
		a.end()
		awaitTrue(t, "no neighbour", func() bool { return !strings.Contains(d.ask("show", "neighbors"), "node1") })
	})
	t.Run("the end of lldpd is heard", func(*testing.T) {
		b := node.agent(named("node1"))
		d.say(b)
		b.until("lldpd", func() bool { return len(b.Neighbors()) == 1 })
		d.end()
		b.untilNeighbors()
	})
}

func custom(f frame.Frame) []frame.Organizational {
	return slices.DeleteFunc(slices.Clone(f.Organizational), func(o frame.Organizational) bool { return o.OUI != frame.OUI{0xaa, 0xbb, 0xcc} })
}

// everything is a Config that says all there is to say.
func everything() wire.Config {
	return wire.Config{
		Chassis:           frame.ChassisByName("node1"),
		SystemName:        "node1.example",
		SystemDescription: "a test",
		Capabilities:      frame.SystemCapabilities{Supported: frame.Bridge | frame.Router, Enabled: frame.Router},
		Management: []frame.ManagementAddress{
			frame.ManagedAt(netip.MustParseAddr("192.0.2.1"), 1),
			frame.ManagedAt(netip.MustParseAddr("2001:db8::1"), 1),
		},
		Describe: func(l wire.Link, f *frame.Frame) {
			f.PortDescription = fmt.Sprint(l.Name, " to the leaf")
			f.Organizational = append(f.Organizational,
				frame.PortVLANTLV(100),
				frame.VLANNameTLV(frame.VLANName{ID: 100, Name: "web"}),
				frame.Organizational{OUI: frame.OUI{0xaa, 0xbb, 0xdd}, Subtype: 1, Value: "x"})
		},
	}
}

// On a machine where lldpd speaks on the same link, both hear the switch, and the
// switch hears both.
func TestBesideLLDPD(t *testing.T) {
	node, leaf := newSpace(t), newSpace(t)
	cable(node, "eth0", leaf, "Ethernet0")
	d := node.lldpd("eth0")
	d.ask("configure", "system", "hostname", "node1")
	a, b := node.agent(named("node1")), leaf.agent(named("leaf1"))
	a.untilNeighbors("eth0: leaf1 Ethernet0")
	d.until("lldp.eth0.chassis.local=leaf1", "lldp.eth0.port.ifname=Ethernet0")
	d.say(b)
	b.until("both", func() bool { return len(b.Neighbors()) == 2 })
	ports := map[string]bool{}
	for _, n := range b.Neighbors() {
		ports[n.Frame.SystemName+" "+n.Interface] = true
	}
	if len(ports) != 1 || !ports["node1 Ethernet0"] {
		t.Errorf("heard %v", ports)
	}
}
