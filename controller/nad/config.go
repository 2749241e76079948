// Package nad reads what pods want of the fabric: the configurations in
// NetworkAttachmentDefinitions, and the annotations of pods that name these, as the
// Network Plumbing Working Group's "Kubernetes Network Custom Resource Definition
// De-facto Standard" 1.3 has them. It is pure, and bounds everything that it reads:
// whoever may make a pod may write an annotation.
package nad

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/types"
)

// PluginType is the type of a CNI configuration that is ours.
const PluginType = "switchlet"

// maxConfig is the longest configuration that is read, in bytes.
const maxConfig = 64 << 10

// ErrForeign says that a configuration has no plugin of ours: it is none of our
// business.
var ErrForeign = errors.New("no plugin of type " + PluginType)

// Network is the subnet that a configuration means: one of a VPC, whose only one it
// is if Subnet is empty, or, where VNI is not 0, the one that has that L2 VNI. Master
// is the NIC, or bond, of the host that the pods are to have it at; empty: any.
type Network struct {
	VPC    types.NamespacedName
	Subnet string
	VNI    int32
	Master string
}

// String is the network as its configuration has it.
func (n Network) String() string {
	if n.VNI != 0 {
		return fmt.Sprintf("VNI %d", n.VNI)
	}
	if n.Subnet == "" {
		return fmt.Sprintf("VPC %s", n.VPC)
	}
	return fmt.Sprintf("VPC %s, subnet %s", n.VPC, n.Subnet)
}

// plugin is what is looked at in the configuration of a plugin.
type plugin struct {
	VPC          string          `json:"vpc"`
	Subnet       string          `json:"subnet"`
	VPCNamespace string          `json:"vpcNamespace"`
	VNI          json.RawMessage `json:"VNI"`
	Master       string          `json:"master"`
}

// ParseConfig reads the configuration of a NetworkAttachmentDefinition in a
// namespace: one plugin, or a list that has ours in any place. It is ErrForeign
// for one that is somebody else's; any other error names the field and the way out.
func ParseConfig(namespace, text string) (Network, error) {
	if len(text) > maxConfig {
		return Network{}, fmt.Errorf("spec.config has %d bytes, and %d are read at most", len(text), maxConfig)
	}
	var config struct {
		Plugins []json.RawMessage `json:"plugins"`
	}
	if err := json.Unmarshal([]byte(text), &config); err != nil {
		if !strings.Contains(text, `"`+PluginType+`"`) {
			return Network{}, ErrForeign
		}
		return Network{}, mistaken(err)
	}
	var ours []json.RawMessage
	for _, p := range append(config.Plugins, json.RawMessage(text)) {
		if isOurs(p) {
			ours = append(ours, p)
		}
	}
	switch {
	case len(ours) == 0:
		return Network{}, ErrForeign
	case len(ours) > 1:
		return Network{}, fmt.Errorf("spec.config: %d plugins are of type %s; leave one, and make a NetworkAttachmentDefinition for each of the others", len(ours), PluginType)
	}
	var p plugin
	if err := json.Unmarshal(ours[0], &p); err != nil {
		return Network{}, mistaken(err)
	}
	return p.network(namespace)
}

// isOurs says whether the configuration of a plugin is for ours. What others say is
// theirs, whatever it is called.
func isOurs(raw json.RawMessage) bool {
	var p struct {
		Type any `json:"type"`
	}
	return json.Unmarshal(raw, &p) == nil && p.Type == PluginType
}

func mistaken(err error) error {
	return fmt.Errorf("spec.config is not the JSON of a CNI configuration: %s", cut(err.Error()))
}

func (p plugin) network(namespace string) (Network, error) {
	vni, err := parseVNI(p.VNI)
	switch {
	case err != nil:
		return Network{}, err
	case vni != 0 && (p.VPC != "" || p.Subnet != "" || p.VPCNamespace != ""):
		return Network{}, errors.New("spec.config: VNI stands alone; leave it out, or vpc, subnet and vpcNamespace")
	case p.Master != "" && !isInterface(p.Master):
		return Network{}, fmt.Errorf("spec.config: master: %q can be no NIC; %s", cut(p.Master), interfaceRule)
	case vni != 0:
		return Network{VNI: vni, Master: p.Master}, nil
	case p.VPC == "":
		return Network{}, errors.New(`spec.config: name the subnet by "vpc" and "subnet", or by "VNI"`)
	}
	if p.VPCNamespace == "" {
		p.VPCNamespace = namespace
	}
	for _, f := range []struct{ field, value string }{{"vpc", p.VPC}, {"subnet", p.Subnet}, {"vpcNamespace", p.VPCNamespace}} {
		if !isName(f.value) && (f.field != "subnet" || f.value != "") {
			return Network{}, fmt.Errorf("spec.config: %s: %q can be nobody's name; see kubectl get vpc -A", f.field, cut(f.value))
		}
	}
	return Network{VPC: types.NamespacedName{Namespace: p.VPCNamespace, Name: p.VPC}, Subnet: p.Subnet, Master: p.Master}, nil
}

// parseVNI reads a VNI that is a number or a string; 0 if there is none.
func parseVNI(raw json.RawMessage) (int32, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return 0, nil
	}
	text := string(raw)
	if raw[0] == '"' {
		if err := json.Unmarshal(raw, &text); err != nil {
			return 0, fmt.Errorf("spec.config: VNI: %w", err)
		}
	}
	v, err := strconv.ParseUint(text, 10, 24)
	if err != nil || v == 0 {
		return 0, fmt.Errorf("spec.config: VNI: %q is not a number from 1 to 16777215; see kubectl get allocations", cut(text))
	}
	return int32(v), nil
}

// isName says whether an object can have this name (RFC 1123).
func isName(s string) bool {
	for i := range len(s) {
		letter := 'a' <= s[i] && s[i] <= 'z' || '0' <= s[i] && s[i] <= '9'
		inside := (s[i] == '-' || s[i] == '.') && 0 < i && i < len(s)-1
		if !letter && !inside {
			return false
		}
	}
	return 0 < len(s) && len(s) <= 253
}

// interfaceRule is what isInterface asks for, for messages.
const interfaceRule = "15 bytes without a blank, slash or colon are the most"

// isInterface says whether the kernel can have an interface of this name (IFNAMSIZ).
func isInterface(s string) bool {
	bad := func(c rune) bool { return c <= ' ' || c == '/' || c == ':' || c > '~' }
	return s != "" && len(s) <= 15 && s != "." && s != ".." && !strings.ContainsFunc(s, bad)
}

// cut shortens what is quoted in a message.
func cut(s string) string {
	const most = 120
	if len(s) <= most {
		return s
	}
	s = s[:most]
	for len(s) > 0 && !utf8.ValidString(s) {
		s = s[:len(s)-1]
	}
	return s + "..."
}
