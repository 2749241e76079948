package frr

// phase is the place of a command in the order. What one VRF takes over from another
// goes before all else, so that nobody reaches another tenant any longer than has to
// be; it comes last, when both VRFs are there. A tenant's instance first stops
// advertising; bgpd lets it go once its L3 VNI is gone, and the instance of the
// underlay once those of the tenants are. Route maps and prefix lists are there
// before their first user and until after their last.
type phase int

const (
	_ phase = iota
	dropImport
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
	makeImport
	dropRouteMap
	dropPrefixList
)

// making is when a statement is made.
func (p place) making(line string) phase {
	switch p.kindOf(line) {
	case kindPrefixList:
		return makePrefixList
	case kindRouteMap:
		return makeRouteMap
	case kindProtocol:
		return makeProtocol
	case kindVRF:
		return makeVNI
	case kindBGPVRF:
		if imports(line) {
			return makeImport
		}
		return makeInstance
	default:
		return makeUnderlay
	}
}

// dropping is when a statement is taken back for good.
func (p place) dropping(line string) phase {
	k := p.kindOf(line)
	if len(p.context) > 0 {
		switch {
		case k == kindVRF:
			return dropVNI
		case k == kindBGP:
			return dropInUnderlay
		case imports(line):
			return dropImport
		default:
			return p.making(line)
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
		return p.making(line)
	}
}
