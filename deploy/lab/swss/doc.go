// Package swss is SONiC's switch state service as a writer of CONFIG_DB meets
// it: what vlanmgrd, vrfmgrd, vxlanmgrd, intfmgrd, portmgrd and orchagent make
// of its rows in STATE_DB, APPL_DB and ASIC_DB, when, and what becomes of a
// writer's mistakes. It makes them as the real daemons were seen to (sonic-swss
// of August 2026 on the virtual SAI), and is stricter: it counts each one, also
// those that heal by themselves. A good writer's count is zero.
//
// The package computes only: rows come by a function, time is virtual, and what
// is written is returned. Package live runs it on a real Redis.
//
//	d := swss.New(swss.Config{Read: read})
//	err := d.Start(keys)
//	d.Event("VLAN|Vlan100", "hset")
//	writes, err := d.Settle(time.Minute)
//	fmt.Print(swss.Report(d.Mistakes()))
//
// # What hears what
//
// Each table has a consumer of its own, and there is no order between them. A
// consumer reads a row when it comes to an event, not when the event happened.
// It has at most one DEL and one SET for a row: a DEL drops a SET that waits, a
// SET is merged into one that waits. What cannot be done is tried again at each
// tick; orchagent also does so whenever it hears anything.
//
// # Order of deletes that counts no mistake
//
// Each step waits for its marker before the next:
//
//	VLAN_INTERFACE static_anycast_gateway=false   APPL_DB INTF_TABLE:VlanN has it
//	VRF vni=0                                     APPL_DB VXLAN_VRF_TABLE:… gone
//	DEL VLAN_INTERFACE|VlanN|prefix               STATE_DB INTERFACE_TABLE|VlanN|prefix gone
//	DEL VLAN_INTERFACE|VlanN                      STATE_DB INTERFACE_TABLE|VlanN gone
//	DEL VRF                                       STATE_DB VRF_OBJECT_TABLE gone
//	DEL VXLAN_TUNNEL_MAP                          STATE_DB SUPPRESS_VLAN_NEIGH_TABLE gone
//	DEL VLAN_MEMBER                               STATE_DB VLAN_MEMBER_TABLE gone
//	DEL VLAN                                      STATE_DB VLAN_TABLE gone
//	DEL VXLAN_EVPN_NVO                            APPL_DB VXLAN_EVPN_NVO_TABLE gone
//	DEL VXLAN_TUNNEL, SAG
//
// # Where it is stricter
//
// A burst of commands is heard at once here, as by daemons that are busy. Idle
// ones, which hear each command by itself, were seen to survive a VRF's VNI
// changed by way of 0, a map replaced by another and an interface moved to
// another VRF, each in one burst. Here the first is a change in place, the
// second fails if the new key sorts before the old one, and the third fails
// because the row's DEL waits for its prefixes'; all three count.
//
// # What is left out
//
// The kernel, routes and neighbours (but for the one route that leaks), FDB,
// buffers, counters, warm restart, port channels' members in the ASIC.
package swss
