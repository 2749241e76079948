package box

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
)

// configFile is config_db.json: table, key, field, and the value, a string or
// a list of strings.
type configFile map[string]map[string]map[string]any

// row is one row of a configFile.
type row = map[string]any

// initialConfig is the configuration of a 32-port switch before Switchlet
// comes: what SONiC makes by itself, and what an operator made by hand.
//
// Free for attachments are Ethernet0 to Ethernet108, apart from Ethernet16 and
// Ethernet20, and PortChannel0001. Taken are VLANs 10 and 11.
func (cfg Config) initialConfig() configFile {
	config := configFile{
		"DEVICE_METADATA": {"localhost": {
			"hostname": cfg.Name, "hwsku": hardware, "platform": "x86_64-kvm_x86_64-r0",
			"mac": MAC(cfg.Number).String(), "type": "LeafRouter",
			"bgp_asn": strconv.Itoa(4200000000 + cfg.Number), "default_bgp_status": "up",
			"docker_routing_config_mode": "split-unified", "frr_mgmt_framework_config": "false",
		}},
		"VERSIONS":           {"DATABASE": {"VERSION": "version_202505_01"}},
		"LOOPBACK_INTERFACE": {"Loopback0": {}, fmt.Sprintf("Loopback0|10.0.0.%d/32", cfg.Number): {}},
		"MGMT_PORT":          {"eth0": {"alias": "eth0", "admin_status": "up"}},
		"MGMT_INTERFACE":     {"eth0|" + cfg.Management.String(): {"gwaddr": gateway(cfg.Management).String()}},
		"NTP_SERVER":         {"10.250.0.253": {}},
		"SYSLOG_SERVER":      {"10.250.0.253": {"port": "514"}},
		"FLEX_COUNTER_TABLE": {"PORT": {"FLEX_COUNTER_STATUS": "enable"}, "QUEUE": {"FLEX_COUNTER_STATUS": "enable"}},
		"CRM":                {"Config": {"polling_interval": "300", "ipv4_route_high_threshold": "85", "ipv4_route_low_threshold": "70"}},
		"FEATURE":            features(),
		"PORT":               ports(),
	}
	for table, rows := range cfg.handMade() {
		config[table] = rows
	}
	return config
}

// MAC is the MAC address of the box with a number, of its management port and of
// all its ports.
func MAC(number int) net.HardwareAddr {
	return net.HardwareAddr{0x52, 0x54, 0, 0x5c, 0, byte(number)}
}

// gateway is the address .254 of the /24 that an address is in.
func gateway(management netip.Prefix) netip.Addr {
	address := management.Addr().As4()
	address[3] = 254
	return netip.AddrFrom4(address)
}

// handMade are the rows of an operator, which nobody else may touch: a VLAN
// with ports and an address, a port channel, two routed uplinks and an ACL.
func (cfg Config) handMade() configFile {
	n := cfg.Number
	return configFile{
		"VLAN": {
			"Vlan10": {"vlanid": "10", "description": "consoles, netops", "dhcp_servers": []string{"10.250.0.251", "10.250.0.252"}},
			"Vlan11": {"vlanid": "11"},
		},
		"VLAN_MEMBER": {
			"Vlan10|Ethernet16": {"tagging_mode": "untagged"},
			"Vlan11|Ethernet16": {"tagging_mode": "tagged"},
			"Vlan10|Ethernet20": {"tagging_mode": "untagged"},
		},
		"VLAN_INTERFACE":     {"Vlan10": {}, fmt.Sprintf("Vlan10|10.10.%d.1/24", n): {}},
		"PORTCHANNEL":        {"PortChannel0001": {"admin_status": "up", "mtu": "9100", "min_links": "1", "fast_rate": "false"}},
		"PORTCHANNEL_MEMBER": {"PortChannel0001|Ethernet112": {}, "PortChannel0001|Ethernet116": {}},
		"INTERFACE": {
			"Ethernet120": {}, fmt.Sprintf("Ethernet120|10.1.%d.0/31", n): {},
			"Ethernet124": {}, fmt.Sprintf("Ethernet124|10.1.%d.2/31", n): {},
		},
		"ACL_TABLE": {"CONSOLES": {
			"type": "L3", "stage": "ingress", "policy_desc": "who may reach the consoles",
			"ports": []string{"Ethernet16", "Ethernet20"},
		}},
		"ACL_RULE": {"CONSOLES|RULE_10": {
			"PRIORITY": "10", "PACKET_ACTION": "FORWARD", "SRC_IP": "10.250.0.0/24",
		}},
	}
}

// ports are 32 of 100 Gbit/s with four lanes each: Ethernet0, Ethernet4, … 124.
func ports() map[string]row {
	ports := make(map[string]row, 32)
	for i := range 32 {
		lane := 4*i + 1
		ports[fmt.Sprintf("Ethernet%d", 4*i)] = row{
			"alias": fmt.Sprintf("Eth%d", i+1), "index": strconv.Itoa(i + 1),
			"lanes": fmt.Sprintf("%d,%d,%d,%d", lane, lane+1, lane+2, lane+3),
			"speed": "100000", "fec": "rs", "mtu": "9100", "admin_status": "up",
		}
	}
	return ports
}

// features are the containers of a SONiC switch.
func features() map[string]row {
	features := map[string]row{}
	for _, name := range []string{"bgp", "database", "dhcp_relay", "gnmi", "lldp", "pmon", "snmp", "swss", "syncd", "teamd"} {
		features[name] = row{
			"state": "enabled", "auto_restart": "enabled", "delayed": "False", "high_mem_alert": "disabled",
			"has_global_scope": "True", "has_per_asic_scope": "False", "set_owner": "local",
		}
	}
	return features
}
