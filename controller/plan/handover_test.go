package plan

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"pgregory.net/rapid"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/controller/alloc"
	"github.com/switchlet/switchlet/controller/topology"
)

// Hosts and switches put into force what they are given whenever they like, pods come
// and go, cables are moved, the controller restarts, and there are hardly more VLAN ids
// than are needed. At no moment does a frame that a host sends for one subnet enter
// another one.
func TestVLANsChangeHandsUnnoticedByTenants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newHandover(t)
		for range rapid.IntRange(20, 120).Draw(t, "moments") {
			step := rapid.SampledFrom(w.steps()).Draw(t, "what happens")
			step.make(t)
			w.check(t)
		}
	})
}

// When everybody has put into force what he was given, every pod has its network: no id
// is kept back for ever, and nobody waits for somebody who waits for him. The one thing
// that is waited for is a pod on a NIC itself, which sends untagged as long as it runs,
// and whoever waits for it is told so.
func TestVLANsAreGivenBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newHandover(t)
		for range rapid.IntRange(20, 120).Draw(t, "moments") {
			step := rapid.SampledFrom(w.steps()).Draw(t, "what happens")
			step.make(t)
		}
		w.settleForGood(t)
		for _, h := range w.hosts {
			for _, n := range h.config.Spec.Networks {
				if h.wants[n.VNI] && !n.Ready && !strings.Contains(n.Message, h.config.Name+" may still send frames of another subnet there untagged") {
					t.Fatalf("%s waits for VNI %d: %s\n%s", h.config.Name, n.VNI, n.Message, w)
				}
			}
			h.restartPods()
		}
		w.settleForGood(t)
		for _, h := range w.hosts {
			for _, n := range h.config.Spec.Networks {
				if h.wants[n.VNI] && !n.Ready {
					t.Fatalf("%s waits for VNI %d: %s\n%s", h.config.Name, n.VNI, n.Message, w)
				}
			}
		}
	})
}

// A host with running pods in two subnets is moved to a leaf that has both, and where
// their ids are just the other way round. Neither subnet can come to the port before the host has
// let go of the other's id, which it does by going over to the new ids.
func TestIDsThatAreTheOtherWayRound(t *testing.T) {
	w := handoverIn("")
	w.switches[0].config.Annotations = map[string]string{FormerAnnotation: "100/1@0+1 101/3@0+1"} // what they get again
	w.switches[1].config.Annotations = map[string]string{FormerAnnotation: "101/1@0+1 100/3@0+1"}
	for _, s := range w.switches {
		s.confirm()
	}
	h, other := w.hosts[0], w.hosts[1]
	h.wants[1], h.wants[3], other.wants[1], other.wants[3] = true, true, true, true
	w.settle()
	w.settle()
	h.pods[1], h.pods[3] = true, true
	h.report()
	if !h.sends[Tag{"host0", "eth0", 100, 1}] || !h.sends[Tag{"host0", "eth0", 101, 3}] {
		t.Fatalf("the host sends %v", h.sends)
	}
	w.cable(h, w.switches[1].sw)
	for range 4 {
		w.compile()
		w.check(t)
		w.switches[1].apply()
		w.check(t)
		w.compileHost(h)
		h.apply()
		w.check(t)
		h.report()
	}
	if !h.sends[Tag{"host0", "eth0", 101, 1}] || !h.sends[Tag{"host0", "eth0", 100, 3}] || !h.config.Spec.Networks[0].Ready || !h.config.Spec.Networks[1].Ready {
		t.Errorf("after the move\n%s", w)
	}
}

// handover is a fabric of real time: what the API server has, and what is in force.
type handover struct {
	now      time.Time
	switches []*handoverSwitch
	hosts    []*handoverHost
	// native attachments by port; ports that were used so far.
	natives map[v1alpha1.PortReference]*v1alpha1.VPCAttachment
	ports   int
}

