package swss_test

import (
	"strings"
	"testing"
	"time"

	"github.com/switchlet/switchlet/deploy/lab/swss"
)

// Whatever anybody writes to CONFIG_DB, the daemons live, come to rest, and
// leave nothing behind when they are stopped.
func FuzzCommands(f *testing.F) {
	f.Add("HSET VLAN|Vlan100 vlanid=100\nDEL VLAN|Vlan100\nwait")
	f.Add("HSET VLAN_INTERFACE|Vlan100|x\nHSET VLAN_INTERFACE|Vlan100 static_anycast_gateway=maybe\nHSET VLAN|Vlan100\nwait")
	f.Add("HSET VXLAN_TUNNEL|Vrf\nHSET VXLAN_TUNNEL_MAP|Vrf|map vlan= vni=\nHSET VRF|a|b vni=x\nHDEL VRF|a|b vni\nwait")
	f.Add("HSET SAG|GLOBAL gateway_mac=x\nHSET SAG|OTHER\nHSET VLAN_MEMBER|Vlan1\nHSET INTERFACE|| vrf_name=|\nwait")
	f.Add("HSET VXLAN_TUNNEL|v\nHSET VXLAN_EVPN_NVO|n source_vtep=v\nHSET VLAN|Vlan1\nHSET VXLAN_TUNNEL_MAP|v|map_1_Vlan1 vlan=Vlan1\nwait\nDEL VXLAN_TUNNEL|v")
	f.Fuzz(func(t *testing.T, script string) {
		r := newRig(t, swss.Config{Manager: time.Millisecond})
		r.boot(ports)
		n := 0
		for line := range strings.Lines(script) {
			words := strings.Fields(line)
			if len(words) < 2 || words[0] != "HSET" && words[0] != "HDEL" && words[0] != "DEL" || n > 50 {
				continue
			}
			n++
			if err := r.do(line); err != nil {
				t.Fatal(err)
			}
			if n%5 == 0 {
				r.settle()
			}
		}
		r.settle()
		if !r.Quiet() {
			t.Errorf("a minute later there is still something going on:\n%s", strings.Join(r.Pending(), "\n"))
		}
		r.Stop()
		if dump := r.Dump(); dump != "" {
			t.Errorf("stopped, there is still\n%s", dump)
		}
	})
}
