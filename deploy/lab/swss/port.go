package swss

import (
	"cmp"
	"maps"
	"strings"
)

const daemonPort = "portmgrd"

// portmgrd stands for portmgrd, portsyncd and teammgrd: ports and port channels
// are there as soon as their rows are.
type portmgrd struct {
	d     *Daemons
	links map[string]bool // ports of which is known whether they are plugged in
	cfg   map[string]Row
}

func newPortmgrd(d *Daemons) *portmgrd {
	m := &portmgrd{d, map[string]bool{}, map[string]Row{}}
	if d.portmgr != nil {
		m.links = d.portmgr.links // cables are not the daemons'
	}
	d.manage(daemonPort, "PORT", m.set, m.del)
	d.manage(daemonPort, "PORTCHANNEL", m.setLAG, m.delLAG)
	d.manage(daemonPort, "PORTCHANNEL_MEMBER", m.setLAGMember, m.delLAGMember)
	return m
}

func (m *portmgrd) set(name string, row Row) bool {
	if m.cfg[name] == nil {
		m.cfg[name] = Row{}
	}
	maps.Copy(m.cfg[name], row) // what is removed stays
	m.publish(name)
	return true
}

// publish writes a port's row of APPL_DB and STATE_DB.
func (m *portmgrd) publish(name string) {
	row := maps.Clone(m.cfg[name])
	delete(row, "NULL")
	row["admin_status"] = cmp.Or(row["admin_status"], "down")
	row["mtu"] = cmp.Or(row["mtu"], "9100")
	oper := row["admin_status"]
	if !m.plugged(name) {
		oper = "down"
	}
	row["oper_status"] = oper
	m.d.db.set(ApplDB, "PORT_TABLE:"+name, row)
	m.d.db.set(StateDB, "PORT_TABLE|"+name, Row{
		"state": "ok", "netdev_oper_status": oper, "admin_status": row["admin_status"],
		"mtu": row["mtu"], "host_tx_ready": "true",
	})
}

func (m *portmgrd) del(name string) bool {
	delete(m.cfg, name)
	m.d.db.del(ApplDB, "PORT_TABLE:"+name)
	m.d.db.del(StateDB, "PORT_TABLE|"+name)
	return true
}

func (m *portmgrd) plugged(name string) bool {
	plugged, known := m.links[name]
	return plugged || !known && !m.d.cfg.Unplugged
}

// SetLink pulls or plugs in the cable of a port: it is operationally up if it is
// plugged in and administratively up. At first all are plugged in, or none if
// Config.Unplugged.
func (d *Daemons) SetLink(port string, plugged bool) {
	if d.portmgr == nil {
		d.portmgr = &portmgrd{d: d, links: map[string]bool{}}
	}
	before := d.portmgr.plugged(port)
	d.portmgr.links[port] = plugged
	if d.running && d.portmgr.cfg[port] != nil && before != plugged {
		d.portmgr.publish(port)
	}
}

// Links are the ports of which is known whether they are plugged in.
func (d *Daemons) Links() map[string]bool {
	if d.portmgr == nil {
		return nil
	}
	return d.portmgr.links
}

func (m *portmgrd) setLAG(name string, row Row) bool {
	fields := maps.Clone(row)
	delete(fields, "NULL")
	fields["admin_status"] = cmp.Or(row["admin_status"], "up")
	fields["mtu"] = cmp.Or(row["mtu"], "9100")
	fields["oper_status"] = fields["admin_status"]
	m.d.db.set(ApplDB, "LAG_TABLE:"+name, fields)
	m.d.db.set(StateDB, "LAG_TABLE|"+name, Row{"state": "ok"})
	return true
}

func (m *portmgrd) delLAG(name string) bool {
	m.d.db.del(ApplDB, "LAG_TABLE:"+name)
	m.d.db.del(StateDB, "LAG_TABLE|"+name)
	return true
}

func (m *portmgrd) setLAGMember(name string, _ Row) bool {
	lag, port, _ := strings.Cut(name, "|")
	if !m.d.portReady(lag) || !m.d.portReady(port) {
		return false
	}
	m.d.db.set(ApplDB, "LAG_MEMBER_TABLE:"+lag+":"+port, Row{"status": "enabled"})
	return true
}

func (m *portmgrd) delLAGMember(name string) bool {
	m.d.db.del(ApplDB, "LAG_MEMBER_TABLE:"+strings.ReplaceAll(name, "|", ":"))
	return true
}
