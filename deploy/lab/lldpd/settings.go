// Package lldpd runs the real lldpd on a switch of the lab, as SONiC's
// docker-lldp does, and stands in for its lldpmgrd, which tells lldpd the
// aliases and descriptions of ports.
package lldpd

import (
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/switchlet/switchlet/deploy/lab/lldpcli"
)

// Rows are rows of CONFIG_DB: key, field, value.
type Rows = map[string]map[string]string

// settings are lldpd's at its start, in lldpcli's language: those of
// docker-lldp's lldpd.conf and lldpdSysDescr.conf, and the intervals.
func (cfg Config) settings(rows Rows) string {
	var lines []string
	if alias := rows["MGMT_PORT|eth0"]["alias"]; alias != "" {
		lines = append(lines, "configure ports eth0 lldp portidsubtype local "+alias)
	}
	if address := management(rows); address != "" {
		lines = append(lines, "configure system ip management pattern "+address)
	}
	lines = append(lines,
		"configure system hostname "+rows["DEVICE_METADATA|localhost"]["hostname"],
		fmt.Sprintf("configure system description %q", cfg.Description),
		// A SONiC switch has a bridge and forwards; the lab's namespace has neither.
		"configure system capabilities enabled bridge,router",
		fmt.Sprintf("configure lldp tx-interval %d", int(cfg.interval()/time.Second)),
		fmt.Sprintf("configure lldp tx-hold %d", cfg.hold()),
		"configure lldp portidsubtype ifname",
	)
	return strings.Join(lines, "\n") + "\n"
}

// management is the switch's first IPv4 address on eth0.
func management(rows Rows) string {
	var least netip.Addr
	for key := range rows {
		text, ok := strings.CutPrefix(key, "MGMT_INTERFACE|eth0|")
		prefix, err := netip.ParsePrefix(text)
		if !ok || err != nil || !prefix.Addr().Is4() {
			continue
		}
		if !least.IsValid() || prefix.Addr().Less(least) {
			least = prefix.Addr()
		}
	}
	if !least.IsValid() {
		return ""
	}
	return least.String()
}

func portKey(name string) string { return "PORT|" + name }

// portCommands are the commands, in lldpcli's language, by which ports get what they are to say of
// themselves: the alias as their id, and the description, without which lldpd
// gives the name. Ports that say so already need none.
func portCommands(rows Rows, ports []lldpcli.Interface) []string {
	name := regexp.MustCompile(`^Ethernet(-BP)?[0-9]+$`)
	var commands []string
	for _, p := range ports {
		row, ok := rows[portKey(p.Name)]
		if !ok || !name.MatchString(p.Name) {
			continue
		}
		want := lldpcli.Port{ID: lldpcli.ID{Type: "local", Value: row["alias"]}, Description: row["description"]}
		if want.ID.Value == "" {
			want.ID.Value = p.Name
		}
		if p.Port.ID == want.ID && (p.Port.Description == want.Description || want.Description == "") {
			continue
		}
		command := "configure ports " + p.Name + " lldp portidsubtype local " + strconv.Quote(want.ID.Value)
		if want.Description != "" {
			command += " description " + strconv.Quote(want.Description)
		}
		commands = append(commands, command)
	}
	return commands
}
