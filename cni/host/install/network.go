package install

import (
	"encoding/json"
	"fmt"
	"path/filepath"

	"github.com/switchlet/switchlet/cni/protocol"
)

// NetworkFile is the file with the network of pods that ask for none. A runtime takes
// the first one of its folder, by name: Multus's has to come before it.
const NetworkFile = "10-switchlet.conflist"

// networkMode of that file: whoever debugs a runtime may read it.
const networkMode = 0o644

// Subnet of a VPC, by its names.
type Subnet struct{ Namespace, VPC, Subnet string }

func (s Subnet) String() string { return s.Namespace + "/" + s.VPC + "/" + s.Subnet }

// plugin is the configuration of ours in a list (docs/cni.md).
type plugin struct {
	Type         string          `json:"type"`
	VPCNamespace string          `json:"vpcNamespace"`
	VPC          string          `json:"vpc"`
	Subnet       string          `json:"subnet"`
	DefaultRoute bool            `json:"defaultRoute"`
	Capabilities map[string]bool `json:"capabilities"`
}

// networkList is a network configuration list. A runtime that knows version 1.1.0 of
// the specification takes that, and asks for the STATUS; one that does not looks at
// cniVersion (CNI specification 1.1, section "Configuration format").
func networkList(s Subnet) ([]byte, error) {
	text, err := json.MarshalIndent(struct {
		CNIVersion  string   `json:"cniVersion"`
		CNIVersions []string `json:"cniVersions"`
		Name        string   `json:"name"`
		Plugins     []plugin `json:"plugins"`
	}{"1.0.0", []string{"1.0.0", protocol.Newest}, "switchlet", []plugin{{
		Type: "switchlet", VPCNamespace: s.Namespace, VPC: s.VPC, Subnet: s.Subnet, DefaultRoute: true,
		Capabilities: map[string]bool{"ips": true, "mac": true},
	}}}, "", "  ")
	return append(text, '\n'), err
}

// Network makes a subnet the network of a node's pods that ask for none, for a
// container runtime that looks for it in folder, and reports whether that changed
// anything.
func Network(s Subnet, folder string) (changed bool, err error) {
	text, err := networkList(s)
	if err != nil {
		return false, err
	}
	target := filepath.Join(folder, NetworkFile)
	if changed, err = place(text, folder, target, networkMode); err != nil {
		return false, fmt.Errorf("install %s: %w", target, err)
	}
	return changed, nil
}
