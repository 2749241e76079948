package frame

import (
	"fmt"
	"slices"
)

// OUI is the number by which an organisation is known to the IEEE.
type OUI [3]byte

// OUI8021 is that of IEEE 802.1 (IEEE 802.1Q-2018, annex D).
func OUI8021() OUI { return OUI{0x00, 0x80, 0xc2} }

// OUI8023 is that of IEEE 802.3 (IEEE 802.3-2018, clause 79).
func OUI8023() OUI { return OUI{0x00, 0x12, 0x0f} }

func (o OUI) String() string { return fmt.Sprintf("%02x-%02x-%02x", o[0], o[1], o[2]) }

const (
	organizationalHeader = 4
	maxOrganizational    = maxValue - organizationalHeader
)

// Organizational is a TLV whose meaning is up to an organisation.
type Organizational struct {
	OUI     OUI
	Subtype uint8
	Value   string // at most 507 octets
}

func (o Organizational) check() error {
	if len(o.Value) > maxOrganizational {
		return fmt.Errorf("organizational TLV %v/%d has %d octets; at most %d can be sent", o.OUI, o.Subtype, len(o.Value), maxOrganizational)
	}
	return nil
}

func (o Organizational) append(b []byte) []byte {
	b = appendHeader(b, TypeOrganizational, organizationalHeader+len(o.Value))
	return append(append(b, o.OUI[0], o.OUI[1], o.OUI[2], o.Subtype), o.Value...)
}

func parseOrganizational(value string) (Organizational, bool) {
	if len(value) < organizationalHeader {
		return Organizational{}, false
	}
	return Organizational{
		OUI:     OUI{value[0], value[1], value[2]},
		Subtype: value[3],
		Value:   value[organizationalHeader:],
	}, true
}

// organizational is the value of the first TLV of a kind that is long enough.
func (f Frame) organizational(oui OUI, subtype uint8, minSize int) (string, bool) {
	i := slices.IndexFunc(f.Organizational, func(o Organizational) bool {
		return o.OUI == oui && o.Subtype == subtype && len(o.Value) >= minSize
	})
	if i < 0 {
		return "", false
	}
	return f.Organizational[i].Value, true
}
