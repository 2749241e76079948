package plan

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"pgregory.net/rapid"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

// TestPeeringsKeepTheirPromises is TestBuildKeepsItsPromises with four VPCs that are
// there and attached from the start, and with little else than peerings that change.
func TestPeeringsKeepTheirPromises(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		for _, name := range fourVPCs() {
			w.vpcs[name] = webAndDB(name)
		}
		for range 8 {
			w.attach(t)
		}
		for range rapid.IntRange(2, 12).Draw(t, "changes") {
			rapid.SampledFrom(w.peeringChanges()).Draw(t, "change").make(t)
			in := w.inputs()
			out := Build(in)
			for _, sw := range in.Switches {
				checkSpec(t, in, sw, out)
			}
			checkGroups(t, in, out)
			checkSticky(t, in, out)
			checkPeerings(t, in, out)
			for name, spec := range out.Specs {
				w.write(name, spec, in.Configs[name])
			}
		}
	})
}

func (w *world) peeringChanges() []change {
	return []change{
		{"peer", w.peer}, {"peer", w.peerBoth}, {"peer", w.peerBoth}, {"peer", w.peerBoth}, {"peer", w.peerBoth}, {"end a peering", w.unpeer},
		{"create or change a VPC", w.setVPC}, {"attach", w.attach}, {"attach", w.attach}, {"detach", w.detach},
		{"take back what a switch has of a VPC", w.condemn},
		{"delete or create the Fabric", func(*rapid.T) { w.fabric = !w.fabric }},
		{"allow fewer peerings", func(t *rapid.T) { w.maxPeerings = new(rapid.Int32Range(0, 2).Draw(t, "peerings")) }},
	}
}

func fourVPCs() []types.NamespacedName {
	var out []types.NamespacedName
	for _, namespace := range []string{"tenant-a", "tenant-b"} {
		for _, name := range []string{"blue", "red"} {
			out = append(out, types.NamespacedName{Namespace: namespace, Name: name})
		}
	}
	return out
}

// peer has one VPC consent to another one.
func (w *world) peer(t *rapid.T) {
	w.consent(t, drawVPC(t), drawVPC(t))
}

func (w *world) peerBoth(t *rapid.T) {
	a, b := drawVPC(t), drawVPC(t)
	w.consent(t, a, b)
	w.consent(t, b, a)
}

func (w *world) consent(t *rapid.T, vpc, peer types.NamespacedName) {
	w.made++
	p := &v1alpha1.VPCPeering{ObjectMeta: metav1.ObjectMeta{
		Namespace: vpc.Namespace, Name: fmt.Sprintf("p%d", w.made), CreationTimestamp: metav1.NewTime(time.Unix(int64(w.made/2), 0)),
	}}
	p.Spec = v1alpha1.VPCPeeringSpec{VPC: vpc.Name, Peer: v1alpha1.VPCReference{Namespace: peer.Namespace, Name: peer.Name}}
	p.Spec.Subnets = rapid.SampledFrom([][]string{nil, nil, {"web"}, {"web", "db"}, {"log"}}).Draw(t, "subnets")
	w.peerings = append(w.peerings, p)
}

func (w *world) unpeer(t *rapid.T) {
	if n := len(w.peerings); n > 0 {
		i := rapid.IntRange(0, n-1).Draw(t, "peering")
		w.peerings = slices.Delete(slices.Clone(w.peerings), i, i+1)
	}
}

func (w *world) peers(classes map[string]*v1alpha1.VPCClass) Peers {
	out := Peers{VPCs: w.vpcs, Classes: classes, HaveFabric: w.fabric, Peerings: map[types.NamespacedName][]*v1alpha1.VPCPeering{}}
	for _, p := range w.peerings {
		out.Peerings[ConsentingVPC(p)] = append(out.Peerings[ConsentingVPC(p)], p)
	}
	return out
}

// all are the peerings, in order of their names.
func (in Peers) all() []*v1alpha1.VPCPeering {
	var out []*v1alpha1.VPCPeering
	for _, list := range in.Peerings {
		out = append(out, list...)
	}
	slices.SortFunc(out, olderPeering)
	return out
}

// checkPeerings: a switch takes routes over only between VPCs of which both want it, and
// only of what is shown; it does so wherever it has to; and nothing that a VRF reaches
// is there twice.
func checkPeerings(t *rapid.T, in Inputs, out Result) {
	for _, sw := range in.Switches {
		spec := out.Specs[sw.Name]
		used := map[int32]bool{}
		for _, s := range spec.Segments {
			used[s.VRF] = true
		}
		for _, v := range spec.VRFs {
			for _, i := range v.Imports {
				used[i.VRF] = true
				checkImport(t, in, sw.Name, spec, v, i)
			}
			checkApart(t, in, sw.Name, v)
		}
		for _, v := range spec.VRFs {
			if !used[v.VNI] {
				t.Fatalf("%s: nobody needs VRF %d: %+v", sw.Name, v.VNI, spec)
			}
		}
		checkComplete(t, in, out, sw.Name)
	}
	checkSymmetric(t, in)
	checkHarmless(t, in, out)
}

