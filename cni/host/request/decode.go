package request

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/switchlet/switchlet/cni/protocol"
)

// config is the configuration as it is written.
type config struct {
	CNIVersion   string          `json:"cniVersion"`
	Name         string          `json:"name"`
	VPC          string          `json:"vpc"`
	Subnet       string          `json:"subnet"`
	VPCNamespace string          `json:"vpcNamespace"`
	VNI          vni             `json:"VNI"`
	Mode         string          `json:"mode"`
	Master       string          `json:"master"`
	MTU          int             `json:"mtu"`
	DefaultRoute bool            `json:"defaultRoute"`
	DeviceID     string          `json:"deviceID"`
	Runtime      runtimeConfig   `json:"runtimeConfig"`
	Previous     json.RawMessage `json:"prevResult"`
	Valid        []Key           `json:"cni.dev/valid-attachments"`
}

// runtimeConfig is what the runtime adds, for the capabilities that the
// configuration declares.
type runtimeConfig struct {
	IPs      []string `json:"ips"`
	MAC      string   `json:"mac"`
	DeviceID string   `json:"deviceID"`
	Claim    string   `json:"ipam-claim-reference"`
}

// vni is a number, or a string with one.
type vni int32

func (v *vni) UnmarshalJSON(text []byte) error {
	word := string(text)
	if strings.HasPrefix(word, `"`) {
		if err := json.Unmarshal(text, &word); err != nil {
			return err
		}
	}
	n, err := strconv.ParseUint(word, 10, 24)
	if err != nil || n == 0 {
		return fmt.Errorf("VNI is %s: it has to be a number from 1 to 16777215", text)
	}
	*v = vni(n)
	return nil
}

func decode(text []byte) (config, error) {
	var c config
	if err := json.Unmarshal(text, &c); err != nil {
		return config{}, &protocol.Error{Code: protocol.CodeDecode, Message: fmt.Sprintf("network configuration: %v", err),
			Details: "correct the NetworkAttachmentDefinition"}
	}
	if !slices.Contains(protocol.Supported(), c.CNIVersion) {
		return config{}, &protocol.Error{Code: protocol.CodeIncompatible, Message: fmt.Sprintf("network configuration %q: cniVersion is %q", c.Name, c.CNIVersion),
			Details: fmt.Sprintf("it has to be one of %v", protocol.Supported())}
	}
	if string(c.Previous) == "null" {
		c.Previous = nil
	}
	return c, nil
}

// parseArgs reads CNI_ARGS: K8S_POD_NAMESPACE=a;K8S_POD_NAME=b.
func parseArgs(text string) (map[string]string, error) {
	args := map[string]string{}
	for pair := range strings.SplitSeq(text, ";") {
		if pair == "" {
			continue
		}
		key, value, ok := strings.Cut(pair, "=")
		if !ok {
			return nil, &protocol.Error{Code: protocol.CodeEnvironment, Message: fmt.Sprintf("CNI_ARGS: %q is no KEY=VALUE", pair)}
		}
		args[key] = value
	}
	return args, nil
}

// containerID is the form of one (CNI specification 1.1, section "Parameters").
var containerID = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_.\-]{0,127}$`)

// Valid reports whether it can be the key of an interface.
func (k Key) Valid() bool { return k.check() == nil }

// check refuses what the kernel or the journal would stumble over.
func (k Key) check() error {
	if !containerID.MatchString(k.ContainerID) {
		return &protocol.Error{Code: protocol.CodeEnvironment, Message: fmt.Sprintf("CNI_CONTAINERID is %q", k.ContainerID),
			Details: "it has to begin with a letter or digit, and have letters, digits, '_', '.', '-' only, 128 at most"}
	}
	if !isInterface(k.IfName) {
		return &protocol.Error{Code: protocol.CodeEnvironment, Message: fmt.Sprintf("CNI_IFNAME is %q", k.IfName), Details: interfaceRule}
	}
	return nil
}

// interfaceRule is what isInterface asks for, for people.
const interfaceRule = "it has to be the name of an interface: 1 to 15 characters, no '/', ':' or space"

// isInterface says whether the kernel can have an interface of this name (IFNAMSIZ).
func isInterface(name string) bool {
	bad := func(c rune) bool { return c <= ' ' || c == '/' || c == ':' || c > '~' }
	return name != "" && len(name) <= 15 && name != "." && name != ".." && !strings.ContainsFunc(name, bad)
}
