// Package result writes what a plugin answers to ADD, in each version of the CNI
// specification. It computes only.
package result

import (
	"encoding/json"
	"net/netip"
)

// Result of an ADD.
type Result struct {
	// Interfaces, the pod's first: Multus takes the first one with a sandbox for
	// the pod's status.
	Interfaces []Interface
	// IPs of the first interface.
	IPs []IP
	// Routes that lead through it.
	Routes []Route
}

// Route is what is reached through a gateway.
type Route struct {
	To  netip.Prefix `json:"dst"`
	Via netip.Addr   `json:"gw"`
}

// Interface that was made, or used.
type Interface struct {
	Name    string `json:"name"`
	MAC     string `json:"mac,omitempty"`
	MTU     int    `json:"mtu,omitempty"` // since 1.1.0
	Sandbox string `json:"sandbox,omitempty"`
	PCI     string `json:"pciID,omitempty"` // since 1.1.0
}

// IP is an address and the gateway of its subnet, if there is one.
type IP struct {
	Address netip.Prefix
	Gateway netip.Addr
}

// ip as it is written. Until 0.4.0 it says its version.
type ip struct {
	Version   string `json:"version,omitempty"`
	Address   string `json:"address"`
	Gateway   string `json:"gateway,omitempty"`
	Interface int    `json:"interface"`
}

// Encode writes a result in a version that is supported.
func (r Result) Encode(version string) ([]byte, error) {
	interfaces := make([]Interface, 0, len(r.Interfaces))
	for _, i := range r.Interfaces {
		if version != "1.1.0" {
			i.MTU, i.PCI = 0, ""
		}
		interfaces = append(interfaces, i)
	}
	ips := make([]ip, 0, len(r.IPs))
	for _, a := range r.IPs {
		ips = append(ips, encodeIP(a, version))
	}
	body, err := json.Marshal(struct {
		CNIVersion string      `json:"cniVersion"`
		Interfaces []Interface `json:"interfaces"`
		IPs        []ip        `json:"ips,omitempty"`
		Routes     []Route     `json:"routes,omitempty"`
		DNS        struct{}    `json:"dns"`
	}{version, interfaces, ips, r.Routes, struct{}{}})
	return append(body, '\n'), err
}

func encodeIP(a IP, version string) ip {
	text := ip{Address: a.Address.String()}
	if a.Gateway.IsValid() {
		text.Gateway = a.Gateway.String()
	}
	if version < "1.0.0" { // those that are supported sort as text
		text.Version = "4"
		if a.Address.Addr().Is6() {
			text.Version = "6"
		}
	}
	return text
}

// Pass gives on the result of the plugin before, which is in the version of the
// configuration already (CNI specification 1.1, section "Deriving runtime
// configuration").
func Pass(previous json.RawMessage) []byte { return append([]byte(previous), '\n') }
