package alloc

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

// Pools are the pools of a Fabric, ready to be picked from. ASN is empty when the
// Fabric has none: switches have the ASNs then that their specs say.
type Pools struct {
	VNI, VLAN, VTEP, ASN Pool
}

// NewPools reads the pools of a Fabric. The error names the field.
func NewPools(spec v1alpha1.Pools) (Pools, error) {
	var p Pools
	var err error
	if p.VNI, err = NewPool(vniRanges(spec.VNI.Ranges), vniRanges(spec.VNI.Reserved)); err != nil {
		return Pools{}, fmt.Errorf("spec.pools.vni: %w", err)
	}
	if p.VLAN, err = NewPool(vlanRanges(spec.VLAN.Ranges), vlanRanges(spec.VLAN.Reserved)); err != nil {
		return Pools{}, fmt.Errorf("spec.pools.vlan: %w", err)
	}
	vteps, err := addressRanges(spec.VTEP.CIDRs)
	if err != nil {
		return Pools{}, fmt.Errorf("spec.pools.vtep: %w", err)
	}
	if p.VTEP, err = NewPool(vteps, nil); err != nil {
		return Pools{}, fmt.Errorf("spec.pools.vtep: %w", err)
	}
	if spec.ASN == nil {
		return p, nil
	}
	if p.ASN, err = NewPool(asnRanges(spec.ASN.Ranges), asnRanges(spec.ASN.Reserved)); err != nil {
		return Pools{}, fmt.Errorf("spec.pools.asn: %w", err)
	}
	return p, nil
}

func vniRanges(in []v1alpha1.VNIRange) []Range {
	out := make([]Range, len(in))
	for i, r := range in {
		out[i] = Range{uint32(r.First), uint32(r.Last)}
	}
	return out
}

func vlanRanges(in []v1alpha1.VLANRange) []Range {
	out := make([]Range, len(in))
	for i, r := range in {
		out[i] = Range{uint32(r.First), uint32(r.Last)}
	}
	return out
}

func asnRanges(in []v1alpha1.ASNRange) []Range {
	out := make([]Range, len(in))
	for i, r := range in {
		out[i] = Range{uint32(r.First), uint32(r.Last)}
	}
	return out
}

// addressRanges turns IPv4 networks into ranges of their host addresses.
func addressRanges(cidrs []string) ([]Range, error) {
	out := make([]Range, 0, len(cidrs))
	var seen []netip.Prefix
	for _, c := range cidrs {
		prefix, err := netip.ParsePrefix(c)
		if err != nil || !prefix.Addr().Is4() {
			return nil, fmt.Errorf("%q is not an IPv4 network such as 10.255.0.0/24", c)
		}
		if i := slices.IndexFunc(seen, prefix.Overlaps); i >= 0 {
			return nil, fmt.Errorf("%s and %s overlap", seen[i], prefix)
		}
		seen = append(seen, prefix)
		first := addressValue(prefix.Masked().Addr())
		last := first | uint32(1<<(32-prefix.Bits())-1)
		if prefix.Bits() < 31 { // RFC 3021: a /31 has no network and no broadcast address
			first, last = first+1, last-1
		}
		out = append(out, Range{first, last})
	}
	return out, nil
}

// Of is the pool that an Allocation's value is from.
func (p Pools) Of(name v1alpha1.PoolName) Pool {
	switch name {
	case v1alpha1.PoolVTEP:
		return p.VTEP
	case v1alpha1.PoolASN:
		return p.ASN
	default:
		return p.VNI
	}
}

// Value reads an Allocation's value as a pool counts it.
func Value(pool v1alpha1.PoolName, text string) (uint32, error) {
	switch pool {
	case v1alpha1.PoolVTEP:
		a, err := netip.ParseAddr(text)
		if err != nil || !a.Is4() {
			return 0, fmt.Errorf("%q is not an IPv4 address", text)
		}
		return addressValue(a), nil
	case v1alpha1.PoolASN:
		v, err := strconv.ParseUint(text, 10, 32)
		if err != nil || v == 0 {
			return 0, fmt.Errorf("%q is not an ASN from 1 to 4294967295", text)
		}
		return uint32(v), nil
	default:
		v, err := strconv.ParseUint(text, 10, 24)
		if err != nil || v == 0 {
			return 0, fmt.Errorf("%q is not a VNI from 1 to 16777215", text)
		}
		return uint32(v), nil
	}
}

// Text writes a value of a pool as an Allocation has it.
func Text(pool v1alpha1.PoolName, value uint32) string {
	if pool == v1alpha1.PoolVTEP {
		return netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, value))).String()
	}
	return strconv.FormatUint(uint64(value), 10)
}

// Name is the name of the Allocation of a value: by it the API server keeps the
// value unique.
func Name(pool v1alpha1.PoolName, text string) string {
	return strings.ToLower(string(pool)) + "-" + text
}

func addressValue(a netip.Addr) uint32 {
	b := a.As4()
	return binary.BigEndian.Uint32(b[:])
}
