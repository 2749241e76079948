package lldpd

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/switchlet/switchlet/deploy/lab/lldpcli"
)

func TestSettings(t *testing.T) {
	rows := Rows{
		"DEVICE_METADATA|localhost":          {"hostname": "leaf1"},
		"MGMT_PORT|eth0":                     {"alias": "eth0"},
		"MGMT_INTERFACE|eth0|fd00::1/64":     {},
		"MGMT_INTERFACE|eth0|198.18.0.20/24": {},
		"MGMT_INTERFACE|eth0|198.18.0.10/24": {},
	}
	cfg := Config{Description: "SONiC Software Version: SONiC.202505"}
	for _, test := range []struct {
		name     string
		interval time.Duration
		seconds  string
		hold     string
	}{
		{"as SONiC", 0, "30", "4"},
		{"as the lab", 3 * time.Second, "3", "40"},
		{"rarely", 10 * time.Minute, "600", "1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			cfg.Interval = test.interval
			want := strings.Join([]string{
				"configure ports eth0 lldp portidsubtype local eth0",
				"configure system ip management pattern 198.18.0.10",
				"configure system hostname leaf1",
				`configure system description "SONiC Software Version: SONiC.202505"`,
				"configure system capabilities enabled bridge,router",
				"configure lldp tx-interval " + test.seconds,
				"configure lldp tx-hold " + test.hold,
				"configure lldp portidsubtype ifname",
			}, "\n") + "\n"
			if diff := cmp.Diff(want, cfg.settings(rows)); diff != "" {
				t.Errorf("settings (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPortsSayTheirAlias(t *testing.T) {
	says := func(name, kind, id, description string) lldpcli.Interface {
		return lldpcli.Interface{Name: name, Port: lldpcli.Port{ID: lldpcli.ID{Type: kind, Value: id}, Description: description}}
	}
	rows := Rows{
		"PORT|Ethernet0":  {"alias": "Eth1"},
		"PORT|Ethernet4":  {"alias": "Eth2", "description": "to host1"},
		"PORT|Ethernet8":  {"speed": "100000"},
		"PORT|Ethernet12": {"alias": "Eth4"},
	}
	for _, test := range []struct {
		name string
		port lldpcli.Interface
		want string
	}{
		{"new", says("Ethernet0", "ifname", "Ethernet0", "Ethernet0"), `configure ports Ethernet0 lldp portidsubtype local "Eth1"`},
		{"done", says("Ethernet0", "local", "Eth1", "Ethernet0"), ""},
		{"renamed", says("Ethernet0", "local", "Eth9", "Ethernet0"), `configure ports Ethernet0 lldp portidsubtype local "Eth1"`},
		{"with a description", says("Ethernet4", "ifname", "Ethernet4", "Ethernet4"), `configure ports Ethernet4 lldp portidsubtype local "Eth2" description "to host1"`},
		{"described anew", says("Ethernet4", "local", "Eth2", "spare"), `configure ports Ethernet4 lldp portidsubtype local "Eth2" description "to host1"`},
		{"without an alias", says("Ethernet8", "ifname", "Ethernet8", "Ethernet8"), `configure ports Ethernet8 lldp portidsubtype local "Ethernet8"`},
		{"not in CONFIG_DB", says("Ethernet16", "ifname", "Ethernet16", ""), ""},
		{"the management port", says("eth0", "ifname", "eth0", "eth0"), ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := strings.Join(portCommands(rows, []lldpcli.Interface{test.port}), "\n"); got != test.want {
				t.Errorf("commands %q, want %q", got, test.want)
			}
		})
	}
}
