package topology

import (
	"fmt"
	"math/rand/v2"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/switchlet/switchlet/api/natural"
	"github.com/switchlet/switchlet/api/v1alpha1"
)

// fabric is a simulated fabric: who is cabled to whom, what everybody hears of
// it, and what the port map has to say.
type fabric struct {
	rand     *rand.Rand
	switches []*v1alpha1.Switch
	hosts    []*v1alpha1.Host
	links    []*v1alpha1.Link
	free     map[string][]string // ports of each switch without a cable
	made     int
	switchOf map[string]*v1alpha1.Switch
	hostOf   map[string]*v1alpha1.Host

	states   map[string]v1alpha1.LinkState // the links that there have to be, by name
	problems map[string]int                // the problems, by object and reason
	taken    map[string]bool               // the links whose ports are somebody else's by now
}

// portsPerSwitch is small enough for a fabric of many switches.
const portsPerSwitch = 64

func newFabric(r *rand.Rand, switches, hosts int) *fabric {
	f := &fabric{
		rand: r, free: map[string][]string{}, switchOf: map[string]*v1alpha1.Switch{}, hostOf: map[string]*v1alpha1.Host{},
		states: map[string]v1alpha1.LinkState{}, problems: map[string]int{}, taken: map[string]bool{},
	}
	spines := 1 + switches/8
	for i := range switches {
		role, group := v1alpha1.RoleLeaf, fmt.Sprintf("rack%d", i/2)
		if i < spines {
			role, group = v1alpha1.RoleSpine, ""
		}
		f.addSwitch(fmt.Sprintf("sw%d", i), role, group)
	}
	for _, spine := range f.switches[:spines] {
		for _, leaf := range f.switches[spines:] {
			f.cable(f.port(spine), f.port(leaf))
		}
	}
	for range min(hosts, 20*(switches-spines)) { // as many as there is room for
		f.goodHost()
	}
	return f
}

// addSwitch makes a switch as SONiC is: one MAC address for all of its ports,
// aliases that differ from the names, a domain now and then.
func (f *fabric) addSwitch(name string, role v1alpha1.SwitchRole, group string) *v1alpha1.Switch {
	sw := &v1alpha1.Switch{Spec: v1alpha1.SwitchSpec{Role: role, RedundancyGroup: group}}
	sw.Name = name
	n := len(f.switches)
	sw.Status.MAC = fmt.Sprintf("52:54:00:00:%02x:%02x", n/256, n%256)
	sw.Status.ChassisID, sw.Status.SystemName = sw.Status.MAC, name
	if f.rand.IntN(4) == 0 {
		sw.Status.SystemName += ".example.com"
	}
	for i := range portsPerSwitch {
		port := fmt.Sprintf("Ethernet%d", 4*i)
		sw.Status.Ports = append(sw.Status.Ports, v1alpha1.SwitchPort{Name: port, Alias: fmt.Sprintf("etp%d", i+1), MAC: sw.Status.MAC})
		f.free[name] = append(f.free[name], port)
	}
	f.switches, f.switchOf[name] = append(f.switches, sw), sw
	return sw
}

// addHost makes a host with an agent, or one that somebody wrote down.
func (f *fabric) addHost(agent bool, nics int) *v1alpha1.Host {
	h := &v1alpha1.Host{}
	h.Name = fmt.Sprintf("host%d", len(f.hosts))
	for i := range nics {
		name, mac := fmt.Sprintf("eth%d", i), fmt.Sprintf("02:00:%02x:%02x:00:%02x", len(f.hosts)/256, len(f.hosts)%256, i)
		if agent {
			h.Status.NICs = append(h.Status.NICs, v1alpha1.HostNIC{Name: name, MAC: mac})
		} else {
			h.Spec.NICs = append(h.Spec.NICs, v1alpha1.DeclaredNIC{Name: name, MAC: mac})
		}
	}
	if agent {
		h.Status.ChassisID, h.Status.SystemName = h.Name, h.Name
	}
	f.hosts, f.hostOf[h.Name] = append(f.hosts, h), h
	return h
}

// port takes a free port of a switch.
func (f *fabric) port(sw *v1alpha1.Switch) v1alpha1.LinkEnd {
	ports := f.free[sw.Name]
	i := f.rand.IntN(len(ports))
	port := ports[i]
	f.free[sw.Name] = append(ports[:i:i], ports[i+1:]...)
	return v1alpha1.LinkEnd{Switch: sw.Name, Port: port}
}

// leaf is any leaf that has ports left.
func (f *fabric) leaf() *v1alpha1.Switch { return f.of(v1alpha1.RoleLeaf) }

func (f *fabric) of(role v1alpha1.SwitchRole) *v1alpha1.Switch {
	for {
		sw := f.switches[f.rand.IntN(len(f.switches))]
		if sw.Spec.Role == role && len(f.free[sw.Name]) > 4 {
			return sw
		}
	}
}

func nic(h *v1alpha1.Host, i int) v1alpha1.LinkEnd {
	return v1alpha1.LinkEnd{Host: h.Name, NIC: fmt.Sprintf("eth%d", i)}
}