// checkImport looks for both sides in the objects themselves.
func checkImport(t *rapid.T, in Inputs, sw string, spec v1alpha1.SwitchConfigSpec, v v1alpha1.VRFConfig, i v1alpha1.VRFImport) {
	k := slices.IndexFunc(spec.VRFs, func(o v1alpha1.VRFConfig) bool { return o.VNI == i.VRF })
	if k < 0 {
		t.Fatalf("%s: VRF %d is not there: %+v", sw, i.VRF, spec)
	}
	vpc, peer := v.Owner.NamespacedName(), spec.VRFs[k].Owner.NamespacedName()
	wants := func(a, b types.NamespacedName) bool {
		return slices.ContainsFunc(in.Peers.all(), func(p *v1alpha1.VPCPeering) bool { return ConsentingVPC(p) == a && PeerVPC(p) == b })
	}
	if vpc == peer || !wants(vpc, peer) || !wants(peer, vpc) {
		t.Fatalf("%s: %s takes over from %s, which not both want", sw, vpc, peer)
	}
	if CheckVPC(in.VPCs[peer], in.Classes[in.VPCs[peer].Spec.Class], in.Pools != nil) != nil || CheckVPC(in.VPCs[vpc], in.Classes[in.VPCs[vpc].Spec.Class], in.Pools != nil) != nil {
		return // what was shown before stays
	}
	for _, text := range i.Prefixes {
		shown := slices.ContainsFunc(in.VPCs[peer].Spec.Subnets, func(s v1alpha1.Subnet) bool {
			return !s.Isolated && slices.Contains(s.CIDRs, text) && slices.ContainsFunc(in.Peers.all(), func(p *v1alpha1.VPCPeering) bool {
				return ConsentingVPC(p) == peer && PeerVPC(p) == vpc && (len(p.Spec.Subnets) == 0 || slices.Contains(p.Spec.Subnets, s.Name))
			})
		})
		if !shown {
			t.Fatalf("%s: %s takes over %s of %s, which does not show it", sw, vpc, text, peer)
		}
	}
}

// checkApart: what a VRF takes over is nowhere twice.
func checkApart(t *rapid.T, in Inputs, sw string, v v1alpha1.VRFConfig) {
	vpc := in.VPCs[v.Owner.NamespacedName()]
	var all []netip.Prefix
	for _, i := range v.Imports {
		for _, text := range i.Prefixes {
			all = append(all, netip.MustParsePrefix(text))
		}
	}
	if vpc == nil || len(all) == 0 || CheckVPC(vpc, in.Classes[vpc.Spec.Class], in.Pools != nil) != nil {
		return
	}
	for _, i := range v.Imports {
		if o := in.VPCs[peerOf(in, i)]; o == nil || CheckVPC(o, in.Classes[o.Spec.Class], in.Pools != nil) != nil {
			return // what was there before stays
		}
	}
	for _, n := range routed(vpc) {
		all = append(all, n.prefix)
	}
	for i := range all {
		for k := range i {
			if all[i].Overlaps(all[k]) {
				t.Fatalf("%s: VRF %d has both %s and %s", sw, v.VNI, all[i], all[k])
			}
		}
	}
}

// peerOf is the VPC that something is taken over from.
func peerOf(in Inputs, i v1alpha1.VRFImport) types.NamespacedName {
	for _, p := range in.Peers.all() {
		if PeeringRef(p) == i.Owner {
			return PeerVPC(p)
		}
	}
	return types.NamespacedName{}
}

// checkComplete: where a subnet is that a peering in force shows, its routes are taken
// over, or a problem says why not.
func checkComplete(t *rapid.T, in Inputs, out Result, sw string) {
	spec := out.Specs[sw]
	for _, s := range spec.Segments {
		for _, p := range in.Peers.Of(s.Owner.NamespacedName()) {
			if !p.InForce() || !p.shows(in.VPCs[p.vpc()], s.Subnet) || len(s.Gateways) == 0 || in.Identifiers.VNI(p.peer(), "") == 0 || in.Identifiers.VNI(p.vpc(), s.Subnet) == 0 {
				continue
			}
			ref := PeeringRef(p.VPCPeering)
			there := slices.ContainsFunc(spec.VRFs, func(v v1alpha1.VRFConfig) bool {
				return v.VNI == s.VRF && slices.ContainsFunc(v.Imports, func(i v1alpha1.VRFImport) bool { return i.Owner == ref })
			})
			told := slices.ContainsFunc(out.Problems, func(o Problem) bool { return o.Switch == sw && o.Owner == ref })
			if there == told {
				t.Fatalf("%s: %s: there is %v, told %v: %+v", sw, ref, there, told, spec)
			}
		}
	}
}

// checkSymmetric: a peering is in force for both sides or for none.
func checkSymmetric(t *rapid.T, in Inputs) {
	for _, p := range in.Peers.all() {
		judged, mirror := in.Peers.Judge(p), in.Peers.mirror(p)
		if mirror == nil || in.Peers.duplicate(p) != nil {
			if judged.InForce() || judged.Held {
				t.Fatalf("%s is in force alone", PeeringRef(p))
			}
			continue
		}
		other := in.Peers.Judge(mirror)
		if judged.InForce() != other.InForce() || judged.Held != other.Held || judged.InForce() && !slices.Equal(judged.Shown, other.PeerShown) {
			t.Fatalf("%s is %+v, %s is %+v", PeeringRef(p), judged, PeeringRef(mirror), other)
		}
	}
}

// checkHarmless: a peering that only one side wants changes nothing.
func checkHarmless(t *rapid.T, in Inputs, out Result) {
	without := in
	without.Peers.Peerings = map[types.NamespacedName][]*v1alpha1.VPCPeering{}
	n := 0
	for _, p := range in.Peers.all() {
		if in.Peers.mirror(p) == nil || in.Peers.duplicate(p) != nil || PeerVPC(p) == ConsentingVPC(p) {
			n++
			continue
		}
		without.Peers.Peerings[ConsentingVPC(p)] = append(without.Peers.Peerings[ConsentingVPC(p)], p)
	}
	if n == 0 || in.Classes["default"].Spec.Limits.MaxPeerings != nil { // which counts them, too
		return
	}
	if got := Build(without); !cmp.Equal(got.Specs, out.Specs) {
		t.Fatalf("%d peerings that nobody answers change something:\n%s", n, cmp.Diff(got.Specs, out.Specs))
	}
}
