// Package frame encodes and decodes LLDPDUs, what LLDP (IEEE 802.1AB-2016) sends
// in Ethernet frames of type 0x88CC. It is pure, and what it reads comes from
// whoever is at the other end of a cable: nothing there can make it panic or use
// more memory than a few times the size of the LLDPDU.
//
// An LLDPDU is a list of TLVs: type (7 bits), length (9 bits), value.
//
//	Chassis ID | Port ID | TTL | optional TLVs in any order … | End | padding
//
// Decode refuses an LLDPDU whose first three TLVs are not these three, that has
// one of them or another single TLV twice, in which a TLV reaches beyond the end,
// or that has no End TLV, which lldpd asks for too. What comes after the End TLV is
// padding and not looked at. An optional TLV whose contents make no sense is put
// aside, in Discarded, and does not hurt the others; TLVs of reserved types are
// kept, in Unknown.
//
// Identifiers and texts are Go strings that hold the octets as they are on the
// wire, so that they compare; String methods and Text give what may be shown.
package frame
