// Package yang reads the YANG models that lie on a switch: what they know is
// what may be written there.
package yang

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/openconfig/goyang/pkg/yang"
)

// Gateways says which ways to an anycast gateway the models of a switch know.
type Gateways struct {
	// MACAddress: VLAN_INTERFACE has the field mac_addr.
	MACAddress bool
	// StaticAnycastGateway: there is SAG, and VLAN_INTERFACE has the field
	// static_anycast_gateway.
	StaticAnycastGateway bool
}

// maxModelSize bounds the files that are read; SONiC's have up to 100 KiB.
const maxModelSize = 1 << 20

// ReadGateways looks into the models of a folder, which is
// /usr/local/yang-models on a switch. A folder without sonic-vlan.yang is an
// error: it says nothing about the switch.
func ReadGateways(dir string) (Gateways, error) {
	statements, err := parseFile(filepath.Join(dir, "sonic-vlan.yang"))
	if err != nil {
		return Gateways{}, err
	}
	list := find(statements, "list", "VLAN_INTERFACE_LIST")
	if list == nil {
		return Gateways{}, fmt.Errorf("%s has no list VLAN_INTERFACE_LIST in sonic-vlan.yang", dir)
	}
	g := Gateways{MACAddress: find(list.SubStatements(), "leaf", "mac_addr") != nil}
	if find(list.SubStatements(), "leaf", "static_anycast_gateway") == nil {
		return g, nil
	}
	statements, err = parseFile(filepath.Join(dir, "sonic-static-anycast-gateway.yang"))
	if os.IsNotExist(err) {
		return g, nil
	}
	if err != nil {
		return Gateways{}, err
	}
	g.StaticAnycastGateway = find(statements, "container", "SAG") != nil
	return g, nil
}

func parseFile(name string) ([]*yang.Statement, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxModelSize+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxModelSize {
		return nil, fmt.Errorf("%s is larger than %d bytes", name, maxModelSize)
	}
	statements, err := yang.Parse(string(text), name)
	if err != nil {
		return nil, fmt.Errorf("parse a YANG model: %w", err)
	}
	return statements, nil
}

// find looks for a statement at any depth.
func find(statements []*yang.Statement, keyword, argument string) *yang.Statement {
	for _, s := range statements {
		if s.Keyword == keyword && s.Argument == argument {
			return s
		}
		if found := find(s.SubStatements(), keyword, argument); found != nil {
			return found
		}
	}
	return nil
}
