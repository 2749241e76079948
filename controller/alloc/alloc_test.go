package alloc

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

func TestPool(t *testing.T) {
	for _, c := range []struct {
		name             string
		ranges, reserved []Range
		size             uint64
		has, hasNot      []uint32
		err              string
	}{
		{name: "one range", ranges: []Range{{10, 19}}, size: 10, has: []uint32{10, 19}, hasNot: []uint32{9, 20}},
		{name: "one value", ranges: []Range{{7, 7}}, size: 1, has: []uint32{7}, hasNot: []uint32{6, 8}},
		{name: "ranges out of order", ranges: []Range{{20, 29}, {10, 19}}, size: 20, has: []uint32{10, 20, 29}},
		{name: "reserved in the middle", ranges: []Range{{10, 19}}, reserved: []Range{{12, 13}}, size: 8, has: []uint32{11, 14}, hasNot: []uint32{12, 13}},
		{name: "reserved at the ends", ranges: []Range{{10, 19}}, reserved: []Range{{1, 10}, {19, 99}}, size: 8, has: []uint32{11, 18}, hasNot: []uint32{10, 19}},
		{name: "reserved twice", ranges: []Range{{10, 19}}, reserved: []Range{{12, 14}, {13, 16}}, size: 5, hasNot: []uint32{12, 14, 16}},
		{name: "reserved across ranges", ranges: []Range{{10, 19}, {30, 39}}, reserved: []Range{{15, 34}}, size: 10, has: []uint32{14, 35}, hasNot: []uint32{15, 34}},
		{name: "reserved elsewhere", ranges: []Range{{10, 19}}, reserved: []Range{{1, 9}, {20, 99}}, size: 10},
		{name: "every value there is", ranges: []Range{{0, math.MaxUint32}}, size: 1 << 32, has: []uint32{0, math.MaxUint32}},
		{name: "all reserved", ranges: []Range{{10, 19}}, reserved: []Range{{10, 19}}, err: ErrEmptyPool.Error()},
		{name: "no range", err: ErrEmptyPool.Error()},
		{name: "overlap", ranges: []Range{{10, 19}, {19, 29}}, err: "ranges 10-19 and 19-29 overlap"},
		{name: "the same twice", ranges: []Range{{10, 19}, {10, 19}}, err: "ranges 10-19 and 10-19 overlap"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := NewPool(c.ranges, c.reserved)
			if c.err != "" {
				if err == nil || err.Error() != c.err {
					t.Fatalf("error = %v, want %s", err, c.err)
				}
				return
			}
			if err != nil || p.Size() != c.size {
				t.Fatalf("size = %d, error = %v, want %d", p.Size(), err, c.size)
			}
			for _, v := range c.has {
				if !p.Contains(v) {
					t.Errorf("it lacks %d", v)
				}
			}
			for _, v := range c.hasNot {
				if p.Contains(v) {
					t.Errorf("it contains %d", v)
				}
			}
		})
	}
}

// The addresses of a network that a switch can have (RFC 3021 for the /31).
func TestVTEPPool(t *testing.T) {
	for cidr, want := range map[string]string{
		"10.255.0.0/30": "10.255.0.1 10.255.0.2",
		"10.255.0.0/31": "10.255.0.0 10.255.0.1",
		"10.255.0.7/32": "10.255.0.7",
		"10.0.0.0/29":   "10.0.0.1 10.0.0.2 10.0.0.3 10.0.0.4 10.0.0.5 10.0.0.6",
	} {
		pools, err := NewPools(somePools(cidr))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for i := range pools.VTEP.Size() {
			got = append(got, Text(v1alpha1.PoolVTEP, pools.VTEP.at(i)))
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s has %s, want %s", cidr, got, want)
		}
	}
}

