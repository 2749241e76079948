package plan

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"pgregory.net/rapid"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/controller/alloc"
	"github.com/switchlet/switchlet/controller/topology"
)

// A small fabric with too few VLAN ids lives through random changes. After each
// of them the plan must keep what it promises, whatever was asked for.
func TestBuildKeepsItsPromises(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		for range rapid.IntRange(1, 15).Draw(t, "changes") {
			change := rapid.SampledFrom(w.changes()).Draw(t, "change")
			change.make(t)
			in := w.inputs()
			before := text(t, in)
			out := Build(in)
			if diff := cmp.Diff(before, text(t, in)); diff != "" {
				t.Fatalf("Build changed its inputs:\n%s", diff)
			}
			for _, sw := range in.Switches {
				checkSpec(t, in, sw, out)
			}
			checkGroups(t, in, out)
			checkSticky(t, in, out)
			checkProblems(t, in, out)
			checkOrder(t, in, out)
			checkAlone(t, in, out)
			checkCondemned(t, in, out)
			checkPlaces(t, in, out)
			checkUplinks(t, in, out)
			checkPeerings(t, in, out)
			w.configs = map[string]*v1alpha1.SwitchConfig{}
			for name, spec := range out.Specs {
				w.write(name, spec, in.Configs[name])
			}
			again := Build(w.inputs())
			if len(in.Condemned) > 0 { // what a switch has lost is tried anew there, which is another reason
				out.Problems, again.Problems = nil, nil
			}
			forgetAwaited(&out)
			forgetAwaited(&again)
			if !cmp.Equal(out, again) {
				t.Fatalf("the same objects planned again:\n%s", cmp.Diff(out, again))
			}
		}
	})
}

// forgetAwaited drops how many VLAN ids somebody waits for: one that was held is free in
// the next plan, and one alone may still be too few.
func forgetAwaited(r *Result) {
	r.Awaited = false
	for i := range r.Problems {
		if r.Problems[i].Reason == "VLANExhausted" {
			r.Problems[i].Message = ""
		}
	}
}

// write keeps a spec as a SwitchConfig whose switch confirms it at once.
func (w *world) write(name string, spec v1alpha1.SwitchConfigSpec, was *v1alpha1.SwitchConfig) {
	if was == nil {
		was = &v1alpha1.SwitchConfig{}
	}
	now := &v1alpha1.SwitchConfig{ObjectMeta: metav1.ObjectMeta{Name: name, Generation: was.Generation + 1}, Spec: spec}
	now.Annotations = map[string]string{FormerAnnotation: Leaving(was, &spec, w.now, time.Minute)}
	now.Status.ConfirmedGeneration = now.Generation
	w.configs[name] = now
}

// world is the objects of a cluster.
type world struct {
	switches    []*v1alpha1.Switch
	vpcs        map[types.NamespacedName]*v1alpha1.VPC
	attachments []*v1alpha1.VPCAttachment
	configs     map[string]*v1alpha1.SwitchConfig
	fabric      bool
	waiting     map[types.NamespacedName]bool // VPCs without VNIs
	condemned   map[types.NamespacedName][]Condemned
	hosts       []*v1alpha1.Host
	places      map[string][]topology.Place // by host
	cables      map[string][]Cable
	peerings    []*v1alpha1.VPCPeering
	maxPeerings *int32
	disabled    bool // the automatic underlay
	made        int  // attachments so far
	now         time.Time
	// hostSelector of the class; nil allows every host.
	hostSelector *metav1.LabelSelector
}

// vlanIDs are all that there are: few, so that they are used up.
func vlanIDs() (first, last int32) { return 100, 106 }

func newWorld(t *rapid.T) *world {
	w := &world{
		vpcs: map[types.NamespacedName]*v1alpha1.VPC{}, waiting: map[types.NamespacedName]bool{},
		configs: map[string]*v1alpha1.SwitchConfig{}, fabric: true, condemned: map[types.NamespacedName][]Condemned{},
		now:    time.Unix(3600, 0),
		places: map[string][]topology.Place{}, cables: map[string][]Cable{},
	}
	for i, group := range rapid.SliceOfN(rapid.SampledFrom([]string{"", "rack1", "rack2"}), 1, 4).Draw(t, "groups") {
		sw := &v1alpha1.Switch{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("leaf%d", i)}}
		sw.Spec = v1alpha1.SwitchSpec{Role: v1alpha1.RoleLeaf, RedundancyGroup: group}
		sw.Status.Ports = somePorts()
		w.switches = append(w.switches, sw)
	}
	for _, vpc := range []types.NamespacedName{{Namespace: "tenant-a", Name: "blue"}, {Namespace: "tenant-b", Name: "red"}} {
		w.vpcs[vpc] = webAndDB(vpc)
	}
	for i := range 2 {
		w.hosts = append(w.hosts, &v1alpha1.Host{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("host%d", i), Labels: map[string]string{"rack": fmt.Sprint(i)}}})
		w.recable(t)
	}
	for range rapid.IntRange(0, 8).Draw(t, "attachments") {
		w.attach(t)
	}
	return w
}

