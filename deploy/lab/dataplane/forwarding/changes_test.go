package forwarding

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/switchlet/switchlet/deploy/lab/box"
	"github.com/switchlet/switchlet/deploy/lab/cabling"
	"github.com/switchlet/switchlet/deploy/lab/labtest"
)

// packetSizes: a host can use 50 bytes less than the uplinks across the fabric, and
// all of its port's MTU on its leaf. More is dropped, not cut in pieces.
func packetSizes(t *testing.T, f *fabric) {
	const header4, header6 = 20 + 8, 40 + 8
	for _, test := range []struct {
		from, to string
		payload  int
		arrives  bool
	}{
		{"blue1", "10.1.1.12", hostMTU - header4, true},
		{"blue1", "fd00:1:1::12", hostMTU - header6, true},
		{"app1", "10.1.2.13", hostMTU - header4, true},
		{"app1", "fd00:1:2::13", hostMTU - header6, true},
		{"blue2", "10.1.2.13", hostMTU - header4, true},
	} {
		err := f.hosts[test.from].ping(test.to, test.payload, time.Second)
		if (err == nil) != test.arrives {
			t.Errorf("%s to %s with %d bytes: %v, want that it arrives: %v", test.from, test.to, test.payload, err, test.arrives)
		}
	}
	for _, name := range []string{"blue1", "blue2", "blue3"} {
		f.hosts[name].setMTU(9100)
		defer f.hosts[name].setMTU(hostMTU)
	}
	if err := f.hosts["blue1"].ping("10.1.1.12", hostMTU+1-header4, 500*time.Millisecond); err == nil {
		t.Errorf("%d bytes cross the fabric", hostMTU+1)
	}
	if err := f.hosts["blue2"].ping("10.1.2.13", 9100-header4, time.Second); err != nil {
		t.Errorf("9100 bytes do not cross one leaf: %v", err)
	}
}

// leftAlone: rows that are written and say nothing new change no device.
func leftAlone(t *testing.T, f *fabric) {
	leaf := f.switches["leaf1"]
	leaf.settle(t)
	before := leaf.log.changes()
	leaf.set(t, "VLAN|Vlan100", "description", "another")
	f.configure()
	leaf.settle(t)
	if after := leaf.log.changes(); after != before {
		t.Errorf("%d changes of the data plane, want none:\n%s", after-before, leaf.log.last())
	}
}

// portsTell: carriers and counters are in the databases.
func portsTell(t *testing.T, f *fabric) {
	leaf := f.switches["leaf1"]
	leaf.awaitRow(t, 0, "PORT_TABLE:Ethernet0", "oper_status", "up")
	leaf.awaitRow(t, 0, "PORT_TABLE:Ethernet4", "oper_status", "down")
	f.unplug("blue1/eth1")
	leaf.awaitRow(t, 0, "PORT_TABLE:Ethernet0", "oper_status", "down")
	leaf.awaitRow(t, 6, "PORT_TABLE|Ethernet0", "netdev_oper_status", "down")
	f.expectNot(t, "blue2", "10.1.1.11")
	f.plug("blue1/eth1", "leaf1/Ethernet0")
	leaf.awaitRow(t, 0, "PORT_TABLE:Ethernet0", "oper_status", "up")
	f.expect(t, "blue1", "10.1.1.12")
	oid := leaf.field(t, 2, "COUNTERS_PORT_NAME_MAP", "Ethernet108")
	before := leaf.field(t, 2, "COUNTERS:"+oid, "SAI_PORT_STAT_IF_OUT_OCTETS")
	for deadline := time.Now().Add(patience); leaf.field(t, 2, "COUNTERS:"+oid, "SAI_PORT_STAT_IF_OUT_OCTETS") == before; {
		if time.Now().After(deadline) {
			t.Fatalf("%s of Ethernet108 stays %s", oid, before)
		}
		f.expect(t, "blue1", "10.1.1.12")
		leaf.settle(t)
	}
}