// handoverSwitch is a switch with its SwitchConfig, and the spec that is in force.
type handoverSwitch struct {
	sw      *v1alpha1.Switch
	config  *v1alpha1.SwitchConfig
	inForce v1alpha1.SwitchConfigSpec
}

// handoverHost is a host with its HostConfig, its pods, and what it sends.
type handoverHost struct {
	config *v1alpha1.HostConfig
	places []topology.Place
	wants  map[int32]bool // VNIs that pods on it need
	pods   map[int32]bool // VNIs that pods are attached to
	// sends are the tags of the devices that there are; direct are those of pods on
	// the NIC itself.
	sends, direct map[Tag]bool
}

// grace of this fabric.
func handoverGrace() time.Duration { return time.Minute }

func newHandover(t *rapid.T) *handover {
	return handoverIn(rapid.SampledFrom([]string{"", "rack1"}).Draw(t, "group"))
}

// handoverIn has two leaves in a redundancy group, or in none, and a host at each.
func handoverIn(group string) *handover {
	w := &handover{now: time.Unix(1_767_225_600, 0), natives: map[v1alpha1.PortReference]*v1alpha1.VPCAttachment{}}
	for i := range 2 {
		name := fmt.Sprint("leaf", i)
		sw := &v1alpha1.Switch{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: v1alpha1.SwitchSpec{Role: v1alpha1.RoleLeaf, RedundancyGroup: group}}
		w.switches = append(w.switches, &handoverSwitch{sw: sw, config: &v1alpha1.SwitchConfig{ObjectMeta: metav1.ObjectMeta{Name: name, Generation: 1}}})
		h := &handoverHost{wants: map[int32]bool{}, pods: map[int32]bool{}, sends: map[Tag]bool{}, direct: map[Tag]bool{}}
		h.config = &v1alpha1.HostConfig{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprint("host", i), Generation: 1}}
		h.config.Status.ObservedGeneration = 1
		w.hosts = append(w.hosts, h)
		w.cable(h, sw)
	}
	return w
}

// subnets of the fabric, by VNI: two of each of two VPCs.
func handoverSubnet(vni int32) (types.NamespacedName, string) {
	return types.NamespacedName{Namespace: "tenant-" + string('a'+(vni-1)/2), Name: "vpc"}, []string{"web", "db"}[(vni-1)%2]
}

func (w *handover) vnis() []int32 { return []int32{1, 2, 3, 4} }

func (w *handover) vpc(name types.NamespacedName) *v1alpha1.VPC { return webAndDB(name) }

// cable puts a host's NIC into a port that nobody has used.
func (w *handover) cable(h *handoverHost, sw *v1alpha1.Switch) {
	name := fmt.Sprintf("Ethernet%d", 4*w.ports)
	w.ports++
	sw.Status.Ports = append(sw.Status.Ports, v1alpha1.SwitchPort{Name: name})
	h.places = []topology.Place{{NIC: "eth0", Switch: sw.Name, Port: name}}
}

func (w *handover) drawHost(t *rapid.T) *handoverHost {
	return rapid.SampledFrom(w.hosts).Draw(t, "host")
}

func (w *handover) drawSwitch(t *rapid.T) *handoverSwitch {
	return rapid.SampledFrom(w.switches).Draw(t, "switch")
}