func somePools(vtep ...string) v1alpha1.Pools {
	return v1alpha1.Pools{
		VNI:  v1alpha1.VNIPool{Ranges: []v1alpha1.VNIRange{{First: 10000, Last: 10009}}, Reserved: []v1alpha1.VNIRange{{First: 10009, Last: 10009}}},
		VLAN: v1alpha1.VLANPool{Ranges: []v1alpha1.VLANRange{{First: 100, Last: 199}}},
		VTEP: v1alpha1.VTEPPool{CIDRs: vtep},
	}
}

func TestPoolsNameTheField(t *testing.T) {
	for _, c := range []struct {
		change func(*v1alpha1.Pools)
		want   string
	}{
		{func(p *v1alpha1.Pools) { p.VNI.Reserved = []v1alpha1.VNIRange{{First: 1, Last: 20000}} }, "spec.pools.vni: no value is left"},
		{func(p *v1alpha1.Pools) {
			p.VLAN.Ranges = []v1alpha1.VLANRange{{First: 2, Last: 9}, {First: 5, Last: 6}}
		}, "spec.pools.vlan: ranges 2-9 and 5-6 overlap"},
		{func(p *v1alpha1.Pools) { p.VTEP.CIDRs = []string{"10.0.0.0/24", "10.0.0.128/25"} }, "spec.pools.vtep: 10.0.0.0/24 and 10.0.0.128/25 overlap"},
		{func(p *v1alpha1.Pools) { p.VTEP.CIDRs = []string{"fd00::/64"} }, `spec.pools.vtep: "fd00::/64" is not an IPv4 network`},
		{func(p *v1alpha1.Pools) {
			p.ASN = &v1alpha1.ASNPool{Ranges: []v1alpha1.ASNRange{{First: 65000, Last: 65010}}, Reserved: []v1alpha1.ASNRange{{First: 1, Last: 4294967295}}}
		}, "spec.pools.asn: no value is left"},
	} {
		pools := somePools("10.255.0.0/24")
		c.change(&pools)
		if _, err := NewPools(pools); err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("error = %v, want %s…", err, c.want)
		}
	}
}

func TestValues(t *testing.T) {
	for _, c := range []struct {
		pool v1alpha1.PoolName
		text string
		ok   bool
	}{
		{v1alpha1.PoolVNI, "1", true}, {v1alpha1.PoolVNI, "16777215", true},
		{v1alpha1.PoolVNI, "0", false}, {v1alpha1.PoolVNI, "16777216", false}, {v1alpha1.PoolVNI, "-1", false}, {v1alpha1.PoolVNI, "", false},
		{v1alpha1.PoolVTEP, "10.255.0.1", true}, {v1alpha1.PoolVTEP, "fd00::1", false}, {v1alpha1.PoolVTEP, "10", false},
		{v1alpha1.PoolASN, "1", true}, {v1alpha1.PoolASN, "4294967295", true}, {v1alpha1.PoolASN, "4294967296", false}, {v1alpha1.PoolASN, "0", false},
	} {
		v, err := Value(c.pool, c.text)
		if (err == nil) != c.ok {
			t.Errorf("Value(%s, %q) = %d, %v", c.pool, c.text, v, err)
		}
		if err == nil && Text(c.pool, v) != c.text {
			t.Errorf("Text(%s, %d) = %s, want %s", c.pool, v, Text(c.pool, v), c.text)
		}
	}
	if got := Name(v1alpha1.PoolVTEP, "10.255.0.1"); got != "vtep-10.255.0.1" {
		t.Errorf("Name = %s", got)
	}
}

