package sonic

// claim is something that rows share badly: two rows exclude each other when
// they claim the same thing for different uses, or for a use of their own.
type claim struct {
	thing string
	use   string
}

// exclusive is the use of a claim that excludes every other row.
const exclusive = ""

func (c claim) excludes(other claim) bool {
	return c.thing == other.thing && (c.use == exclusive || c.use != other.use)
}

// claims of a row: the must statements and max-elements of the YANG models,
// and what orchagent drops for good.
func claims(key Key, fields Fields) []claim {
	first, rest := key.split()
	switch key.Table {
	case TableVLANMember:
		claims := []claim{{"the port " + rest, "in VLANs"}}
		if fields.value(taggingMode) == "untagged" {
			claims = append(claims, claim{"the untagged VLAN of port " + rest, exclusive})
		}
		return claims
	case TableInterface, TablePortChannelInterface:
		return []claim{{"the port " + first, "routed"}}
	case TablePortChannelMember:
		return []claim{{"the port " + rest, "in a port channel"}}
	case TableMirrorSession:
		return []claim{{"the port " + fields.value("dst_port"), "a mirror destination"}}
	case TableTunnelMap:
		return []claim{{"the VNI of " + fields.value(fieldVLAN), exclusive}, {"VNI " + fields.value(fieldVNI) + " as a tunnel map", exclusive}}
	case TableNVO:
		return []claim{{"the one VXLAN_EVPN_NVO of a switch", exclusive}}
	case TableVRF:
		if vni := fields.value(fieldVNI); vni != "" && vni != "0" {
			return []claim{{"VNI " + vni + " as a VRF", exclusive}}
		}
	case TableLoopback:
		if address, ok := loopbackAddress(key); ok {
			return []claim{{"the address " + address, exclusive}}
		}
	}
	return nil
}

// claimants are the rows by what they claim.
type claimants map[string][]Key

func (c claimants) add(key Key, fields Fields) {
	for _, claim := range claims(key, fields) {
		c[claim.thing] = append(c[claim.thing], key)
	}
}