func (w *handover) steps() []change {
	return []change{
		{"pods come or go", w.want}, {"pods come or go", w.want}, {"pods come or go", w.want},
		{"a pod is attached or detached", w.attachPod},
		{"switches are compiled", func(*rapid.T) { w.compile() }}, {"switches are compiled", func(*rapid.T) { w.compile() }},
		{"a host is compiled", func(t *rapid.T) { w.compileHost(w.drawHost(t)) }}, {"a host is compiled", func(t *rapid.T) { w.compileHost(w.drawHost(t)) }},
		{"a switch puts its spec into force", func(t *rapid.T) { w.drawSwitch(t).apply() }},
		{"a switch confirms", func(t *rapid.T) { w.drawSwitch(t).confirm() }},
		{"a host puts its spec into force", func(t *rapid.T) { w.drawHost(t).apply() }},
		{"a host puts its spec into force and reports", func(t *rapid.T) { h := w.drawHost(t); h.apply(); h.report() }},
		{"a cable is moved", func(t *rapid.T) { w.cable(w.drawHost(t), w.drawSwitch(t).sw) }},
		{"a native attachment comes or goes", w.native},
		{"time passes", func(*rapid.T) { w.now = w.now.Add(handoverGrace() + time.Second) }},
	}
}

func (w *handover) want(t *rapid.T) {
	h, vni := w.drawHost(t), rapid.SampledFrom(w.vnis()).Draw(t, "VNI")
	h.wants[vni] = !h.wants[vni]
}

// attachPod attaches a pod to a network that is ready, or detaches it.
func (w *handover) attachPod(t *rapid.T) {
	h, vni := w.drawHost(t), rapid.SampledFrom(w.vnis()).Draw(t, "VNI")
	if h.pods[vni] {
		delete(h.pods, vni)
		return
	}
	for tag := range h.sends {
		if tag.VNI == vni && h.wants[vni] {
			h.pods[vni] = true
			if tag.VLAN == 0 {
				h.direct[tag] = true
			}
		}
	}
}

// native attaches a subnet to the port of a host with untagged frames.
func (w *handover) native(t *rapid.T) {
	h, vni := w.drawHost(t), rapid.SampledFrom(w.vnis()).Draw(t, "VNI")
	port := v1alpha1.PortReference{Switch: h.places[0].Switch, Name: h.places[0].Port}
	if w.natives[port] != nil {
		delete(w.natives, port)
		return
	}
	vpc, subnet := handoverSubnet(vni)
	a := &v1alpha1.VPCAttachment{ObjectMeta: metav1.ObjectMeta{Namespace: vpc.Namespace, Name: "native-" + strings.ToLower(port.Name)}}
	a.Spec = v1alpha1.VPCAttachmentSpec{VPC: vpc.Name, Subnet: subnet, Port: port, Mode: v1alpha1.ModeNative}
	w.natives[port] = a
}

// inputs are what the controller sees, which remembers nothing by itself.
func (w *handover) inputs() Inputs {
	pool, err := alloc.NewPool([]alloc.Range{{First: 100, Last: 107}}, nil)
	if err != nil {
		panic(err)
	}
	in := Inputs{
		Pools: &alloc.Pools{VLAN: pool}, AnycastMAC: "00:00:5e:00:01:01", Configs: map[string]*v1alpha1.SwitchConfig{}, VPCs: map[types.NamespacedName]*v1alpha1.VPC{},
		Classes: map[string]*v1alpha1.VPCClass{"default": {ObjectMeta: metav1.ObjectMeta{Name: "default"}}},
		Former:  map[string][]Former{}, Tags: map[v1alpha1.PortReference][]Tag{},
		Identifiers: Identifiers{VNI: handoverVNI, VTEP: func(string) netip.Addr { return netip.MustParseAddr("10.255.0.1") }, ASN: func(string) int64 { return 0 }},
	}
	for _, vni := range w.vnis() {
		name, _ := handoverSubnet(vni)
		in.VPCs[name] = w.vpc(name)
	}
	for _, s := range w.switches {
		in.Switches = append(in.Switches, s.sw)
		in.Configs[s.sw.Name] = s.config
		in.Former[s.sw.Name] = FormerOf(s.config, w.now, handoverGrace())
	}
	for _, a := range w.natives {
		in.Attachments = append(in.Attachments, a)
	}
	for _, h := range w.hosts {
		for vni := range h.wants {
			if h.needs(vni) {
				vpc, subnet := handoverSubnet(vni)
				in.Placements = append(in.Placements, ForPods(vpc, subnet, &v1alpha1.Host{ObjectMeta: metav1.ObjectMeta{Name: h.config.Name}}, h.places[0]))
			}
		}
		in.AddTags(h.places[0].Switch, h.places, TagsOf(h.config))
	}
	return in
}

