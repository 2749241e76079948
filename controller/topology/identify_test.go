package topology

import (
	"testing"

	"k8s.io/apimachinery/pkg/util/validation"
	"pgregory.net/rapid"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

// What LLDP calls a port, and which port that is. "" is none: not clear, so
// nothing is guessed.
func TestPortOfANeighbor(t *testing.T) {
	sw := &v1alpha1.Switch{}
	sw.Name = "leaf1"
	sw.Status = v1alpha1.SwitchStatus{
		MAC: "52:54:00:aa:00:01", ChassisID: "52:54:00:aa:00:01", SystemName: "leaf1.example.com",
		Ports: []v1alpha1.SwitchPort{
			{Name: "Ethernet0", Alias: "Eth1/1", MAC: "52:54:00:aa:00:01"}, {Name: "Ethernet4", Alias: "Eth1/2", MAC: "52:54:00:aa:00:01"},
			{Name: "Ethernet8", Alias: "Ethernet4"}, // an alias that is another port's name
			{Name: "Ethernet12", Alias: "7"}, {Name: "Ethernet16", Alias: "8"}, {Name: "Ethernet20", Alias: "8"},
			{Name: "Ethernet24", MAC: "52:54:00:aa:00:18"}, {Name: "PortChannel1"},
		},
	}
	host := &v1alpha1.Host{}
	host.Name = "host1"
	host.Status = v1alpha1.HostStatus{ChassisID: "host1", NICs: []v1alpha1.HostNIC{
		{Name: "eth0", MAC: "02:00:00:00:00:01", AltNames: []string{"enp3s0f0np0"}},
		{Name: "eth1", MAC: "02:00:00:00:00:02", Bond: "bond0"}, {Name: "eth2", MAC: "02:00:00:00:00:02", Bond: "bond0"}}}
	host.Spec.NICs = []v1alpha1.DeclaredNIC{{Name: "eth0", MAC: "02:00:00:00:00:01"}, {Name: "ipmi", MAC: "02:00:00:00:00:03"}}
	x := newIndex(Inputs{Switches: []*v1alpha1.Switch{sw}, Hosts: []*v1alpha1.Host{host}})

	for _, c := range []struct {
		why     string
		of      string
		subtype v1alpha1.PortIDSubtype
		id      string
		text    string // the port's description
		want    string
	}{
		{"SONiC sends the alias", "leaf1", v1alpha1.PortLocal, "Eth1/2", "Ethernet4", "Ethernet4"},
		{"SONiC sends the alias, and a description of the operator's", "leaf1", v1alpha1.PortLocal, "Eth1/1", "to host1", "Ethernet0"},
		{"an alias counts before another port's name", "leaf1", v1alpha1.PortLocal, "Ethernet4", "", "Ethernet8"},
		{"a name counts before another port's alias, where a name is sent", "leaf1", v1alpha1.PortInterfaceName, "Ethernet4", "", "Ethernet4"},
		{"a port without an alias sends its name", "leaf1", v1alpha1.PortLocal, "Ethernet24", "", "Ethernet24"},
		{"an interface alias", "leaf1", v1alpha1.PortInterfaceAlias, "Eth1/1", "", "Ethernet0"},
		{"an interface name that is the alias", "leaf1", v1alpha1.PortInterfaceName, "Eth1/1", "", "Ethernet0"},
		{"a number that is one port's alias", "leaf1", v1alpha1.PortLocal, "7", "", "Ethernet12"},
		{"a number that is two ports' alias", "leaf1", v1alpha1.PortLocal, "8", "", ""},
		{"a number that is two ports' alias, with a description", "leaf1", v1alpha1.PortLocal, "8", "Ethernet20", "Ethernet20"},
		{"an ifIndex, with a description", "leaf1", v1alpha1.PortLocal, "1001", "Ethernet4", "Ethernet4"},
		{"an ifIndex and nothing else", "leaf1", v1alpha1.PortLocal, "1001", "", ""},
		{"the port's own MAC address", "leaf1", v1alpha1.PortMACAddress, "52:54:00:AA:00:18", "", "Ethernet24"},
		{"the switch's MAC address, which says nothing", "leaf1", v1alpha1.PortMACAddress, "52:54:00:aa:00:01", "", ""},
		{"the switch's MAC address, with a description", "leaf1", v1alpha1.PortMACAddress, "52:54:00:aa:00:01", "Ethernet0", "Ethernet0"},
		{"the switch's MAC address, described by the alias", "leaf1", v1alpha1.PortMACAddress, "52:54:00:aa:00:01", "Eth1/2", "Ethernet4"},
		{"an address, with a description", "leaf1", v1alpha1.PortNetworkAddress, "192.0.2.1", "Ethernet0", "Ethernet0"},
		{"a reserved subtype", "leaf1", "", "Eth1/1", "", "Ethernet0"},
		{"a port channel, which no cable is in", "leaf1", v1alpha1.PortInterfaceName, "PortChannel1", "", ""},
		{"the management port", "leaf1", v1alpha1.PortLocal, "eth0", "eth0", ""},
		{"the host's agent sends the NIC", "host1", v1alpha1.PortInterfaceName, "eth1", "", "eth1"},
		{"another name of the NIC", "host1", v1alpha1.PortInterfaceName, "enp3s0f0np0", "", "eth0"},
		{"lldpd sends the MAC address", "host1", v1alpha1.PortMACAddress, "02:00:00:00:00:01", "", "eth0"},
		{"two NICs of a bond with one MAC address", "host1", v1alpha1.PortMACAddress, "02:00:00:00:00:02", "", ""},
		{"two NICs of a bond, with a description", "host1", v1alpha1.PortMACAddress, "02:00:00:00:00:02", "eth2", "eth2"},
		{"a NIC that somebody wrote down", "host1", v1alpha1.PortMACAddress, "02:00:00:00:00:03", "", "ipmi"},
	} {
		got, n := "", &v1alpha1.LLDPNeighbor{PortIDSubtype: c.subtype, PortID: c.id, PortDescription: c.text}
		if e := x.port(x.object(c.of, c.of == "leaf1"), n); e != none {
			got = x.ends[e].name
		}
		if got != c.want {
			t.Errorf("%s: %s %q (%q) of %s is %q, want %q", c.why, c.subtype, c.id, c.text, c.of, got, c.want)
		}
	}
}

// Which system a neighbour is. "" is none, "?" not clear, "!" another of the name.
func TestSystemOfANeighbor(t *testing.T) {
	in := Inputs{}
	for name, mac := range map[string]string{"leaf1": "52:54:00:aa:00:01", "leaf2": "52:54:00:aa:00:02", "twin1": "52:54:00:bb:00:01", "twin2": "52:54:00:bb:00:01"} {
		sw := &v1alpha1.Switch{}
		sw.Name = name
		sw.Status.MAC, sw.Status.ChassisID, sw.Status.SystemName = mac, mac, "sonic"
		in.Switches = append(in.Switches, sw)
	}
	for _, name := range []string{"host1.example.com", "host2"} {
		h := &v1alpha1.Host{}
		h.Name = name
		h.Status = v1alpha1.HostStatus{ChassisID: name, NICs: []v1alpha1.HostNIC{{Name: "eth0", MAC: "02:00:00:00:00:0" + name[4:5]}}}
		in.Hosts = append(in.Hosts, h)
	}
	x := newIndex(in)
	for _, c := range []struct {
		why     string
		subtype v1alpha1.ChassisIDSubtype
		id      string
		name    string
		want    string
	}{
		{"a chassis id tells switches of one name apart", v1alpha1.ChassisMACAddress, "52:54:00:AA:00:02", "sonic", "leaf2"},
		{"clones, told apart by nothing", v1alpha1.ChassisMACAddress, "52:54:00:bb:00:01", "sonic", "?"},
		{"clones, told apart by the name", v1alpha1.ChassisMACAddress, "52:54:00:bb:00:01", "twin2", "twin2"},
		{"several have the name and none can be it", v1alpha1.ChassisMACAddress, "00:11:22:33:44:55", "sonic", ""},
		{"several have the name and any can be it", v1alpha1.ChassisLocal, "x", "sonic", "?"},
		{"a host's agent", v1alpha1.ChassisLocal, "host2", "host2", "host2"},
		{"a host without the domain", v1alpha1.ChassisLocal, "host1", "host1", "host1.example.com"},
		{"a host with a domain", v1alpha1.ChassisNetworkAddress, "192.0.2.1", "host2.example.com", "host2"},
		{"a host with another domain than its own", v1alpha1.ChassisNetworkAddress, "192.0.2.1", "host1.example.org", ""},
		{"capital letters", v1alpha1.ChassisLocal, "HOST2", "", "host2"},
		{"a NIC's firmware, which knows no name", v1alpha1.ChassisMACAddress, "02:00:00:00:00:02", "", "host2"},
		{"another device of a host's name", v1alpha1.ChassisMACAddress, "00:11:22:33:44:55", "host2", "host2!"},
		{"nobody", v1alpha1.ChassisMACAddress, "00:11:22:33:44:55", "fw1", ""},
		{"nobody, without a word", "", "", "", ""},
	} {
		got := x.identify(&v1alpha1.LLDPNeighbor{ChassisIDSubtype: c.subtype, ChassisID: c.id, SystemName: c.name})
		text := ""
		switch {
		case got.system != none:
			text = x.systems[got.system].Name
		case len(got.among) > 0:
			text = "?"
		}
		if got.impostor {
			text += "!"
		}
		if text != c.want {
			t.Errorf("%s: %s %q, name %q is %q, want %q", c.why, c.subtype, c.id, c.name, text, c.want)
		}
	}
}

// The name of a Link is one that an object can have, and no two pairs of ends
// have the same.
func TestNamesOfLinks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		end := rapid.Custom(func(t *rapid.T) v1alpha1.LinkEnd {
			object := rapid.SampledFrom([]string{"a", "a--b", "a.b", "leaf1", rapid.StringMatching(`[a-z0-9]([a-z0-9-]{0,250}[a-z0-9])?`).Draw(t, "object")}).Draw(t, "of")
			if rapid.Bool().Draw(t, "is a switch") {
				return v1alpha1.LinkEnd{Switch: object, Port: rapid.SampledFrom([]string{"Ethernet0", "Ethernet00", "Ethernet12"}).Draw(t, "port")}
			}
			return v1alpha1.LinkEnd{Host: object, NIC: rapid.SampledFrom([]string{"eth0", "ETH0", "b.eth0", "ethernet0", "_", "-", "..", "b--a.c", "enp3s0f0np0_x"}).Draw(t, "nic")}
		})
		a, b, c, d := end.Draw(t, "a"), end.Draw(t, "b"), end.Draw(t, "c"), end.Draw(t, "d")
		name, other := Name(a, b), Name(c, d)
		if wrong := validation.IsDNS1123Subdomain(name); len(wrong) > 0 {
			t.Fatalf("%s - %s: %q: %v", a, b, name, wrong)
		}
		if (name == other) != (a == c && b == d) {
			t.Fatalf("%s - %s is %q, %s - %s is %q", a, b, name, c, d, other)
		}
	})
}