// uplinkPulled: the other spine carries what the first one did.
func uplinkPulled(t *testing.T, f *fabric) {
	for _, cable := range []string{"leaf1/" + uplink(0), "leaf1/" + uplink(1)} {
		f.unplug(cable)
		f.expect(t, "blue1", "10.1.1.12")
		f.expect(t, "app1", "10.1.2.13")
		if t.Failed() {
			t.FailNow() // with the cable out, so that what is wrong shows
		}
		f.replug(cable)
		f.switches["leaf1"].awaitSessions(t, 2)
	}
}

// cableMoved: a host's cable is moved from one leaf to the other, and back. Neither loses
// a route to what is at the other one: what BGP has dropped does not come again.
func cableMoved(t *testing.T, f *fabric) {
	nic := end("silent", "eth1")
	for _, port := range []cabling.End{end("leaf1", "Ethernet16"), end("leaf2", "Ethernet12")} {
		f.must(f.panel.Move(nic, port))
		f.switches[port.Node].awaitRow(t, 0, "PORT_TABLE:"+port.Port, "oper_status", "up")
		reach(t, f)
	}
}

func portShutDown(t *testing.T, f *fabric) {
	leaf := f.switches["leaf2"]
	leaf.set(t, "PORT|Ethernet0", "admin_status", "down")
	f.expectNot(t, "blue2", "10.1.1.1")
	leaf.awaitRow(t, 0, "PORT_TABLE:Ethernet0", "oper_status", "down")
	leaf.set(t, "PORT|Ethernet0", "admin_status", "up")
	f.expect(t, "blue2", "10.1.1.1")
}

// taggingIgnored: vlanmgrd does not look at a changed tagging_mode, so frames stay
// tagged.
func taggingIgnored(t *testing.T, f *fabric) {
	leaf := f.switches["leaf2"]
	leaf.set(t, "VLAN_MEMBER|Vlan200|Ethernet0", "tagging_mode", "untagged")
	f.expect(t, "blue2", "10.1.1.1")
	leaf.set(t, "VLAN_MEMBER|Vlan200|Ethernet0", "tagging_mode", "tagged")
	leaf.box.Daemons().Forget()
}

func noMistakes(t *testing.T, f *fabric) {
	for _, d := range f.switches {
		labtest.NoMistakes(t, d.box.Daemons())
	}
}

// vpcAgain: a VPC is taken from a leaf, and comes back. The other one goes on.
func vpcAgain(t *testing.T, f *fabric) {
	leaf := f.switches["leaf2"]
	spec := specs()["leaf2"]
	spec.VRFs = spec.VRFs[1:]
	spec.Segments = spec.Segments[2:]
	f.must(leaf.withdraw(spec))
	f.expectNot(t, "blue2", "10.1.1.1")
	f.expectNot(t, "app1", "10.1.2.13")
	f.expect(t, "red1", "10.1.1.22")
	f.configure()
	reach(t, f)
	leaks(t, f)
}

// reload: what was not saved is gone from CONFIG_DB, and from the data plane; it
// comes back with its rows. FRR starts anew too: SONiC's bgp container does whenever
// swss does.
func reload(t *testing.T, f *fabric) {
	leaf := f.switches["leaf2"]
	f.must(leaf.box.Reload(t.Context()))
	leaf.settle(t)
	f.expectNot(t, "blue2", "10.1.1.1")
	f.expectNot(t, "blue1", "10.1.1.12")
	clear(leaf.owned)
	leaf.restartFRR()
	f.configure()
	reach(t, f)
	leaks(t, f)
}

