package frr

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParseSessions(t *testing.T) {
	got, err := parseSessions(`{
"default":{
"ipv4Unicast":{"routerId":"10.255.0.1","as":65001,"peers":{
  "Ethernet4":{"remoteAs":65102,"peerUptimeMsec":0,"state":"Active","connectionsEstablished":0,"idType":"interface"},
  "Ethernet0":{"remoteAs":65101,"peerUptimeMsec":2000,"pfxRcd":7,"pfxSnt":9,"state":"Established","connectionsEstablished":1,"idType":"interface"}},
  "totalPeers":2},
"vrfName":"default"},
"Vrf20001":{}
}`)
	if err != nil {
		t.Fatal(err)
	}
	want := []Neighbor{
		{VRF: "default", Family: "ipv4Unicast", Name: "Ethernet0", RemoteAS: 65101, State: "Established", Up: 2 * time.Second, EstablishedCount: 1, Received: 7, Sent: 9},
		{VRF: "default", Family: "ipv4Unicast", Name: "Ethernet4", RemoteAS: 65102, State: "Active"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	for _, text := range []string{"", "% BGP instance not found\n", "{}"} {
		if got, err := parseSessions(text); err != nil || len(got) > 0 {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
	if _, err := parseSessions(`{"default":{"ipv4Unicast":{"peers":[]}}}`); err == nil {
		t.Error("an error was expected")
	}
}

func TestParseVNIs(t *testing.T) {
	got, err := parseVNIs(`{
  "20001":{"vni":20001,"vxlanIf":"None","numMacs":0,"numArpNd":0,"numRemoteVteps":"n/a","type":"L3","tenantVrf":"Vrf20001"},
  "10100":{"vni":10100,"type":"L2","vxlanIf":"switchlet-100","numMacs":3,"numArpNd":2,"numRemoteVteps":4,"tenantVrf":"Vrf20001"}
}`)
	if err != nil {
		t.Fatal(err)
	}
	want := []VNI{
		{VNI: 10100, VRF: "Vrf20001", Interface: "switchlet-100", MACs: 3, Neighbors: 2, RemoteVTEPs: 4},
		{VNI: 20001, L3: true, VRF: "Vrf20001", Interface: "None"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestParseRoutes(t *testing.T) {
	for _, test := range []struct {
		name, text string
		want       int
	}{
		{"FRR 8: one after the other", `{"routes":[{"fib":2,"rib":3,"type":"ebgp"},{"fib":9,"rib":9,"type":"connected"}],"routesTotal":12,"routesTotalFib":11}
{"routes":[{"fib":1,"rib":1,"type":"ibgp"}],"routesTotal":1,"routesTotalFib":1}`, 3},
		{"FRR 10: by VRF", `{"default":{"routes":[{"fib":2,"rib":3,"fibOffLoaded":0,"type":"ebgp"},{"fib":9,"rib":9,"type":"local"}],"routesTotal":12},
"routes":{"routes":[{"fib":1,"rib":1,"type":"ibgp"}],"routesTotal":1}}`, 3},
		{"nothing", "", 0},
	} {
		if got, err := parseRoutes(test.text); err != nil || got != test.want {
			t.Errorf("%s: %d, %v, want %d", test.name, got, err, test.want)
		}
	}
	for _, text := range []string{`{"routes":{}}x`, `{"default":[]}{`, `{"routes":3}`} {
		if got, err := parseRoutes(text); err == nil {
			t.Errorf("%s: %d, an error was expected", text, got)
		}
	}
}
