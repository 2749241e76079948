package uplink

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"pgregory.net/rapid"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/deploy/lab/labtest/golden"
)

// A scenario has the devices of a host and one or more lists of networks. Each
// list is followed by the steps that it takes, which are done, and by the problems.
// A comment ahead says what it is about.
func TestScenarios(t *testing.T) { golden.Archives(t, "testdata/*.txtar", play) }

func play(t *testing.T, archive *txtar.Archive) *txtar.Archive {
	t.Helper()
	host := fakeHost{}
	var steps []Step
	var problems []v1alpha1.Problem
	for i, part := range archive.Files {
		switch text := string(part.Data); part.Name {
		case "host":
			host.parse(t, text)
		case "networks":
			steps, problems = Plan(host.devices(), parseNetworks(t, text))
			for _, s := range steps {
				if err := host.do(s); err != nil {
					t.Fatalf("%s: %v", s, err)
				}
			}
			if again, _ := Plan(host.devices(), parseNetworks(t, text)); len(again) > 0 {
				t.Errorf("and then it takes %s", again)
			}
		case "steps":
			archive.Files[i].Data = []byte(lines(steps))
		case "problems":
			archive.Files[i].Data = []byte(told(problems))
		default:
			t.Fatalf("%q is no part of a scenario", part.Name)
		}
	}
	return archive
}

func told(problems []v1alpha1.Problem) (text string) {
	for _, p := range problems {
		text += fmt.Sprintf("%s %s: %s\n", p.Owner.Name, p.Reason, p.Message)
	}
	return text
}

func lines(steps []Step) (text string) {
	for _, s := range steps {
		text += s.String() + "\n"
	}
	return text
}

// fakeHost is the devices of a host by their names. It refuses what the kernel
// does.
type fakeHost map[string]Device

func (h fakeHost) devices() []Device {
	var all []Device
	for _, d := range h {
		all = append(all, d)
	}
	return all
}

// parse reads lines such as "eth1 mtu=9000 busy".
func (h fakeHost) parse(t *testing.T, text string) {
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		d := Device{Name: words[0], MTU: 1500, Up: true, Carrier: true}
		for _, word := range words[1:] {
			key, value, _ := strings.Cut(word, "=")
			n, _ := strconv.Atoi(value)
			switch key {
			case "mtu":
				d.MTU = n
			case "busy":
				d.Busy = true
			case "cut":
				d.Carrier = false
			case "active":
				d.Active = value
			case "link":
				d.Link = value
			case "id":
				d.ID = n
			case "both":
				d.Both = true
			case "promisc":
				d.Promisc = true
			case "kind":
				d.Kind = value
			case "alias":
				d.Alias = value
			case "master":
				d.Master = value
			default:
				t.Fatalf("%q", word)
			}
		}
		h[d.Name] = d
	}
}

func (h fakeHost) do(s Step) error {
	d, there := h[s.Device.Name]
	_, link := h[s.Device.Link]
	_, master := h[s.Device.Master]
	switch {
	case there == (s.Op == Create):
		return fmt.Errorf("there is one: %t", there)
	case there && d.Kind != "" && !d.ours():
		return fmt.Errorf("%v is not ours", d)
	case there && d.Kind == "" && s.Op != SetMaster:
		return fmt.Errorf("%v is a NIC", d)
	}
	switch s.Op {
	case Create:
		if s.Device.Link != "" && !link {
			return fmt.Errorf("there is no %s", s.Device.Link)
		}
		d = Device{Name: s.Device.Name, Kind: s.Device.Kind, Link: s.Device.Link, ID: s.Device.ID, MTU: 1500, Carrier: h[s.Device.Link].Carrier}
	case Delete:
		delete(h, d.Name)
		for name, other := range h {
			if other.Master == d.Name {
				other.Master = ""
				h[name] = other
			}
		}
		h.choose()
		return nil
	case SetAlias:
		d.Alias = s.Device.Alias
	case SetMTU:
		if on := h[d.Link]; d.Link != "" && s.Device.MTU > on.MTU {
			return fmt.Errorf("%s has %d", d.Link, on.MTU)
		}
		d.MTU = s.Device.MTU
	case SetMaster:
		if s.Device.Master != "" && !master {
			return fmt.Errorf("there is no %s", s.Device.Master)
		}
		d.Master = s.Device.Master
		if h[d.Master].Kind == Bond { // which gives it its own
			d.Up, d.MTU = true, h[d.Master].MTU
		}
	case SetUp:
		d.Up = true
	case SetPromisc:
		if d.Kind != VLAN {
			return fmt.Errorf("%v is another kind of device", d)
		}
		d.Promisc = s.Device.Promisc
	case SetBoth:
		d.Both = s.Device.Both
	case SetActive:
		if slave := h[s.Device.Active]; slave.Master != d.Name || !slave.Carrier {
			return fmt.Errorf("%v cannot be used", slave)
		}
		d.Active = s.Device.Active
	}
	h[d.Name] = d
	h.choose()
	return nil
}

