package frame

import (
	"fmt"
	"time"
)

// mandatory are the TLVs that an LLDPDU begins with, in this order.
const mandatory = 3

// Decode reads an LLDPDU, with or without padding behind its End TLV. Nothing of
// the result refers to pdu. Errors wrap ErrMalformed.
func Decode(pdu []byte) (Frame, error) {
	if len(pdu) > MaxSize {
		return Frame{}, fmt.Errorf("%w: it has %d octets, more than %d", ErrMalformed, len(pdu), MaxSize)
	}
	d := decoder{rest: string(pdu)}
	for n := 1; ; n++ {
		tlv, err := d.next()
		if err == nil && n <= mandatory {
			err = d.mandatory(Type(n), tlv)
		}
		switch {
		case err != nil:
			return Frame{}, err
		case n <= mandatory:
		case tlv.Type == TypeEnd:
			return d.frame, nil
		default:
			d.optional(tlv)
		}
	}
}

// decoder is in the middle of an LLDPDU.
type decoder struct {
	rest  string
	seen  uint8 // a bit for each single type
	frame Frame
}

// next cuts a TLV off. A single one may come once; an End has no contents.
func (d *decoder) next() (tlv TLV, err error) {
	tlv, d.rest, err = cutTLV(d.rest)
	if err != nil {
		return tlv, err
	}
	if tlv.Type == TypeEnd && tlv.Value != "" {
		return tlv, fmt.Errorf("%w: the End TLV has %d octets and may not have any", ErrMalformed, len(tlv.Value))
	}
	if !tlv.Type.single() {
		return tlv, nil
	}
	bit := uint8(1) << tlv.Type
	if d.seen&bit != 0 {
		return tlv, fmt.Errorf("%w: it has the %v TLV twice", ErrMalformed, tlv.Type)
	}
	d.seen |= bit
	return tlv, nil
}

// mandatory takes the TLV that has to be of the given type.
func (d *decoder) mandatory(want Type, tlv TLV) error {
	if tlv.Type != want {
		return fmt.Errorf("%w: TLV %d is %v and has to be %v", ErrMalformed, want, tlv.Type, want)
	}
	if want == TypeTTL {
		if len(tlv.Value) < 2 {
			return fmt.Errorf("%w: the TTL TLV has %d octets and has to have 2", ErrMalformed, len(tlv.Value))
		}
		d.frame.TTL = time.Duration(uint16At(tlv.Value, 0)) * time.Second
		return nil
	}
	subtype, id, err := parseID(tlv)
	if want == TypeChassisID {
		d.frame.ChassisID = ChassisID{ChassisSubtype(subtype), id}
	} else {
		d.frame.PortID = PortID{PortSubtype(subtype), id}
	}
	return err
}

// optional takes a TLV after the mandatory ones. One that makes no sense is put
// aside.
func (d *decoder) optional(tlv TLV) {
	f, ok := &d.frame, true
	switch tlv.Type {
	case TypePortDescription:
		ok = setText(&f.PortDescription, tlv.Value)
	case TypeSystemName:
		ok = setText(&f.SystemName, tlv.Value)
	case TypeSystemDescription:
		ok = setText(&f.SystemDescription, tlv.Value)
	case TypeSystemCapabilities:
		f.Capabilities, ok = parseCapabilities(tlv.Value)
	case TypeManagementAddress:
		var m ManagementAddress
		if m, ok = parseManagement(tlv.Value); ok {
			f.Management = append(f.Management, m)
		}
	case TypeOrganizational:
		var o Organizational
		if o, ok = parseOrganizational(tlv.Value); ok {
			f.Organizational = append(f.Organizational, o)
		}
	default:
		f.Unknown = append(f.Unknown, tlv)
	}
	if !ok {
		f.Discarded = append(f.Discarded, tlv)
	}
}

func setText(text *string, value string) bool {
	if len(value) > maxText {
		return false
	}
	*text = value
	return true
}
