// Package lldp is the place of cabling discovery by LLDP (IEEE 802.1AB): what is
// said and heard in lldp/frame, who says and hears it on this machine's links in
// lldp/wire, and what is remembered over a restart in lldp/cache.
package lldp
