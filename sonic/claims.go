package sonic

// claim is something that rows share badly: two rows exclude each other when
// they claim the same thing for different uses, or for a use of their own.
type claim struct {
	thing thing
	use   string
}

// thing is what a row claims: a kind of thing and its name.
type thing struct{ kind, name string }

// String is the thing in a message.
func (t thing) String() string {
	switch t.kind {
	case vniOfVLAN:
		return "the VNI of " + t.name
	case vniAsMap:
		return "VNI " + t.name + " as a tunnel map"
	case vniAsVRF:
		return "VNI " + t.name + " as a VRF"
	}
	return t.kind + t.name
}

// The kinds of things, and the uses of a port.
const (
	port         = "the port "
	untaggedVLAN = "the untagged VLAN of port "
	theNVO       = "the one VXLAN_EVPN_NVO of a switch"
	address      = "the address "
	vniOfVLAN    = "vni-of-vlan"
	vniAsMap     = "vni-as-map"
	vniAsVRF     = "vni-as-vrf"

	inVLANs           = "in VLANs"
	routed            = "routed"
	inPortChannel     = "in a port channel"
	mirrorDestination = "a mirror destination"
)

// exclusive is the use of a claim that excludes every other row.
const exclusive = ""

func (c claim) excludes(other claim) bool {
	return c.thing == other.thing && (c.use == exclusive || c.use != other.use)
}

// appendClaims appends the claims of a row: the must statements and
// max-elements of the YANG models, and what orchagent drops for good.
func appendClaims(list []claim, key Key, fields Fields) []claim {
	first, rest := key.split()
	switch key.Table {
	case TableVLANMember:
		list = append(list, claim{thing{port, rest}, inVLANs})
		if fields.value(taggingMode) == "untagged" {
			list = append(list, claim{thing{untaggedVLAN, rest}, exclusive})
		}
	case TableInterface, TablePortChannelInterface:
		list = append(list, claim{thing{port, first}, routed})
	case TablePortChannelMember:
		list = append(list, claim{thing{port, rest}, inPortChannel})
	case TableMirrorSession:
		list = append(list, claim{thing{port, fields.value("dst_port")}, mirrorDestination})
	case TableTunnelMap:
		list = append(list, claim{thing{vniOfVLAN, fields.value(fieldVLAN)}, exclusive}, claim{thing{vniAsMap, fields.value(fieldVNI)}, exclusive})
	case TableNVO:
		list = append(list, claim{thing{kind: theNVO}, exclusive})
	case TableVRF:
		if vni := fields.value(fieldVNI); vni != "" && vni != "0" {
			list = append(list, claim{thing{vniAsVRF, vni}, exclusive})
		}
	case TableLoopback:
		if a, ok := loopbackAddress(key); ok {
			list = append(list, claim{thing{address, a}, exclusive})
		}
	}
	return list
}

// claimants are the rows by what they claim, in rising order.
type claimants map[thing][]int32

func newClaimants(s *side, n *numbering) claimants {
	c := claimants{}
	var buffer [2]claim
	for i, key := range n.keys {
		if !s.there[i] {
			continue
		}
		for _, claim := range appendClaims(buffer[:0], key, s.fields[i]) {
			c[claim.thing] = append(c[claim.thing], int32(i))
		}
	}
	return c
}
