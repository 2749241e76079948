package dataplane

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// setting is a file below /proc/sys/net and its value.
type setting struct{ name, value string }

// general are the settings of a switch (SONiC's 90-sonic.conf), but for forwarding,
// which is off until a device gets a router interface, as is IPv6.
func general() []setting {
	return []setting{
		{"ipv4/conf/all/arp_ignore", "2"}, {"ipv4/conf/all/arp_announce", "1"},
		{"ipv4/conf/all/rp_filter", "0"}, {"ipv4/conf/default/rp_filter", "0"},
		{"ipv4/conf/default/forwarding", "0"},
		// An address that goes must not take others of its network along.
		{"ipv4/conf/all/promote_secondaries", "1"},
		// The same gateway address is on every leaf: it is no duplicate.
		{"ipv6/conf/all/accept_dad", "0"}, {"ipv6/conf/default/accept_dad", "0"},
		{"ipv6/conf/all/keep_addr_on_down", "1"}, {"ipv6/conf/default/keep_addr_on_down", "1"},
		{"ipv6/conf/default/disable_ipv6", "1"},
		{"ipv6/conf/all/forwarding", "1"}, {"ipv6/conf/eth0/forwarding", "0"},
		// An ASIC spreads by ports too; the tunnels' source ports differ by flow.
		{"ipv4/fib_multipath_hash_policy", "1"}, {"ipv6/fib_multipath_hash_policy", "1"},
	}
}

// routedSettings of a device, in the order in which they are to be set.
func routedSettings(name string, on bool) []setting {
	if !on {
		return []setting{{"ipv4/conf/" + name + "/forwarding", "0"}, {"ipv6/conf/" + name + "/disable_ipv6", "1"}}
	}
	return []setting{
		{"ipv4/conf/" + name + "/rp_filter", "0"}, {"ipv6/conf/" + name + "/accept_dad", "0"},
		{"ipv6/conf/" + name + "/keep_addr_on_down", "1"}, {"ipv6/conf/" + name + "/disable_ipv6", "0"},
		{"ipv4/conf/" + name + "/forwarding", "1"},
	}
}

// gleanSettings are what intfmgrd sets for grat_arp (sonic-swss cfgmgr/intfmgr.cpp).
// Kernels older than 5.19 do not have the second.
func gleanSettings(name string, on bool) []setting {
	value := "0"
	if on {
		value = "2"
	}
	return []setting{{"ipv4/conf/" + name + "/arp_accept", value}, {"ipv6/conf/" + name + "/accept_untracked_na", value}}
}

func settingFile(name string) string { return filepath.Join("/proc/sys/net", name) }

// write writes settings. One of a device or kernel that does not have it is left out.
func write(settings []setting) error {
	var problems []error
	for _, s := range settings {
		err := os.WriteFile(settingFile(s.name), []byte(s.value), 0o644)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			problems = append(problems, fmt.Errorf("set %s to %s: %w", s.name, s.value, err))
		}
	}
	return errors.Join(problems...)
}

// read is the value of a setting, "" if it is not there.
func read(name string) (string, error) {
	text, err := os.ReadFile(settingFile(name))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return strings.TrimSpace(string(text)), err
}
