package swss

import "net/netip"

// routing is orchagent's VRFOrch and IntfsOrch: virtual routers and router
// interfaces (sonic-swss orchagent/vrforch.cpp, intfsorch.cpp). Of the routes
// only those of the anycast gateway's link-local address are made.
type routing struct {
	defaultRouter object
	vrfs          map[string]*vrfObject
	interfaces    map[string]*interfaceObject
	prefixes      map[string]map[string]netip.Prefix // of a VRF, by "interface|prefix"
	gatewayMAC    string                             // of SAG_TABLE
}

type vrfObject struct {
	object
	vni    string
	ready  bool // in VRF_OBJECT_TABLE
	refs   int  // interfaces, and two for a VNI
	users  int  // interfaces whose anycast gateway is on
	route  string
	leaked bool
}

type interfaceObject struct {
	object  // none for a loopback
	vrf     string
	count   int // prefixes
	anycast bool
}

func (o *orchagent) setVRF(name string, row Row) bool {
	for _, field := range sortedKeys(row) {
		if !knownVRFField(field) {
			o.d.err(daemonOrch, "Parse error in VRF request: Unknown attribute name: %s", field)
			return true
		}
	}
	vrf := o.vrfs[name]
	if vrf == nil {
		vrf = &vrfObject{object: o.create(typeRouter, Row{"NULL": "NULL"})}
		o.vrfs[name] = vrf
	}
	vni := mappedVNI(row)
	if vni != "" && vni != vrf.vni && len(o.nvos) == 0 {
		return false // and VRF_OBJECT_TABLE does not come
	}
	vrf.vni = vni
	if !vrf.ready {
		vrf.ready = true
		o.d.db.set(StateDB, "VRF_OBJECT_TABLE|"+name, Row{"state": "ok"})
	}
	return true
}

func (o *orchagent) delVRF(name string) bool {
	vrf := o.vrfs[name]
	switch {
	case vrf == nil:
		o.d.err(daemonOrch, "VRF '%s' doesn't exist", name)
		return true
	case vrf.refs > 0:
		return false
	case vrf.leaked:
		o.d.err(daemonOrch, "object %s reference count is 1, can't remove", vrf.oid)
		return false
	}
	o.destroy(vrf.object)
	o.d.db.del(StateDB, "VRF_OBJECT_TABLE|"+name)
	delete(o.vrfs, name)
	return true
}

// refer counts a user of a VRF; "" is the default one.
func (o *orchagent) refer(vrf string, n int) {
	if v := o.vrfs[vrf]; v != nil {
		v.refs += n
	}
}