// Whatever the pool and whatever is taken, Pick finds a value if there is one,
// and the same one each time.
func TestPick(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		bounds := slices.Sorted(slices.Values(rapid.SliceOfNDistinct(rapid.Uint32Range(0, 60), 2, 8, rapid.ID).Draw(t, "bounds")))
		var ranges, reserved []Range
		for i := 0; i+1 < len(bounds); i += 2 {
			ranges = append(ranges, Range{bounds[i], bounds[i+1]})
		}
		for range rapid.IntRange(0, 2).Draw(t, "reserved ranges") {
			first := rapid.Uint32Range(0, 60).Draw(t, "first")
			reserved = append(reserved, Range{first, first + rapid.Uint32Range(0, 5).Draw(t, "length")})
		}
		p, err := NewPool(ranges, reserved)
		if errors.Is(err, ErrEmptyPool) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
		var all []uint32
		for v := range uint32(70) {
			if p.Contains(v) {
				all = append(all, v)
			}
		}
		if uint64(len(all)) != p.Size() {
			t.Fatalf("it contains %d values and says %d", len(all), p.Size())
		}
		taken := map[uint32]bool{}
		for i := range len(all) {
			holder := fmt.Sprintf("VPC tenant-a/v%d", i)
			isTaken := func(v uint32) bool { return taken[v] }
			v, ok := p.Pick(holder, isTaken)
			if again, _ := p.Pick(holder, isTaken); !ok || again != v || taken[v] || !p.Contains(v) {
				t.Fatalf("Pick %d of %d: %d, %t, then %d", i+1, len(all), v, ok, again)
			}
			taken[v] = true
		}
		if v, ok := p.Pick("one more", func(v uint32) bool { return taken[v] }); ok {
			t.Fatalf("all are taken, and Pick found %d", v)
		}
	})
}

func TestPickFromTheEmptyPool(t *testing.T) {
	if v, ok := (Pool{}).Pick("anybody", func(uint32) bool { return false }); ok {
		t.Errorf("it gave out %d", v)
	}
}

