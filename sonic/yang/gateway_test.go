package yang_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/switchlet/switchlet/sonic/yang"
)

const vlan = `module sonic-vlan { container sonic-vlan { container VLAN_INTERFACE {
	list VLAN_INTERFACE_LIST { key "name"; leaf name { type string; } leaf vrf_name { type string; } LEAVES }
	list VLAN_INTERFACE_IPPREFIX_LIST { key "name"; leaf name { type string; } leaf mac_addr { type string; } } } } }`

const sag = `module sonic-static-anycast-gateway { container sonic-static-anycast-gateway {
	container SAG { list SAG_LIST { key "name"; leaf name { type string; } leaf gateway_mac { type string; } } } } }`

func models(t *testing.T, leaves string, others map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	files := map[string]string{"sonic-vlan.yang": strings.ReplaceAll(vlan, "LEAVES", leaves)}
	for name, text := range others {
		files[name] = text
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestReadGateways(t *testing.T) {
	const macAddr, static = "leaf mac_addr { type string; }", "leaf static_anycast_gateway { type string; }"
	sagFile := map[string]string{"sonic-static-anycast-gateway.yang": sag}
	for _, test := range []struct {
		name, dir string
		want      yang.Gateways
	}{
		{"neither, as on 202405", models(t, "", nil), yang.Gateways{}},
		{"mac_addr, as on 202505", models(t, macAddr, nil), yang.Gateways{MACAddress: true}},
		{"both, as on master", models(t, macAddr+static, sagFile), yang.Gateways{MACAddress: true, StaticAnycastGateway: true}},
		{"static_anycast_gateway without SAG", models(t, static, nil), yang.Gateways{}},
		{"SAG without static_anycast_gateway", models(t, "", sagFile), yang.Gateways{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := yang.ReadGateways(test.dir)
			if err != nil || got != test.want {
				t.Errorf("ReadGateways() = %+v, %v, want %+v", got, err, test.want)
			}
		})
	}
}

// The models of SONiC's master branch.
func TestReadGatewaysOfSONiC(t *testing.T) {
	dir := "../../../shared/sonic/yang-models"
	if _, err := os.Stat(dir); err != nil {
		if os.Getenv("SWITCHLET_TEST_REQUIRE") == "all" {
			t.Fatalf("SONiC's models: %v", err)
		}
		t.Skipf("SONiC's models: %v", err)
	}
	got, err := yang.ReadGateways(dir)
	if want := (yang.Gateways{MACAddress: true, StaticAnycastGateway: true}); err != nil || got != want {
		t.Errorf("ReadGateways() = %+v, %v, want %+v", got, err, want)
	}
}

func TestReadGatewaysWithoutModels(t *testing.T) {
	if _, err := yang.ReadGateways(t.TempDir()); !os.IsNotExist(err) {
		t.Errorf("error is %v, want that sonic-vlan.yang does not exist", err)
	}
}
