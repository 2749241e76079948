package result_test

import (
	"net/netip"
	"testing"

	types100 "github.com/containernetworking/cni/pkg/types/100"
	"github.com/containernetworking/cni/pkg/types/create"

	"github.com/switchlet/switchlet/cni/host/result"
	"github.com/switchlet/switchlet/cni/protocol"
)

func dual() result.Result {
	return result.Result{
		Interfaces: []result.Interface{{Name: "net1", MAC: "0a:58:0a:01:00:07", MTU: 9000, Sandbox: "/run/netns/a"}, {Name: "swp1", MAC: "0a:00:00:00:00:01"}},
		IPs: []result.IP{
			{Address: netip.MustParsePrefix("10.1.0.7/24"), Gateway: netip.MustParseAddr("10.1.0.1")},
			{Address: netip.MustParsePrefix("fd00::7/64")},
		},
	}
}

// What is written is read by the library that runtimes use, in each version.
func TestRuntimesReadIt(t *testing.T) {
	for _, version := range protocol.Supported() {
		t.Run(version, func(t *testing.T) {
			text, err := dual().Encode(version)
			if err != nil {
				t.Fatal(err)
			}
			read, err := create.Create(version, text)
			if err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			got, err := types100.NewResultFromResult(read)
			if err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			if got.Interfaces[0].Name != "net1" || got.Interfaces[0].Sandbox != "/run/netns/a" || (got.Interfaces[0].Mtu == 9000) != (version == "1.1.0") {
				t.Errorf("interfaces of %s are %v", text, got.Interfaces)
			}
			if len(got.IPs) != 2 || got.IPs[0].Address.String() != "10.1.0.7/24" || got.IPs[0].Gateway.String() != "10.1.0.1" ||
				got.IPs[1].Address.String() != "fd00::7/64" || got.IPs[1].Gateway != nil || *got.IPs[1].Interface != 0 {
				t.Errorf("addresses of %s are %v", text, got.IPs)
			}
		})
	}
}
