package main_test

import (
	"strings"
	"testing"
)

// A lab is cabled, its switches hear of each other by LLDP, and a person can
// cable it anew while it runs.
func TestCables(t *testing.T) {
	l := newLab(t, "e2ecable", false)
	l.must(t, "up", "--leaves", "2", "--spines", "1", "--hosts", "1")
	l.cabled(t, "host1/eth1 leaf1/Ethernet0 up", "host1/eth2 leaf2/Ethernet0 up",
		"leaf1/Ethernet120 spine1/Ethernet0 up", "leaf2/Ethernet120 spine1/Ethernet4 up")
	l.hears(t, "leaf1", "Ethernet120", "spine1 Eth1 52:54:00:5c:00:03")
	l.hears(t, "spine1", "Ethernet4", "leaf2 Eth31 52:54:00:5c:00:02")

	l.must(t, "cable", "move", "host1/eth1", "leaf2/Ethernet8")
	l.must(t, "cable", "move", "spine1/Ethernet0", "leaf2/Ethernet124")
	l.must(t, "cable", "pull", "host1/eth2")
	l.cabled(t, "host1/eth1 leaf2/Ethernet8 up", "host1/eth2 - pulled",
		"leaf2/Ethernet120 spine1/Ethernet4 up", "leaf2/Ethernet124 spine1/Ethernet0 up")
	l.hears(t, "leaf1", "Ethernet120", "")
	l.hears(t, "leaf2", "Ethernet124", "spine1 Eth1 52:54:00:5c:00:03")
	l.hears(t, "spine1", "Ethernet0", "leaf2 Eth32 52:54:00:5c:00:02")
	eventually(t, "eth1 of host1 has a carrier and eth2 has none", func() bool {
		return l.must(t, "exec", "host1", "cat", "/sys/class/net/eth1/carrier", "/sys/class/net/eth2/carrier") == "1\n0\n"
	})

	l.must(t, "cable", "plug", "leaf1/Ethernet4", "host1/eth2")
	l.cabled(t, "host1/eth1 leaf2/Ethernet8 up", "host1/eth2 leaf1/Ethernet4 up",
		"leaf2/Ethernet120 spine1/Ethernet4 up", "leaf2/Ethernet124 spine1/Ethernet0 up")

	for _, test := range []struct{ command, want string }{
		{"plug host1/eth2 leaf1/Ethernet8", "host1/eth2 has a cable to leaf1/Ethernet4"},
		{"move host1/eth1 leaf1/Ethernet3", "leaf1 has no port Ethernet3 in its CONFIG_DB; it has Ethernet0, Ethernet4, "},
		{"move host1/eth1 leaf3/Ethernet0", `has no node "leaf3"; it has [leaf1 leaf2 spine1 host1 cp1]`},
		{"pull cp1/eth0", "there is no cp1 with ports or NICs"},
		{"pull", "say one of"},
	} {
		output, err := l.run("cable", strings.Fields(test.command)...)
		if err == nil || !strings.Contains(output, test.want) {
			t.Errorf("lab cable %s: %v, %s\nwant an error with %q", test.command, err, output, test.want)
		}
	}
	tr := l.trace(t)
	l.must(t, "down")
	tr.gone(t)
}

// cabled waits until these are the cables.
func (l lab) cabled(t *testing.T, want ...string) {
	t.Helper()
	eventually(t, "the cables are "+strings.Join(want, ", "), func() bool {
		var got []string
		for line := range strings.Lines(l.must(t, "cables")) {
			got = append(got, strings.Join(strings.Fields(line), " "))
		}
		return strings.Join(got, ", ") == strings.Join(want, ", ")
	})
}

// hears waits until a switch has a neighbour in its APPL_DB, with its name, port
// and chassis; or, for "", none.
func (l lab) hears(t *testing.T, node, port, want string) {
	t.Helper()
	eventually(t, node+" hears at "+port+": "+want, func() bool {
		got := l.must(t, "exec", node, "redis-cli", "-n", "0", "hmget", "LLDP_ENTRY_TABLE:"+port,
			"lldp_rem_sys_name", "lldp_rem_port_id", "lldp_rem_chassis_id")
		return strings.Join(strings.Fields(got), " ") == want
	})
}

// A host is an ordinary node: a pod runs on it if it does not need a pod
// network.
func TestHostRunsPods(t *testing.T) {
	l := newLab(t, "e2ehost", false)
	l.must(t, "up", "--leaves", "0", "--spines", "1", "--hosts", "1")
	l.cabled(t, "host1/eth1 - pulled", "host1/eth2 - pulled")
	l.kubectl(t, "wait --for=create --timeout=60s node/host1")
	l.kubectl(t, "wait --for=create --timeout=60s serviceaccount/default")
	run := func(name, hostNetwork string) {
		l.kubectl(t, "run "+name+" --image=switchlet.io/pause:dev --image-pull-policy=Never --overrides '"+
			`{"spec":{"nodeName":"host1","hostNetwork":`+hostNetwork+`}}'`)
	}
	run("with", "true")
	run("without", "false")
	l.kubectl(t, "wait --for=condition=Ready --timeout=60s pod/with")
	eventually(t, "the other pod is refused, with the reason", func() bool {
		return strings.Contains(l.kubectl(t, "get events --field-selector involvedObject.name=without"), "this node has no pod network")
	})
}