// choose has bonds use what has a carrier, as the kernel does.
func (h fakeHost) choose() {
	for name, bond := range h {
		if now := h[bond.Active]; bond.Kind != Bond || bond.Active != "" && now.Master == name && now.Carrier {
			continue
		}
		bond.Active = ""
		for _, slave := range slices.Sorted(maps.Keys(h)) {
			if h[slave].Master == name && h[slave].Carrier {
				bond.Active = slave
				break
			}
		}
		h[name] = bond
	}
}

// parseNetworks reads lines such as "1111 eth1:100 eth2 mtu=9000 bridge used".
func parseNetworks(t *testing.T, text string) []Network {
	var all []Network
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		vni, err := strconv.Atoi(words[0])
		if err != nil {
			t.Fatal(err)
		}
		n := Network{VNI: int32(vni), Name: fmt.Sprintf("blue/n%d", vni), Owner: v1alpha1.ObjectReference{Name: "blue"}}
		for _, word := range words[1:] {
			key, value, _ := strings.Cut(word, "=")
			switch key {
			case "mtu":
				n.MTU, _ = strconv.Atoi(value)
			case "bridge":
				n.Bridge = true
			case "used":
				n.Used = true
			case "gone":
				n.Owner.Name = ""
			case "draining": // the uplink before
				n.Uplinks[len(n.Uplinks)-1].Draining = true
			default:
				nic, id, _ := strings.Cut(word, ":")
				vlan, _ := strconv.Atoi(id)
				n.Uplinks = append(n.Uplinks, v1alpha1.HostUplink{NIC: nic, VLAN: int32(vlan)})
			}
		}
		all = append(all, n)
	}
	return all
}

func hosts() fakeHost {
	h := fakeHost{}
	for _, d := range []Device{{Name: "eth1", MTU: 9000, Up: true, Carrier: true}, {Name: "eth2", MTU: 1500, Up: true, Carrier: true}, {Name: "eth3", MTU: 1500, Up: true, Busy: true}, {Name: "docker0", Kind: Bridge, Alias: "", Up: true}} {
		h[d.Name] = d
	}
	return h
}

func drawNetworks(t *rapid.T) []Network {
	var all []Network
	for vni := range int32(3) {
		if !rapid.Bool().Draw(t, "there") {
			continue
		}
		n := Network{VNI: vni + 1, Name: fmt.Sprint("n", vni), Owner: v1alpha1.ObjectReference{Name: "blue"}, Bridge: rapid.Bool().Draw(t, "bridge"), MTU: rapid.SampledFrom([]int{0, 1400, 9000}).Draw(t, "mtu")}
		for _, nic := range []string{"eth1", "eth2", "eth3", "eth4"} {
			if rapid.Bool().Draw(t, nic) {
				n.Uplinks = append(n.Uplinks, v1alpha1.HostUplink{NIC: nic, VLAN: 100 + 10*vni + rapid.Int32Range(0, 1).Draw(t, "vlan"), Draining: rapid.Bool().Draw(t, "draining")})
			}
		}
		all = append(all, n)
	}
	return all
}

// Whatever was there, killed at any step, one more plan gets to the same end, and
// then there is nothing to do. What is not the agent's stays as it was.
func TestEveryWayToTheSameEnd(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		whole, killed := hosts(), hosts()
		for range rapid.IntRange(1, 4).Draw(t, "changes") {
			networks := drawNetworks(t)
			steps, _ := Plan(killed.devices(), networks)
			run(t, killed, steps[:rapid.IntRange(0, len(steps)).Draw(t, "killed after")])
		}
		networks := drawNetworks(t)
		for _, h := range []fakeHost{whole, killed} {
			for range 2 { // only the kernel knows which device a bond uses that is just made
				steps, _ := Plan(h.devices(), networks)
				run(t, h, steps)
			}
			if again, _ := Plan(h.devices(), networks); len(again) > 0 {
				t.Fatalf("then it takes %s", again)
			}
		}
		if a, b := purpose(whole), purpose(killed); a != b {
			t.Fatalf("straight there are\n%s, with detours\n%s", a, b)
		}
		for name, d := range hosts() {
			if whole[name] != d || killed[name] != d {
				t.Fatalf("%v has become %v, %v", d, whole[name], killed[name])
			}
		}
	})
}

func run(t *rapid.T, h fakeHost, steps []Step) {
	for _, s := range steps {
		if err := h.do(s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

// purpose is what devices are for: the number in a VLAN device's name may differ, and which
// of two a bond uses that are as good.
func purpose(h fakeHost) string {
	var all []string
	for _, d := range h {
		if d.Kind == VLAN {
			d.Name, _, _ = strings.Cut(d.Name, "-")
		}
		d.Active = ""
		all = append(all, fmt.Sprintf("%+v", d))
	}
	slices.Sort(all)
	return strings.Join(all, "\n")
}
