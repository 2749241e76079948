package yang_test

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/switchlet/switchlet/sonic"
	"github.com/switchlet/switchlet/sonic/yang"
)

const (
	bigVLANs = 2000
	bigVRFs  = 100
	bigPorts = 32
)

// bigLeaf is a leaf switch with 2,000 VLANs and VNIs in 100 VRFs.
func bigLeaf() sonic.DB {
	db := sonic.DB{}
	set := func(table, name string, pairs ...string) {
		db[sonic.Key{Table: table, Name: name}] = sonic.NewFields(pairs...)
	}
	for i := range bigPorts {
		set("PORT", fmt.Sprintf("Ethernet%d", 4*i), "lanes", fmt.Sprint(4*i+1), "speed", "100000", "alias", fmt.Sprintf("etp%d", i+1), "mtu", "9100", "admin_status", "up")
	}
	set("LOOPBACK_INTERFACE", "Loopback1")
	set("LOOPBACK_INTERFACE", "Loopback1|10.255.0.1/32")
	set("VXLAN_TUNNEL", "switchlet", "src_ip", "10.255.0.1")
	set("VXLAN_EVPN_NVO", "switchlet", "source_vtep", "switchlet")
	set("SAG", "GLOBAL", "gateway_mac", "00:00:5e:00:01:01")
	for i := range bigVRFs {
		set("VRF", fmt.Sprintf("Vrf%d", 20001+i), "vni", fmt.Sprint(20001+i))
	}
	for i := range bigVLANs {
		bigVLAN(i, set)
	}
	return db
}

func bigVLAN(i int, set func(table, name string, pairs ...string)) {
	vlan := fmt.Sprintf("Vlan%d", 100+i)
	set("VLAN", vlan, "vlanid", fmt.Sprint(100+i), "description", "web")
	set("VXLAN_TUNNEL_MAP", fmt.Sprintf("switchlet|map_%d_%s", 10000+i, vlan), "vlan", vlan, "vni", fmt.Sprint(10000+i))
	set("VLAN_INTERFACE", vlan, "vrf_name", fmt.Sprintf("Vrf%d", 20001+i%bigVRFs), "static_anycast_gateway", "true")
	set("VLAN_INTERFACE", fmt.Sprintf("%s|10.%d.%d.1/24", vlan, i/256, i%256))
	for m := range 2 {
		set("VLAN_MEMBER", fmt.Sprintf("%s|Ethernet%d", vlan, 4*((i+m*7)%bigPorts)), "tagging_mode", "tagged")
	}
}

// oneVPC is the rows of one VPC with one subnet.
func oneVPC() []yang.Change {
	var changes []yang.Change
	set := func(table, name string, pairs ...string) {
		changes = append(changes, yang.Change{Key: sonic.Key{Table: table, Name: name}, Fields: sonic.NewFields(pairs...)})
	}
	set("VRF", "Vrf30001", "vni", "30001")
	set("VLAN", "Vlan3500", "vlanid", "3500")
	set("VXLAN_TUNNEL_MAP", "switchlet|map_30001_Vlan3500", "vlan", "Vlan3500", "vni", "30001")
	set("VLAN_INTERFACE", "Vlan3500", "vrf_name", "Vrf30001")
	set("VLAN", "Vlan3000", "vlanid", "3000", "description", "web")
	set("VXLAN_TUNNEL_MAP", "switchlet|map_19000_Vlan3000", "vlan", "Vlan3000", "vni", "19000")
	set("VLAN_INTERFACE", "Vlan3000", "vrf_name", "Vrf30001", "static_anycast_gateway", "true")
	set("VLAN_INTERFACE", "Vlan3000|10.99.0.1/24")
	set("VLAN_MEMBER", "Vlan3000|Ethernet0", "tagging_mode", "tagged")
	set("VLAN_MEMBER", "Vlan3000|Ethernet4", "tagging_mode", "tagged")
	return changes
}

// BenchmarkYANGFull2000 checks all rows of the leaf. The floor is one walk over
// the same rows.
func BenchmarkYANGFull2000(b *testing.B) {
	schema, db := load(b), bigLeaf()
	b.Run("check", func(b *testing.B) {
		for b.Loop() {
			if v := yang.NewChecker(schema, db).Violations(); len(v) > 0 {
				b.Fatal(len(v), v[0])
			}
		}
	})
	b.Run("floor", func(b *testing.B) {
		for b.Loop() {
			bytes := 0
			for key, fields := range db {
				bytes += len(key.Name)
				for _, f := range fields {
					bytes += len(f.Value)
				}
			}
			if bytes == 0 {
				b.Fatal("no rows")
			}
		}
	})
}

// BenchmarkYANGOneVPC asks whether one VPC more on that leaf is all right.
func BenchmarkYANGOneVPC(b *testing.B) {
	c, changes := yang.NewChecker(load(b), bigLeaf()), oneVPC()
	for b.Loop() {
		if v := c.Check(changes); len(v) > 0 {
			b.Fatal(len(v), v[0])
		}
	}
}

func BenchmarkLoad(b *testing.B) {
	dir := shared(b, "yang-models")
	for b.Loop() {
		if _, err := yang.Load(dir); err != nil {
			b.Fatal(err)
		}
	}
}

// The agent has little memory: what is known of the models and of 2,000 VLANs is
// a few MiB.
func TestMemory(t *testing.T) {
	heap := func() float64 {
		runtime.GC()
		runtime.GC() // the first one only marks what finalizers and pools let go of
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return float64(m.HeapAlloc) / (1 << 20)
	}
	db := bigLeaf()
	start := heap()
	schema := load(t)
	loaded := heap()
	c := yang.NewChecker(schema, db)
	c.Check(oneVPC())
	checked := heap()
	t.Logf("schema %.2f MiB, checker %.2f MiB", loaded-start, checked-loaded)
	if size := loaded - start; size > 4 {
		t.Errorf("the schema has %.2f MiB, want 4 or less", size)
	}
	if size := checked - loaded; size > 3 {
		t.Errorf("the checker has %.2f MiB, want 3 or less", size)
	}
	runtime.KeepAlive(schema)
	runtime.KeepAlive(c)
	runtime.KeepAlive(db)
}
