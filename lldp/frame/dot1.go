package frame

import "encoding/binary"

// Subtypes of IEEE 802.1's TLVs (IEEE 802.1Q-2018, table D-1).
const (
	dot1PortVLAN        = 1
	dot1VLANName        = 3
	dot1LinkAggregation = 7
)

const (
	vlanNameHeader = 3
	maxVLANName    = 32
)

// VLANName is a VLAN of a port and what the device calls it.
type VLANName struct {
	ID   uint16
	Name string // at most 32 octets
}

// LinkAggregation says whether a port is a member of a port channel.
type LinkAggregation struct {
	Capable, Enabled bool
	// Port is the number of the port channel, mostly its interface index; 0 if
	// the port is not in one.
	Port uint32
}

const (
	aggregationCapable = 1 << 0
	aggregationEnabled = 1 << 1
	aggregationSize    = 5
)

// PortVLAN is the VLAN of frames without a tag, as the port's device says; 0 if
// it has none.
func (f Frame) PortVLAN() (id uint16, ok bool) {
	value, ok := f.organizational(OUI8021(), dot1PortVLAN, 2)
	if !ok {
		return 0, false
	}
	return uint16At(value, 0), true
}

// PortVLANTLV is the TLV that PortVLAN reads.
func PortVLANTLV(id uint16) Organizational {
	return Organizational{OUI8021(), dot1PortVLAN, string(binary.BigEndian.AppendUint16(nil, id))}
}

// VLANNames are the VLANs of the port with their names.
func (f Frame) VLANNames() []VLANName {
	var names []VLANName
	for _, o := range f.Organizational {
		if o.OUI != OUI8021() || o.Subtype != dot1VLANName || len(o.Value) < vlanNameHeader {
			continue
		}
		length, rest := int(o.Value[2]), o.Value[vlanNameHeader:]
		if length <= maxVLANName && length <= len(rest) {
			names = append(names, VLANName{uint16At(o.Value, 0), rest[:length]})
		}
	}
	return names
}

// VLANNameTLV is a TLV that VLANNames reads; a name is cut after 32 octets.
func VLANNameTLV(v VLANName) Organizational {
	name := v.Name[:min(len(v.Name), maxVLANName)]
	value := append(binary.BigEndian.AppendUint16(nil, v.ID), byte(len(name)))
	return Organizational{OUI8021(), dot1VLANName, string(value) + name}
}

// LinkAggregation is what the port's device says about port channels. The TLV is
// IEEE 802.1's; the older one of 802.3, which lldpd sends, says the same.
func (f Frame) LinkAggregation() (LinkAggregation, bool) {
	value, ok := f.organizational(OUI8021(), dot1LinkAggregation, aggregationSize)
	if !ok {
		value, ok = f.organizational(OUI8023(), dot3LinkAggregation, aggregationSize)
	}
	if !ok {
		return LinkAggregation{}, false
	}
	return LinkAggregation{
		Capable: value[0]&aggregationCapable != 0,
		Enabled: value[0]&aggregationEnabled != 0,
		Port:    uint32At(value, 1),
	}, true
}

// LinkAggregationTLV is the TLV of IEEE 802.1 that LinkAggregation reads.
func LinkAggregationTLV(a LinkAggregation) Organizational {
	var status byte
	if a.Capable {
		status |= aggregationCapable
	}
	if a.Enabled {
		status |= aggregationEnabled
	}
	return Organizational{OUI8021(), dot1LinkAggregation, string(binary.BigEndian.AppendUint32([]byte{status}, a.Port))}
}
