package sonic

import (
	"strconv"
	"strings"
)

// Tables of sonic-vlan.yang.
const (
	TableVLAN          = "VLAN"
	TableVLANMember    = "VLAN_MEMBER"
	TableVLANInterface = "VLAN_INTERFACE"
)

// maxDescription is the length of VLAN.description in sonic-vlan.yang.
const maxDescription = 255

// VLAN is a row of VLAN (sonic-vlan.yang).
type VLAN struct {
	// ID from 2 to 4094.
	ID int
	// Description for people; cut to 255 bytes.
	Description string
}

// VLANName is the name of a VLAN and of its interface: Vlan10.
func VLANName(id int) string { return "Vlan" + strconv.Itoa(id) }

// ParseVLANName is the id of a VLAN that SONiC takes, which is one from 2 to
// 4094 written without leading zeros.
func ParseVLANName(name string) (int, bool) {
	digits, ok := strings.CutPrefix(name, "Vlan")
	id, err := strconv.Atoi(digits)
	return id, ok && err == nil && id >= 2 && id <= 4094 && digits == strconv.Itoa(id)
}

// VLANKey is the key of a VLAN.
func VLANKey(id int) Key { return Key{TableVLAN, VLANName(id)} }

// Row is the VLAN as CONFIG_DB has it.
func (v VLAN) Row() Row {
	description := v.Description
	if len(description) > maxDescription {
		description = strings.ToValidUTF8(description[:maxDescription], "")
	}
	return Row{VLANKey(v.ID), Fields{{"description", description}, {"vlanid", strconv.Itoa(v.ID)}}}
}

// VLANMember is a row of VLAN_MEMBER: a port that carries a VLAN (sonic-vlan.yang).
type VLANMember struct {
	// VLAN is the id of the VLAN.
	VLAN int
	// Port or port channel.
	Port string
	// Untagged says that frames have no tag on the wire.
	Untagged bool
}

// taggingMode is the one field of VLAN_MEMBER. A changed one is ignored by
// vlanmgrd without a word: the row has to be made anew.
const taggingMode = "tagging_mode"

// Row is the member as CONFIG_DB has it.
func (m VLANMember) Row() Row {
	mode := "tagged"
	if m.Untagged {
		mode = "untagged"
	}
	return Row{Key{TableVLANMember, VLANName(m.VLAN) + Separator + m.Port}, Fields{{taggingMode, mode}}}
}

// VLAN is the id of the VLAN that a row of VLAN, VLAN_MEMBER or VLAN_INTERFACE
// is about.
func (k Key) VLAN() (int, bool) {
	if k.Table != TableVLAN && k.Table != TableVLANMember && k.Table != TableVLANInterface {
		return 0, false
	}
	first, _ := k.split()
	return ParseVLANName(first)
}