func TestJudge(t *testing.T) {
	at := func(second int64) func(*v1alpha1.Allocation) {
		return func(a *v1alpha1.Allocation) { a.CreationTimestamp = metav1.NewTime(time.Unix(second, 0)) }
	}
	phase := func(p v1alpha1.AllocationPhase) func(*v1alpha1.Allocation) {
		return func(a *v1alpha1.Allocation) { a.Status.Phase = p }
	}
	chosen := func(a *v1alpha1.Allocation) {
		a.Labels = map[string]string{v1alpha1.LabelManagedBy: v1alpha1.ManagedByController}
	}
	leaving := func(a *v1alpha1.Allocation) { a.DeletionTimestamp = &metav1.Time{Time: time.Unix(99, 0)} }
	pools, err := NewPools(somePools("10.255.0.0/24"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		me     *v1alpha1.Allocation
		others []*v1alpha1.Allocation
		pools  *Pools
		pinned string
		reason string
		words  []string
	}{
		{"in the pool", vni("10000", at(1)), nil, &pools, "", "Accepted", []string{"VNI 10000 belongs to VPC tenant-a/blue"}},
		{"outside", vni("20000", at(1)), nil, &pools, "", "OutsidePool", []string{"spec.value: 20000", "spec.pools.vni", "extend the pool"}},
		{"reserved", vni("10009", at(1)), nil, &pools, "", "OutsidePool", []string{"10009", "reserves it"}},
		{"no Fabric", vni("10000", at(1)), nil, nil, "", "PoolUnknown", []string{`Fabric "default"`, "10000", "Create it"}},
		{"bound before the Fabric went", vni("10000", phase(v1alpha1.AllocationBound)), nil, nil, "", "Accepted", nil},
		{"bound before the pool shrank", vni("20000", phase(v1alpha1.AllocationBound)), nil, &pools, "", "Accepted", nil},
		{"in quarantine before the pool shrank", vni("20000", phase(v1alpha1.AllocationQuarantined)), nil, &pools, "", "Accepted", nil},
		{"rejected before the pool grew", vni("10000", phase(v1alpha1.AllocationRejected)), nil, &pools, "", "Accepted", nil},
		{"the older one", vni("10001", at(1)), list(vni("10000", at(2))), &pools, "", "Accepted", nil},
		{"the younger one", vni("10001", at(2)), list(vni("10000", at(1))), &pools, "", "HolderHasAnother",
			[]string{"VPC tenant-a/blue already holds VNI 10000 (Allocation vni-10000)", "delete Allocation vni-10000"}},
		{"of one second, by name", vni("10001", at(1)), list(vni("10000", at(1))), &pools, "", "HolderHasAnother", nil},
		{"older, but another one is bound", vni("10001", at(1)), list(vni("10000", at(2), phase(v1alpha1.AllocationBound))), &pools, "", "HolderHasAnother", nil},
		{"younger, but the other one is outside", vni("10001", at(2)), list(vni("20000", at(1))), &pools, "", "Accepted", nil},
		{"younger, but the other one is leaving", vni("10001", at(2)), list(vni("10000", at(1), leaving, phase(v1alpha1.AllocationBound))), &pools, "", "Accepted", nil},
		{"leaving, and there is no other yet", vni("10000", leaving, phase(v1alpha1.AllocationBound)), nil, &pools, "", "Accepted", nil},
		{"pinned, outside the pool", vni("20000", at(2)), list(vni("10000", at(1), phase(v1alpha1.AllocationBound))), &pools, "20000", "Accepted", nil},
		{"another one is pinned", vni("10000", at(1), phase(v1alpha1.AllocationBound)), list(vni("20000", at(2))), &pools, "20000", "HolderHasAnother",
			[]string{"VNI 20000, which its spec says", "Allocation vni-20000"}},
		{"the pinned one is not there yet", vni("10000", at(1), phase(v1alpha1.AllocationBound)), nil, &pools, "20000", "Accepted", nil},
		{"asked for before the controller chose another", vni("10001", at(1)), list(vni("10000", at(1), chosen, phase(v1alpha1.AllocationBound))), &pools, "", "Accepted", nil},
		{"the one that the controller chose although another was asked for", vni("10000", at(2), chosen, phase(v1alpha1.AllocationBound)), list(vni("10001", at(1), phase(v1alpha1.AllocationBound))), &pools, "", "HolderHasAnother", nil},
		{"asked for after the controller had chosen", vni("10001", at(3)), list(vni("10000", at(2), chosen, phase(v1alpha1.AllocationBound))), &pools, "", "HolderHasAnother", nil},
		{"asked for before, and rejected since", vni("10001", at(1), phase(v1alpha1.AllocationRejected)), list(vni("10000", at(2), chosen, phase(v1alpha1.AllocationBound))), &pools, "", "HolderHasAnother", nil},
		{"asked for before, outside the pool", vni("20000", at(1)), list(vni("10000", at(2), chosen, phase(v1alpha1.AllocationBound))), &pools, "", "OutsidePool", nil},
		{"pinned without a Fabric", vni("20000", at(1)), nil, nil, "20000", "Accepted", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, siblings := range [][]*v1alpha1.Allocation{append(list(c.me), c.others...), append(slices.Clone(c.others), c.me)} {
				v := Judge(c.me, siblings, c.pools, c.pinned)
				if v.Reason != c.reason || v.Accepted != (c.reason == "Accepted") {
					t.Fatalf("verdict %+v, want %s", v, c.reason)
				}
				for _, w := range c.words {
					if !strings.Contains(v.Message, w) {
						t.Errorf("%q says nothing of %q", v.Message, w)
					}
				}
			}
		})
	}
}

func list(a ...*v1alpha1.Allocation) []*v1alpha1.Allocation { return a }

// vni is an Allocation of a VNI for VPC tenant-a/blue.
func vni(value string, set ...func(*v1alpha1.Allocation)) *v1alpha1.Allocation {
	a := &v1alpha1.Allocation{
		ObjectMeta: metav1.ObjectMeta{Name: "vni-" + value},
		Spec: v1alpha1.AllocationSpec{Pool: v1alpha1.PoolVNI, Value: value, Holder: v1alpha1.Holder{
			ObjectReference: v1alpha1.ObjectReference{Kind: v1alpha1.KindVPC, Namespace: "tenant-a", Name: "blue"},
		}},
	}
	for _, f := range set {
		f(a)
	}
	return a
}