// wedgedVRF: a VRF that is set again before orchagent has let go of it stays
// half-dead, and nothing is routed in it; VLANs are not the VRF's. The other VPC
// goes on.
func wedgedVRF(t *testing.T, f *fabric) {
	leaf := f.switches["leaf2"]
	row, err := leaf.box.Rows(t.Context(), "VRF|Vrf20001")
	f.must(err)
	f.must(leaf.client(t, 4).Del(t.Context(), "VRF|Vrf20001").Err())
	leaf.settle(t)
	f.must(box.Write(t.Context(), leaf.box.Socket(), row))
	leaf.settle(t)
	f.expectNot(t, "blue3", "10.1.2.1")
	f.expectNot(t, "app1", "10.1.2.13")
	f.expect(t, "blue1", "10.1.1.12")
	f.expect(t, "red1", "10.1.1.22")
}

// set writes a field as an operator does, and waits until the daemons have followed.
func (d *device) set(t *testing.T, key, field, value string) {
	t.Helper()
	if err := d.client(t, 4).HSet(t.Context(), key, field, value).Err(); err != nil {
		t.Fatal(err)
	}
	d.settle(t)
}

func (d *device) settle(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := d.box.Daemons().Quiet(ctx); err != nil {
		t.Fatal(err)
	}
}

// client of one of the databases.
func (d *device) client(t *testing.T, db int) *redis.Client {
	t.Helper()
	client := redis.NewClient(&redis.Options{Network: "unix", Addr: d.box.Socket(), DB: db, Protocol: 2, DisableIdentity: true})
	t.Cleanup(func() { client.Close() })
	return client
}

func (d *device) field(t *testing.T, db int, key, field string) string {
	t.Helper()
	value, err := d.client(t, db).HGet(t.Context(), key, field).Result()
	if err != nil {
		t.Fatalf("%s %s of %s: %v", key, field, d.name, err)
	}
	return value
}

// awaitRow waits until a field of a row has a value.
func (d *device) awaitRow(t *testing.T, db int, key, field, want string) {
	t.Helper()
	client := d.client(t, db)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	events := client.PSubscribe(ctx, "__keyspace@*__:"+key)
	defer events.Close()
	if _, err := events.Receive(ctx); err != nil {
		t.Fatal(err)
	}
	for {
		got, err := client.HGet(ctx, key, field).Result()
		if err == nil && got == want {
			return
		}
		if _, err := events.ReceiveMessage(ctx); err != nil {
			t.Fatalf("%s of %s: %s is %q, want %q: %v", key, d.name, field, got, want, err)
		}
	}
}

// awaitSessions waits until BGP has so many sessions.
func (d *device) awaitSessions(t *testing.T, want int) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		answer, err := d.frr.ask(t.Context(), "bgpd", "show bgp l2vpn evpn summary established json")
		if err == nil && strings.Count(answer, `"state":"Established"`) == want {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s does not have %d sessions: %v\n%s", d.name, want, err, answer)
		}
	}
}

// gatewaysKnown makes VLANs with gateways again and again: FRR has their addresses each
// time, or it would not announce the subnets.
func gatewaysKnown(t *testing.T, f *fabric) {
	all, leaf := specs(), f.switches["leaf2"]
	without := *all["leaf2"]
	without.Segments = nil
	for range 6 {
		f.must(leaf.withdraw(&without))
		f.must(leaf.configure(all["leaf2"]))
		for _, segment := range all["leaf2"].Segments {
			for _, gateway := range segment.Gateways {
				leaf.awaitAddress(t, fmt.Sprintf("Vlan%d", segment.VLAN), gateway)
			}
		}
	}
}

// awaitAddress waits until zebra knows an address of an interface.
func (d *device) awaitAddress(t *testing.T, name, address string) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; {
		answer, err := d.frr.ask(t.Context(), "zebra", "show interface "+name)
		switch {
		case err == nil && strings.Contains(answer, " "+address+"\n"):
			return
		case time.Now().After(deadline):
			t.Fatalf("zebra of %s does not know %s of %s: %v\n%s", d.name, address, name, err, answer)
		}
		d.settle(t)
	}
}