// webAndDB is a VPC that can be built.
func webAndDB(name types.NamespacedName) *v1alpha1.VPC {
	n := len(name.Namespace+name.Name) + int(name.Namespace[len(name.Namespace)-1]) // another one for each
	return &v1alpha1.VPC{
		ObjectMeta: metav1.ObjectMeta{Namespace: name.Namespace, Name: name.Name},
		Spec: v1alpha1.VPCSpec{Class: "default", Subnets: []v1alpha1.Subnet{
			{Name: "web", CIDRs: []string{fmt.Sprintf("10.%d.1.0/24", n)}},
			{Name: "db", CIDRs: []string{fmt.Sprintf("10.%d.2.0/24", n), fmt.Sprintf("fd00:%d::/64", n)}},
		}},
	}
}

func somePorts() []v1alpha1.SwitchPort {
	return []v1alpha1.SwitchPort{
		{Name: "Ethernet0"}, {Name: "Ethernet4"},
		{Name: "Ethernet8", Use: v1alpha1.PortUseRouted, UsedBy: "INTERFACE|Ethernet8"},
	}
}

// change is one thing that somebody does.
type change struct {
	name string
	make func(*rapid.T)
}

func (c change) String() string { return c.name }

func (w *world) changes() []change {
	return []change{
		{"attach", w.attach}, {"attach", w.attach}, {"attach", w.attach}, {"detach", w.detach},
		{"attach hosts", w.attachHosts}, {"attach hosts", w.attachHosts},
		{"cable a host", w.recable}, {"cable a host", w.recable}, {"cable switches", w.recableSwitch}, {"cable switches", w.recableSwitch},
		{"disable or enable the underlay", func(*rapid.T) { w.disabled = !w.disabled }},
		{"create or change a VPC", w.setVPC}, {"create or change a VPC", w.setVPC},
		{"delete a VPC", func(t *rapid.T) { delete(w.vpcs, drawVPC(t)) }},
		{"give or take VNIs", func(t *rapid.T) { name := drawVPC(t); w.waiting[name] = !w.waiting[name] }},
		{"make VLANs by hand", w.setForeign},
		{"allow other hosts", w.allowHosts},
		{"forget or learn ports", w.setPorts},
		{"delete or create the Fabric", func(*rapid.T) { w.fabric = !w.fabric }},
		{"change the group of a switch", func(t *rapid.T) {
			w.draw(t).Spec.RedundancyGroup = rapid.SampledFrom([]string{"", "rack1", "rack2"}).Draw(t, "group")
		}},
		{"change the role of a switch", func(t *rapid.T) {
			w.draw(t).Spec.Role = rapid.SampledFrom([]v1alpha1.SwitchRole{v1alpha1.RoleLeaf, v1alpha1.RoleSpine}).Draw(t, "role")
		}},
		{"take back what a switch has of a VPC", w.condemn}, {"take back what a switch has of a VPC", w.condemn},
		{"take it after all", func(t *rapid.T) { delete(w.condemned, drawVPC(t)) }},
		{"let time pass", func(*rapid.T) { w.now = w.now.Add(time.Minute) }}, {"let time pass", func(*rapid.T) { w.now = w.now.Add(time.Minute) }},
		{"peer", w.peer}, {"peer", w.peer}, {"peer", w.peerBoth}, {"peer", w.peerBoth}, {"end a peering", w.unpeer},
		{"lose a SwitchConfig", func(t *rapid.T) { delete(w.configs, w.draw(t).Name) }},
	}
}

func (w *world) draw(t *rapid.T) *v1alpha1.Switch {
	return rapid.SampledFrom(w.switches).Draw(t, "switch")
}

func drawVPC(t *rapid.T) types.NamespacedName {
	return types.NamespacedName{
		Namespace: rapid.SampledFrom([]string{"tenant-a", "tenant-b"}).Draw(t, "namespace"),
		Name:      rapid.SampledFrom([]string{"blue", "red"}).Draw(t, "vpc"),
	}
}

func (w *world) attach(t *rapid.T) {
	w.made++
	vpc := drawVPC(t)
	a := &v1alpha1.VPCAttachment{ObjectMeta: metav1.ObjectMeta{
		Namespace: vpc.Namespace, Name: fmt.Sprintf("a%d", w.made),
		CreationTimestamp: metav1.NewTime(time.Unix(int64(w.made/2), 0)), // two in a second
	}}
	a.Spec = v1alpha1.VPCAttachmentSpec{
		VPC: vpc.Name, Subnet: rapid.SampledFrom([]string{"web", "db", "log"}).Draw(t, "subnet"),
		Port: v1alpha1.PortReference{
			Switch: w.draw(t).Name,
			Name:   rapid.SampledFrom([]string{"Ethernet0", "Ethernet4", "Ethernet8", "Ethernet12"}).Draw(t, "port"),
		},
		Mode: rapid.SampledFrom([]v1alpha1.AttachmentMode{v1alpha1.ModeTagged, v1alpha1.ModeNative}).Draw(t, "mode"),
	}
	w.attachments = append(w.attachments, a)
}

