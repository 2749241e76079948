package swss

import (
	"fmt"
	"net/netip"
	"strings"
)

const daemonOrch = "orchagent"

// orchagent makes objects of the ASIC of the rows of APPL_DB. A row appears,
// changes or goes in APPL_DB at the moment when orchagent takes it.
type orchagent struct {
	d         *Daemons
	consumers []*consumer
	byTable   map[string]*consumer
	objects   map[int]uint64 // how many there were of a type

	bridging
	routing
	tunnelling
}

func newOrchagent(d *Daemons) *orchagent {
	o := &orchagent{d: d, byTable: map[string]*consumer{}, objects: map[int]uint64{}}
	o.bridging = bridging{vlans: map[string]*vlanObject{}, ports: map[string]*portObject{}}
	o.routing = routing{vrfs: map[string]*vrfObject{}, interfaces: map[string]*interfaceObject{}, prefixes: map[string]map[string]netip.Prefix{}}
	o.tunnelling = newTunnelling()
	for _, t := range []struct {
		name string
		set  func(string, Row) bool
		del  func(string) bool
	}{
		{"VLAN_TABLE", o.setVLAN, o.delVLAN},
		{"VLAN_MEMBER_TABLE", o.setMember, o.delMember},
		{"VXLAN_TUNNEL_TABLE", o.setTunnel, o.delTunnel},
		{"VXLAN_EVPN_NVO_TABLE", o.setNVO, o.delNVO},
		{"VXLAN_TUNNEL_MAP_TABLE", o.setVLANMap, o.delVLANMap},
		{"VRF_TABLE", o.setVRF, o.delVRF},
		{"VXLAN_VRF_TABLE", o.setVRFMap, o.delVRFMap},
		{"SAG_TABLE", o.setGateway, o.delGateway},
		{"INTF_TABLE", o.setInterface, o.delInterface},
	} {
		c := newConsumer(daemonOrch, t.name, t.set, t.del)
		o.consumers = append(o.consumers, c)
		o.byTable[t.name] = c
	}
	o.create(typeVLAN, Row{"SAI_VLAN_ATTR_VLAN_ID": "1"})
	o.defaultRouter = o.create(typeRouter, Row{"NULL": "NULL"})
	return o
}

// produce sends a row to orchagent.
func (o *orchagent) produce(table, key string, row Row) { o.send(table, event{key: key, row: row}) }

// remove sends the end of a row.
func (o *orchagent) remove(table, key string) { o.send(table, event{key: key, del: true}) }

func (o *orchagent) send(table string, e event) {
	e.due = o.d.now + o.d.cfg.Orchagent
	c := o.byTable[table]
	c.in = append(c.in, e)
}

// run takes what is due from APPL_DB and does all that can be done. Any news
// makes orchagent try everything again, unlike the other daemons.
func (o *orchagent) run(ticked bool) (moved bool) {
	news := ticked
	for _, c := range o.consumers {
		news = news || o.d.faults.slowed() && c.wakes(o.d.now)
		for _, e := range c.pop(o.d.now) {
			news = true
			key := c.table + ":" + e.key
			if e.del {
				o.d.db.del(ApplDB, key)
			} else {
				o.d.db.set(ApplDB, key, e.row)
			}
			c.add(e.key, e.del, e.row, o.d.now+o.d.faults.slow[key])
		}
	}
	for again := news; again; {
		again = false
		for _, c := range o.consumers {
			again = c.run(o.d.now, o.d.faults.hung(c.table+":")) || again
		}
		moved = moved || again
	}
	return moved
}

// Types of SAI's objects, as in their OIDs (saitypes.h).
const (
	typeRouter     = 0x03
	typeRIF        = 0x06
	typeVLAN       = 0x26
	typeMember     = 0x27
	typeTunnelMap  = 0x29
	typeTunnel     = 0x2a
	typeTunnelTerm = 0x2b
	typeBridgePort = 0x3a
	typeMapEntry   = 0x3b
)

func typeName(kind int) string {
	switch kind {
	case typeRouter:
		return "VIRTUAL_ROUTER"
	case typeRIF:
		return "ROUTER_INTERFACE"
	case typeVLAN:
		return "VLAN"
	case typeMember:
		return "VLAN_MEMBER"
	case typeTunnelMap:
		return "TUNNEL_MAP"
	case typeTunnel:
		return "TUNNEL"
	case typeTunnelTerm:
		return "TUNNEL_TERM_TABLE_ENTRY"
	case typeBridgePort:
		return "BRIDGE_PORT"
	}
	return "TUNNEL_MAP_ENTRY"
}

// object is an object of the ASIC: its key in ASIC_DB.
type object struct{ kind, oid string }

func (o object) key() string { return "ASIC_STATE:SAI_OBJECT_TYPE_" + o.kind + ":" + o.oid }

// create makes an object.
func (o *orchagent) create(kind int, attributes Row) object {
	o.objects[kind]++
	made := object{typeName(kind), fmt.Sprintf("oid:0x%x", uint64(kind)<<48|0x500+o.objects[kind])}
	o.d.db.set(AsicDB, made.key(), attributes)
	return made
}

func (o *orchagent) set(made object, attributes Row) {
	o.d.db.set(AsicDB, made.key(), attributes)
}

// destroy removes an object; none is fine.
func (o *orchagent) destroy(made object) {
	if made.oid != "" {
		o.d.db.del(AsicDB, made.key())
	}
}

// Objects are how many objects of a type, such as "VLAN", are in ASIC_DB.
func (d *Daemons) Objects(kind string) int {
	n := 0
	for key := range d.db.of[AsicDB] {
		if strings.HasPrefix(key, "ASIC_STATE:SAI_OBJECT_TYPE_"+kind+":") {
			n++
		}
	}
	return n
}