// cable joins two ends that hear each other, as far as their systems listen.
func (f *fabric) cable(a, b v1alpha1.LinkEnd) {
	x, y := f.hears(a, b), f.hears(b, a)
	switch {
	case x && y:
		f.expect(a, b, v1alpha1.LinkConfirmed)
	case x || y:
		f.expect(a, b, v1alpha1.LinkOneWay)
	}
}

// expect says that there has to be a link.
func (f *fabric) expect(a, b v1alpha1.LinkEnd, state v1alpha1.LinkState) {
	f.states[nameOf(a, b)] = state
}

// nameOf is the name of a link whichever way its ends are given.
func nameOf(a, b v1alpha1.LinkEnd) string {
	if a.Switch != "" && (b.Host != "" || natural.Compare(b.Switch, a.Switch) < 0) {
		a, b = b, a
	}
	return Name(a, b)
}

// mistake says that there has to be a problem.
func (f *fabric) mistake(o v1alpha1.ObjectReference, reason string) {
	f.problems[o.String()+" "+reason]++
}

// hears has one end hear another, in one of the ways in which LLDP is sent. A
// host without an agent tells nobody what it hears.
func (f *fabric) hears(at, from v1alpha1.LinkEnd) bool {
	var to *[]v1alpha1.LLDPNeighbor
	if at.Switch != "" {
		to = &f.find(at.Switch).Status.Neighbors
	} else if h := f.host(at.Host); len(h.Status.NICs) > 0 {
		to = &h.Status.Neighbors
	} else {
		return false
	}
	n := f.sent(from)
	n.Port = at.Interface()
	*to = append(*to, n)
	return true
}

func (f *fabric) find(name string) *v1alpha1.Switch {
	return f.switchOf[name]
}

func (f *fabric) host(name string) *v1alpha1.Host {
	return f.hostOf[name]
}

// sent is what is sent from an end.
func (f *fabric) sent(e v1alpha1.LinkEnd) v1alpha1.LLDPNeighbor {
	if e.Switch != "" {
		sw := f.find(e.Switch)
		n := v1alpha1.LLDPNeighbor{ChassisIDSubtype: v1alpha1.ChassisMACAddress, ChassisID: sw.Status.MAC, SystemName: sw.Status.SystemName, PortDescription: e.Port}
		for _, p := range sw.Status.Ports {
			if p.Name == e.Port {
				n.PortIDSubtype, n.PortID = v1alpha1.PortLocal, p.Alias
			}
		}
		if f.rand.IntN(4) == 0 { // another LLDP program on the switch
			n.PortIDSubtype, n.PortID = v1alpha1.PortMACAddress, sw.Status.MAC
		}
		return n
	}
	h := f.host(e.Host)
	if len(h.Status.NICs) > 0 {
		return v1alpha1.LLDPNeighbor{ChassisIDSubtype: v1alpha1.ChassisLocal, ChassisID: h.Name, SystemName: h.Name, PortIDSubtype: v1alpha1.PortInterfaceName, PortID: e.NIC}
	}
	n := v1alpha1.LLDPNeighbor{ChassisIDSubtype: v1alpha1.ChassisMACAddress, ChassisID: h.Spec.NICs[0].MAC, PortDescription: e.NIC}
	for _, nic := range h.Spec.NICs {
		if nic.Name == e.NIC {
			n.PortIDSubtype, n.PortID = v1alpha1.PortMACAddress, nic.MAC
		}
	}
	if f.rand.IntN(2) == 0 { // lldpd, and not the NIC's firmware
		n.SystemName = h.Name + ".example.com"
	}
	return n
}

// declare makes a Link with a spec.
func (f *fabric) declare(a, b v1alpha1.LinkEnd) v1alpha1.ObjectReference {
	f.made++
	l := &v1alpha1.Link{Spec: v1alpha1.LinkSpec{Ends: []v1alpha1.LinkEnd{a, b}}}
	l.Name = fmt.Sprintf("declared%d", f.made)
	l.CreationTimestamp = metav1.NewTime(time.Unix(int64(f.made), 0))
	f.links = append(f.links, l)
	return v1alpha1.ObjectReference{Kind: v1alpha1.KindLink, Name: l.Name}
}

// known makes a Link as the controller left it.
func (f *fabric) known(a, b v1alpha1.LinkEnd) {
	l := &v1alpha1.Link{Status: v1alpha1.LinkStatus{Ends: []v1alpha1.LinkEnd{a, b}, State: v1alpha1.LinkConfirmed, Source: v1alpha1.SourceLLDP}}
	l.Name = nameOf(a, b)
	f.links = append(f.links, l)
}

// inputs are the objects in any order.
func (f *fabric) inputs() Inputs {
	in := Inputs{Switches: append([]*v1alpha1.Switch{}, f.switches...), Hosts: append([]*v1alpha1.Host{}, f.hosts...), Links: append([]*v1alpha1.Link{}, f.links...)}
	f.rand.Shuffle(len(in.Switches), func(i, j int) { in.Switches[i], in.Switches[j] = in.Switches[j], in.Switches[i] })
	f.rand.Shuffle(len(in.Hosts), func(i, j int) { in.Hosts[i], in.Hosts[j] = in.Hosts[j], in.Hosts[i] })
	f.rand.Shuffle(len(in.Links), func(i, j int) { in.Links[i], in.Links[j] = in.Links[j], in.Links[i] })
	return in
}