func (w *world) detach(t *rapid.T) {
	if n := len(w.attachments); n > 0 {
		i := rapid.IntRange(0, n-1).Draw(t, "attachment")
		w.attachments = slices.Delete(slices.Clone(w.attachments), i, i+1)
	}
}

func (w *world) setVPC(t *rapid.T) {
	vpc := webAndDB(drawVPC(t))
	switch rapid.SampledFrom([]string{"right", "right", "without db", "overlapping", "without a class", "isolated", "like another"}).Draw(t, "it is") {
	case "without db":
		vpc.Spec.Subnets = vpc.Spec.Subnets[:1]
	case "overlapping":
		vpc.Spec.Subnets = append(vpc.Spec.Subnets, v1alpha1.Subnet{Name: "log", CIDRs: []string{"10.0.0.0/8"}})
	case "isolated":
		vpc.Spec.Subnets[rapid.IntRange(0, 1).Draw(t, "which")].Isolated = true
	case "like another":
		vpc.Spec.Subnets = webAndDB(drawVPC(t)).Spec.Subnets
	case "without a class":
		vpc.Spec.Class = "gold"
	}
	w.vpcs[keyOf(vpc)] = vpc
}

func (w *world) condemn(t *rapid.T) {
	if config := w.configs[w.draw(t).Name]; config != nil && len(config.Spec.VRFs) > 0 {
		vpc := rapid.SampledFrom(config.Spec.VRFs).Draw(t, "VRF").Owner.NamespacedName()
		w.condemned[vpc] = []Condemned{{Switch: config.Name, Tried: config.Spec.DeepCopy(), Message: "broke"}}
	}
}

func (w *world) setForeign(t *rapid.T) {
	first, last := vlanIDs()
	sw := w.draw(t)
	sw.Status.ForeignVLANs = rapid.SliceOfNDistinct(rapid.Int32Range(first, last), 0, 3, rapid.ID).Draw(t, "ids")
}

func (w *world) setPorts(t *rapid.T) {
	if sw := w.draw(t); len(sw.Status.Ports) > 0 {
		sw.Status.Ports = nil
	} else {
		sw.Status.Ports = somePorts()
	}
}

func (w *world) inputs() Inputs {
	first, last := vlanIDs()
	in := Inputs{
		AnycastMAC: "00:00:5e:00:01:01", Configs: w.configs, VPCs: w.vpcs, Condemned: w.condemned,
		Classes:  map[string]*v1alpha1.VPCClass{"default": {ObjectMeta: metav1.ObjectMeta{Name: "default"}, Spec: v1alpha1.VPCClassSpec{HostSelector: w.hostSelector, Limits: v1alpha1.VPCLimits{MaxPeerings: w.maxPeerings}}}},
		Switches: slices.Clone(w.switches), Cables: w.cables, Underlay: v1alpha1.Underlay{Disabled: w.disabled},
		Identifiers: Identifiers{
			VNI: func(vpc types.NamespacedName, subnet string) int32 {
				if w.waiting[vpc] {
					return 0
				}
				return 10000 + int32(slices.Index([]string{
					"tenant-a/blue/", "tenant-a/blue/web", "tenant-a/blue/db", "tenant-a/blue/log", "tenant-a/red/", "tenant-a/red/web", "tenant-a/red/db", "tenant-a/red/log",
					"tenant-b/blue/", "tenant-b/blue/web", "tenant-b/blue/db", "tenant-b/blue/log", "tenant-b/red/", "tenant-b/red/web", "tenant-b/red/db", "tenant-b/red/log",
				}, vpc.String()+"/"+subnet))
			},
			VTEP: func(name string) netip.Addr {
				return netip.MustParseAddr("10.255.0." + strings.TrimPrefix(name, "leaf"))
			},
			ASN: func(name string) int64 { return 4200000000 + int64(name[len(name)-1]-'0') },
		},
	}
	w.place(&in)
	in.Peers = w.peers(in.Classes)
	in.Former = map[string][]Former{}
	for name, config := range w.configs {
		in.Former[name] = FormerOf(config, w.now, time.Minute)
	}
	if w.fabric {
		vlan, err := alloc.NewPool([]alloc.Range{{First: uint32(first), Last: uint32(last)}}, nil)
		if err != nil {
			panic(err)
		}
		in.Pools = &alloc.Pools{VLAN: vlan}
	}
	return in
}
