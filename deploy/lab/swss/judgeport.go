package swss

import "strings"

// judgePort looks for ports that are two things at once.
func (d *Daemons) judgePort(table, name string, row Row) {
	first, second, more := strings.Cut(name, "|")
	switch {
	case table == "VLAN_MEMBER":
		d.judgeMember(name, second, row)
	case table == "PORTCHANNEL_MEMBER":
		d.judgeUnbridged(table, name, second)
	case (table == "INTERFACE" || table == "PORTCHANNEL_INTERFACE") && !more:
		d.judgeUnbridged(table, name, first)
	}
}

func (d *Daemons) judgeMember(name, port string, row Row) {
	key := "VLAN_MEMBER|" + name
	for _, other := range []string{"INTERFACE|" + port, "PORTCHANNEL_INTERFACE|" + port, d.catalog.lagOf[port]} {
		if d.catalog.has(other) {
			d.blame(Conflict, key, "%s has the port too", other)
		}
	}
	if row["tagging_mode"] != "untagged" {
		return
	}
	for _, other := range sortedKeys(d.catalog.neededBy[portKey(port)]) {
		if other != key && strings.HasPrefix(other, "VLAN_MEMBER|") && d.lastRow(other)["tagging_mode"] == "untagged" {
			d.blame(Conflict, key, "the port is untagged in %s too", other)
		}
	}
}

// judgeUnbridged looks for VLANs of a port that must not have any.
func (d *Daemons) judgeUnbridged(table, name, port string) {
	key, member := table+"|"+name, ""
	for other := range d.catalog.neededBy[portKey(port)] {
		if strings.HasPrefix(other, "VLAN_MEMBER|") && (member == "" || other < member) {
			member = other
		}
	}
	if member != "" {
		d.blame(Conflict, key, "%s has the port too", member)
	} else if marker := d.vlanmgr.memberOf(port); marker != "" {
		d.blame(NotWaited, key, "set while there is STATE_DB VLAN_MEMBER_TABLE|%s", marker)
	}
}