// handoverVNI are 1 to 4 for subnets, 101 and 102 for VPCs.
func handoverVNI(vpc types.NamespacedName, subnet string) int32 {
	n := int32(vpc.Namespace[len("tenant-")] - 'a')
	if subnet == "" {
		return 101 + n
	}
	return 2*n + 1 + int32(slices.Index([]string{"web", "db"}, subnet))
}

// needs says whether the host is to have a network: because pods want it, or because
// the host has reported ones that are attached.
func (h *handoverHost) needs(vni int32) bool {
	return h.wants[vni] || slices.ContainsFunc(h.config.Status.Networks, func(n v1alpha1.HostNetworkStatus) bool { return n.VNI == vni && n.Pods > 0 })
}

// compile writes the SwitchConfigs.
func (w *handover) compile() {
	out := Build(w.inputs())
	for _, s := range w.switches {
		if spec := out.Specs[s.sw.Name]; spec.Revision != s.config.Spec.Revision {
			next := s.config.DeepCopy()
			next.Annotations = map[string]string{FormerAnnotation: Leaving(s.config, &spec, w.now, handoverGrace())}
			next.Spec = spec
			next.Generation++
			s.config = next
		}
	}
}

// compileHost writes the HostConfig of a host.
func (w *handover) compileHost(h *handoverHost) {
	in := HostInputs{Host: host1(), Places: h.places, Configs: map[string]*v1alpha1.SwitchConfig{}}
	problems := Build(w.inputs())
	in.Standing = func(c Carrier) Standing {
		for _, s := range w.switches {
			if _, there := carriedAs(s.config, c); there && s.sw.Name == c.Switch {
				_, inForce := carriedAs(&v1alpha1.SwitchConfig{Spec: s.inForce}, c)
				return Standing{InForce: inForce}
			}
		}
		return standingOf(problems, c)
	}
	for _, s := range w.switches {
		in.Configs[s.sw.Name] = s.config
	}
	for _, vni := range w.vnis() {
		if h.needs(vni) {
			name, subnet := handoverSubnet(vni)
			in.Networks = append(in.Networks, HostNetwork{Name: name, Subnet: subnet, VPC: w.vpc(name), VNI: vni})
		}
	}
	spec := BuildHost(in)
	if spec.Revision == h.config.Spec.Revision {
		return
	}
	next := h.config.DeepCopy()
	next.Annotations = map[string]string{SentAnnotation: Sent(h.config, &spec)}
	next.Spec = spec
	next.Generation++
	h.config = next
}

func standingOf(out Result, c Carrier) Standing {
	for _, p := range out.Problems {
		if p.Switch == c.Switch && p.Owner == VPCRef(c.VPC) {
			return Standing{Problem: cmp.Or(out.Waiting[c].Problem, p.Message), Waiting: out.Waiting[c].VLAN}
		}
	}
	return Standing{Problem: out.Waiting[c].Problem, Waiting: out.Waiting[c].VLAN}
}

func (s *handoverSwitch) apply() { s.inForce = *s.config.Spec.DeepCopy() }

func (s *handoverSwitch) confirm() {
	if s.inForce.Revision == s.config.Spec.Revision {
		s.config = s.config.DeepCopy()
		s.config.Status.ConfirmedGeneration = s.config.Generation
	}
}

