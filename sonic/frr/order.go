package frr

// phase is the place of a command in the order. A tenant's instance first stops
// advertising; bgpd lets it go once its L3 VNI is gone, and the instance of the
// underlay once those of the tenants are. Route maps and prefix lists are there
// before their first user and until after their last.
type phase int

const (
	_ phase = iota
	stripInstance
	dropVNI
	dropInstance
	dropInUnderlay
	dropUnderlay
	dropProtocol
	makePrefixList
	makeRouteMap
	makeProtocol
	makeUnderlay
	makeVNI
	makeInstance
	dropRouteMap
	dropPrefixList
)

// making is when statements of a kind are made.
func making(k kind) phase {
	switch k {
	case kindPrefixList:
		return makePrefixList
	case kindRouteMap:
		return makeRouteMap
	case kindProtocol:
		return makeProtocol
	case kindVRF:
		return makeVNI
	case kindBGPVRF:
		return makeInstance
	default:
		return makeUnderlay
	}
}

// dropping is when a statement is taken back for good.
func (p place) dropping(line string) phase {
	k := p.kindOf(line)
	if len(p.context) > 0 {
		switch k {
		case kindVRF:
			return dropVNI
		case kindBGP:
			return dropInUnderlay
		default:
			return making(k)
		}
	}
	switch k {
	case kindBGP:
		return dropUnderlay
	case kindBGPVRF:
		return dropInstance
	case kindProtocol:
		return dropProtocol
	case kindRouteMap:
		return dropRouteMap
	default:
		return dropPrefixList
	}
}

// replacing is when a statement is taken back for another one in its slot: a
// neighbour before its group, an L3 VNI before another VRF gets it, an instance
// before the one with another ASN; the others just before.
func (p place) replacing(line string) phase {
	switch k := p.kindOf(line); {
	case makes(line), k == kindVRF, len(p.context) == 0 && (k == kindBGP || k == kindBGPVRF):
		return p.dropping(line)
	default:
		return making(k)
	}
}
