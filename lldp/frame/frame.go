package frame

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// ErrMalformed is wrapped by the errors of Decode: the LLDPDU is not one.
var ErrMalformed = errors.New("malformed LLDPDU")

const (
	// MaxTTL is the longest time to live.
	MaxTTL = 65535 * time.Second
	// maxText is the longest text, and the longest ID, in octets.
	maxText = 255
)

// Frame is an LLDPDU. An empty text, no capabilities and no list mean that there is
// no such TLV.
type Frame struct {
	ChassisID ChassisID
	PortID    PortID
	// TTL is for how long this may be believed, in whole seconds; 0 takes back
	// what was said before.
	TTL time.Duration

	// Texts have at most 255 octets.
	PortDescription   string
	SystemName        string
	SystemDescription string

	Capabilities   SystemCapabilities
	Management     []ManagementAddress
	Organizational []Organizational
	// Unknown are TLVs of reserved types, as a later edition of the standard may
	// give a meaning to.
	Unknown []TLV
	// Discarded are optional TLVs whose contents made no sense. They are not sent.
	Discarded []TLV
}

// Shutdown says whether the sender takes back what it said before.
func (f Frame) Shutdown() bool { return f.TTL == 0 }

// Goodbye is the shutdown LLDPDU for what f said: its three mandatory TLVs, with a
// TTL of 0 (IEEE 802.1AB-2016, 9.1.2.2).
func (f Frame) Goodbye() Frame { return Frame{ChassisID: f.ChassisID, PortID: f.PortID} }

// String is one line for people.
func (f Frame) String() string {
	name := ""
	if f.SystemName != "" {
		name = " (" + Text(f.SystemName) + ")"
	}
	return fmt.Sprintf("%v%s port %v", f.ChassisID, name, f.PortID)
}

// MarshalBinary is the LLDPDU, with its End TLV and without padding.
func (f Frame) MarshalBinary() ([]byte, error) { return f.Append(nil) }

// UnmarshalBinary is Decode into f.
func (f *Frame) UnmarshalBinary(pdu []byte) error {
	decoded, err := Decode(pdu)
	if err == nil {
		*f = decoded
	}
	return err
}

// Append appends the LLDPDU to b. It refuses what cannot be said in LLDP.
func (f Frame) Append(b []byte) ([]byte, error) {
	if err := f.check(); err != nil {
		return b, err
	}
	start := len(b)
	b = appendID(b, TypeChassisID, uint8(f.ChassisID.Subtype), f.ChassisID.ID)
	b = appendID(b, TypePortID, uint8(f.PortID.Subtype), f.PortID.ID)
	b = binary.BigEndian.AppendUint16(appendHeader(b, TypeTTL, 2), uint16(f.TTL/time.Second))
	b = f.appendOptional(b)
	b = appendHeader(b, TypeEnd, 0)
	if size := len(b) - start; size > MaxSize {
		return b[:start], fmt.Errorf("the LLDPDU of %v has %d octets; at most %d fit into a frame: leave out addresses or organizational TLVs", f, size, MaxSize)
	}
	return b, nil
}

func (f Frame) appendOptional(b []byte) []byte {
	for _, text := range f.texts() {
		if text.Value != "" {
			b = appendTLV(b, text.Type, text.Value)
		}
	}
	if f.Capabilities != (SystemCapabilities{}) {
		b = f.Capabilities.append(b)
	}
	for _, m := range f.Management {
		b = m.append(b)
	}
	for _, o := range f.Organizational {
		b = o.append(b)
	}
	for _, u := range f.Unknown {
		b = appendTLV(b, u.Type, u.Value)
	}
	return b
}

func (f Frame) texts() [3]TLV {
	return [3]TLV{
		{TypePortDescription, f.PortDescription},
		{TypeSystemName, f.SystemName},
		{TypeSystemDescription, f.SystemDescription},
	}
}

// check says what of f cannot be encoded.
func (f Frame) check() error {
	err := errors.Join(
		checkID(TypeChassisID, uint8(f.ChassisID.Subtype), f.ChassisID.ID),
		checkID(TypePortID, uint8(f.PortID.Subtype), f.PortID.ID))
	if f.TTL < 0 || f.TTL > MaxTTL || f.TTL%time.Second != 0 {
		err = errors.Join(err, fmt.Errorf("TTL %v has to be whole seconds from 0 to %v", f.TTL, MaxTTL))
	}
	for _, text := range f.texts() {
		if len(text.Value) > maxText {
			err = errors.Join(err, fmt.Errorf("%v %.20q… has %d octets; at most %d can be sent", text.Type, text.Value, len(text.Value), maxText))
		}
	}
	for _, m := range f.Management {
		err = errors.Join(err, m.check())
	}
	for _, o := range f.Organizational {
		err = errors.Join(err, o.check())
	}
	for _, u := range f.Unknown {
		if !u.Type.reserved() || len(u.Value) > maxValue {
			err = errors.Join(err, fmt.Errorf("TLV %v with %d octets is not one of a reserved type with at most %d", u.Type, len(u.Value), maxValue))
		}
	}
	return err
}