// apply makes the devices of a host as its spec says. Networks that have no uplink any
// more keep theirs while pods are attached.
func (h *handoverHost) apply() {
	next := map[Tag]bool{}
	ways := map[int32]bool{}
	for _, t := range tagsIn(h.config) {
		next[t], ways[t.VNI] = true, true
	}
	for t := range h.sends {
		if h.pods[t.VNI] && !ways[t.VNI] {
			next[t] = true
		}
	}
	h.sends = next
	maps.DeleteFunc(h.direct, func(t Tag, _ bool) bool { return !h.pods[t.VNI] })
}

// report says what is in force. The host puts its newest spec into force before.
func (h *handoverHost) report() {
	h.config = h.config.DeepCopy()
	h.config.Status = v1alpha1.HostConfigStatus{ObservedGeneration: h.config.Generation, AppliedRevision: h.config.Spec.Revision}
	for _, vni := range []int32{1, 2, 3, 4} {
		n := v1alpha1.HostNetworkStatus{VNI: vni}
		if h.pods[vni] {
			n.Pods = 1
		}
		for tag := range h.frames() {
			if tag.VNI == vni {
				n.Tags = append(n.Tags, v1alpha1.HostTag{NIC: tag.NIC, VLAN: tag.VLAN})
			}
		}
		h.config.Status.Networks = append(h.config.Status.Networks, n)
	}
}

// settle lets everybody do what he was asked for, once.
func (w *handover) settle() {
	w.now = w.now.Add(handoverGrace() + time.Second)
	w.compile()
	for _, h := range w.hosts {
		w.compileHost(h)
		h.apply()
		h.report()
	}
	for _, s := range w.switches {
		s.apply()
		s.confirm()
	}
}

// settleForGood lets everybody do so until nothing is left to do.
func (w *handover) settleForGood(t *rapid.T) {
	for range 12 {
		w.settle()
		w.check(t)
	}
}

// restartPods ends the pods that are on the NIC itself.
func (h *handoverHost) restartPods() {
	for tag := range h.direct {
		delete(h.pods, tag.VNI)
	}
	clear(h.direct)
}

// check: what a host sends at a port enters its own subnet there, or none.
func (w *handover) check(t interface{ Fatalf(string, ...any) }) {
	for _, h := range w.hosts {
		at := h.places[0]
		for _, s := range w.switches {
			for _, segment := range s.inForce.Segments {
				for _, p := range segment.Ports {
					if s.sw.Name != at.Switch || p.Name != at.Port {
						continue
					}
					for tag := range h.frames() {
						enters := tag.VLAN == segment.VLAN || tag.VLAN == 0 && p.Mode == v1alpha1.ModeNative
						if enters && tag.VNI != segment.VNI {
							t.Fatalf("%s sends frames of VNI %d as Vlan%d, and port %s of %s takes them into VNI %d\n%s", h.config.Name, tag.VNI, tag.VLAN, p.Name, at.Switch, segment.VNI, w)
						}
					}
				}
			}
		}
	}
}

// frames are the tags that a host can send: its devices', and those of running pods
// that are on the NIC itself.
func (h *handoverHost) frames() map[Tag]bool {
	out := maps.Clone(h.sends)
	for t := range h.direct {
		if h.pods[t.VNI] {
			out[t] = true
		}
	}
	return out
}

func (w *handover) String() string {
	var b strings.Builder
	for _, s := range w.switches {
		fmt.Fprintf(&b, "%s generation %d, confirmed %d, former %q\n", s.sw.Name, s.config.Generation, s.config.Status.ConfirmedGeneration, s.config.Annotations[FormerAnnotation])
		for _, g := range s.config.Spec.Segments {
			fmt.Fprintf(&b, "  Vlan%d VNI %d %v\n", g.VLAN, g.VNI, g.Ports)
		}
	}
	for _, h := range w.hosts {
		fmt.Fprintf(&b, "%s at %v generation %d, wants %v, pods %v, sends %v, sent %q, may send %v\n", h.config.Name, h.places, h.config.Generation, h.wants, h.pods, h.frames(), h.config.Annotations[SentAnnotation], TagsOf(h.config))
	}
	return b.String()
}
