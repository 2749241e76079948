package plan

import (
	"encoding/json"
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
			w.configs = map[string]*v1alpha1.SwitchConfig{}
			for name, spec := range out.Specs {
				w.configs[name] = &v1alpha1.SwitchConfig{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: spec}
			}
			if again := Build(w.inputs()); !cmp.Equal(out, again) {
				t.Fatalf("the same objects planned again:\n%s", cmp.Diff(out, again))
			}
		}
	})
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
	made        int // attachments so far
}

// vlanIDs are all that there are: few, so that they are used up.
func vlanIDs() (first, last int32) { return 100, 106 }

func newWorld(t *rapid.T) *world {
	w := &world{
		vpcs: map[types.NamespacedName]*v1alpha1.VPC{}, waiting: map[types.NamespacedName]bool{},
		configs: map[string]*v1alpha1.SwitchConfig{}, fabric: true, condemned: map[types.NamespacedName][]Condemned{},
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
	for range rapid.IntRange(0, 8).Draw(t, "attachments") {
		w.attach(t)
	}
	return w
}

// webAndDB is a VPC that can be built.
func webAndDB(name types.NamespacedName) *v1alpha1.VPC {
	return &v1alpha1.VPC{
		ObjectMeta: metav1.ObjectMeta{Namespace: name.Namespace, Name: name.Name},
		Spec: v1alpha1.VPCSpec{Class: "default", Subnets: []v1alpha1.Subnet{
			{Name: "web", CIDRs: []string{"10.1.0.0/24"}},
			{Name: "db", CIDRs: []string{"10.2.0.0/24", "fd00:2::/64"}},
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
		{"create or change a VPC", w.setVPC}, {"create or change a VPC", w.setVPC},
		{"delete a VPC", func(t *rapid.T) { delete(w.vpcs, drawVPC(t)) }},
		{"give or take VNIs", func(t *rapid.T) { name := drawVPC(t); w.waiting[name] = !w.waiting[name] }},
		{"make VLANs by hand", w.setForeign},
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
	switch rapid.SampledFrom([]string{"right", "without db", "overlapping", "without a class"}).Draw(t, "it is") {
	case "without db":
		vpc.Spec.Subnets = vpc.Spec.Subnets[:1]
	case "overlapping":
		vpc.Spec.Subnets = append(vpc.Spec.Subnets, v1alpha1.Subnet{Name: "log", CIDRs: []string{"10.0.0.0/8"}})
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
		Classes:  map[string]*v1alpha1.VPCClass{"default": {ObjectMeta: metav1.ObjectMeta{Name: "default"}}},
		Switches: slices.Clone(w.switches), Attachments: slices.Clone(w.attachments),
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
		},
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

// text is what can be compared of Inputs.
func text(t *rapid.T, in Inputs) string {
	vpcs := map[string]*v1alpha1.VPC{}
	for name, v := range in.VPCs {
		vpcs[name.String()] = v
	}
	out, err := json.MarshalIndent([]any{in.Switches, in.Attachments, in.Configs, vpcs}, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// domains are the VLAN ids of a spec by what they are for.
func domains(spec v1alpha1.SwitchConfigSpec) map[broadcastDomain]int32 {
	out := map[broadcastDomain]int32{}
	for _, v := range spec.VRFs {
		out[broadcastDomain{vpc: v.Owner.NamespacedName()}] = v.VLAN
	}
	for _, s := range spec.Segments {
		out[broadcastDomain{s.Owner.NamespacedName(), s.Subnet}] = s.VLAN
	}
	return out
}

// checkSpec: a switch can be configured so.
func checkSpec(t *rapid.T, in Inputs, sw *v1alpha1.Switch, out Result) {
	spec, ok := out.Specs[sw.Name]
	if !ok {
		t.Fatalf("%s has no spec", sw.Name)
	}
	ids, vnis, native := map[int32]bool{}, map[int32]bool{}, map[string]bool{}
	for d, id := range domains(spec) {
		if first, last := vlanIDs(); ids[id] || id < first || id > last {
			t.Fatalf("%s: VLAN %d of %s is used twice or outside the pool: %+v", sw.Name, id, d, spec)
		}
		ids[id] = true
		for _, member := range in.Switches {
			if GroupOf(member) == GroupOf(sw) && slices.Contains(member.Status.ForeignVLANs, id) {
				t.Fatalf("%s: VLAN %d of %s is somebody else's on %s", sw.Name, id, d, member.Name)
			}
		}
	}
	for _, v := range spec.VRFs {
		vnis[v.VNI] = true
	}
	for _, s := range spec.Segments {
		if !vnis[s.VRF] {
			t.Fatalf("%s: segment %+v is in a VRF that is not there", sw.Name, s)
		}
		if len(s.Ports) == 0 || len(s.Gateways) == 0 || spec.VTEP == "" {
			t.Fatalf("%s: segment %+v lacks ports, gateways or a VTEP", sw.Name, s)
		}
		for _, p := range s.Ports {
			if p.Mode == v1alpha1.ModeNative && native[p.Name] {
				t.Fatalf("%s: port %s has two native subnets", sw.Name, p.Name)
			}
			native[p.Name] = native[p.Name] || p.Mode == v1alpha1.ModeNative
		}
	}
}

// checkGroups: the switches of a group have the same VLAN ids.
func checkGroups(t *rapid.T, in Inputs, out Result) {
	type key struct {
		group string
		broadcastDomain
	}
	seen := map[key]int32{}
	for _, sw := range in.Switches {
		for d, id := range domains(out.Specs[sw.Name]) {
			k := key{GroupOf(sw), d}
			if other, ok := seen[k]; ok && other != id {
				t.Fatalf("%s is VLAN %d and VLAN %d in %s", d, id, other, k.group)
			}
			seen[k] = id
		}
	}
}

// checkSticky: a VPC's VLAN ids change only when somebody takes one of them by
// hand, or when switches with different ids become a group.
func checkSticky(t *rapid.T, in Inputs, out Result) {
	for _, g := range groups(in.Switches) {
		foreign := foreignVLANs(g)
		for _, sw := range g.switches {
			if in.Configs[sw.Name] == nil || disagree(in, g) {
				continue
			}
			now := domains(out.Specs[sw.Name])
			for d, was := range domains(in.Configs[sw.Name].Spec) {
				if is, ok := now[d]; ok && is != was && !taken(in, g, d.vpc, foreign) {
					t.Fatalf("%s: %s was VLAN %d and is VLAN %d for no reason", sw.Name, d, was, is)
				}
			}
		}
	}
}

// taken says whether somebody has taken a VLAN id of a VPC in a group.
func taken(in Inputs, g group, vpc types.NamespacedName, foreign map[int32]bool) bool {
	for _, sw := range g.switches {
		if config := in.Configs[sw.Name]; config != nil {
			for d, id := range domains(config.Spec) {
				if d.vpc == vpc && foreign[id] {
					return true
				}
			}
		}
	}
	return false
}

// disagree says whether the members of a group had ids that exclude each other.
func disagree(in Inputs, g group) bool {
	of, by := map[broadcastDomain]int32{}, map[int32]broadcastDomain{}
	for _, sw := range g.switches {
		if config := in.Configs[sw.Name]; config != nil {
			for d, id := range domains(config.Spec) {
				other, had := of[d]
				owner, taken := by[id]
				if had && other != id || taken && owner != d {
					return true
				}
				of[d], by[id] = id, d
			}
		}
	}
	return false
}

// checkProblems: an attachment has one problem or is in a spec, or keeps what it
// had, and then it says so; none has two. A used-up pool is used up.
func checkProblems(t *rapid.T, in Inputs, out Result) {
	placed := map[v1alpha1.ObjectReference]string{}
	for name, spec := range out.Specs {
		for _, s := range spec.Segments {
			for _, p := range s.Ports {
				if other, ok := placed[p.Owner]; ok {
					t.Fatalf("%s is on %s and on %s", p.Owner, other, name)
				}
				placed[p.Owner] = name
			}
		}
	}
	told := map[v1alpha1.ObjectReference]bool{}
	for _, p := range out.Problems {
		if told[p.Owner] {
			t.Fatalf("%s has two problems: %+v", p.Owner, out.Problems)
		}
		told[p.Owner] = true
		held := strings.HasSuffix(p.Message, "What was programmed before stays in force.")
		if _, ok := placed[p.Owner]; ok != held {
			t.Fatalf("%s is in a spec: %t; its problem says: %s", p.Owner, ok, p.Message)
		}
		if p.Reason == "VLANExhausted" && in.Pools != nil {
			checkExhausted(t, in, out, p.Owner)
		}
	}
}

// checkExhausted: there are too few ids for what the attachment needs.
func checkExhausted(t *rapid.T, in Inputs, out Result, owner v1alpha1.ObjectReference) {
	i := slices.IndexFunc(in.Attachments, func(a *v1alpha1.VPCAttachment) bool { return AttachmentRef(keyOf(a)) == owner })
	a := attachment{VPCAttachment: in.Attachments[i]}
	for _, g := range groups(in.Switches) {
		if !slices.ContainsFunc(g.switches, func(sw *v1alpha1.Switch) bool { return sw.Name == a.Spec.Port.Switch }) {
			continue
		}
		used := foreignVLANs(g)
		have := map[broadcastDomain]bool{}
		for _, sw := range g.switches {
			for d, id := range domains(out.Specs[sw.Name]) {
				used[id], have[d] = true, true
			}
		}
		need := 0
		for _, d := range []broadcastDomain{a.vrf(), a.segment()} {
			if !have[d] {
				need++
			}
		}
		if free := int(in.Pools.VLAN.Size()) - len(used); free >= need {
			t.Fatalf("%s gets no VLAN id, although it needs %d and %d are free in %s", owner, need, free, g.name)
		}
	}
}

// checkOrder: it does not matter in which order the objects are listed.
func checkOrder(t *rapid.T, in Inputs, out Result) {
	shuffled := in
	shuffled.Switches = rapid.Permutation(in.Switches).Draw(t, "order of switches")
	shuffled.Attachments = rapid.Permutation(in.Attachments).Draw(t, "order of attachments")
	if got := Build(shuffled); !cmp.Equal(out, got) {
		t.Fatalf("another order, another plan:\n%s", cmp.Diff(out, got))
	}
}

// checkAlone: a group planned alone is planned as among all.
func checkAlone(t *rapid.T, in Inputs, out Result) {
	for _, g := range groups(in.Switches) {
		alone := in
		alone.Switches = g.switches
		got := Build(alone)
		for _, sw := range g.switches {
			if !cmp.Equal(got.Specs[sw.Name], out.Specs[sw.Name]) {
				t.Fatalf("%s alone:\n%s", g.name, cmp.Diff(out.Specs[sw.Name], got.Specs[sw.Name]))
			}
		}
		for _, p := range got.Problems {
			if !slices.Contains(out.Problems, p) {
				t.Fatalf("%s alone has the problem %+v", g.name, p)
			}
		}
	}
}

// checkCondemned: what one switch has tried and taken back is given to no other
// that does not have it.
func checkCondemned(t *rapid.T, in Inputs, out Result) {
	for vpc, all := range in.Condemned {
		for name, spec := range out.Specs {
			have := v1alpha1.SwitchConfigSpec{}
			if config := in.Configs[name]; config != nil {
				have = config.Spec
			}
			for _, s := range spec.Segments {
				tried := func(c Condemned) bool {
					return c.Switch != name && (hasSegment(c.Tried, &s) && !hasSegment(&have, &s) || hasVRF(c.Tried, &s) && !hasVRF(&have, &s))
				}
				if s.Owner == VPCRef(vpc) && slices.ContainsFunc(all, tried) {
					t.Fatalf("%s is given %+v, which was taken back elsewhere; it had %+v", name, s, have)
				}
			}
		}
	}
}
