// Package lldp is the place of cabling discovery by LLDP (IEEE 802.1AB): a
// codec in lldp/frame and sending and receiving in lldp/wire. Nothing of it is
// built yet; attachments name switch and port until then.
package lldp
