package nad

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"

	"k8s.io/apimachinery/pkg/types"
)

// The annotations by which a pod names networks.
const (
	// NetworksAnnotation are those beside its first one.
	NetworksAnnotation = "k8s.v1.cni.cncf.io/networks"
	// DefaultNetworkAnnotation is the one that is to be its first, in place of the
	// cluster's. It is Multus's own, and not part of the standard.
	DefaultNetworkAnnotation = "v1.multus-cni.io/default-network"
)

const (
	// MaxAnnotation is the longest annotation that is read, in bytes.
	MaxAnnotation = 64 << 10
	// MaxNetworks is how many networks of a pod are looked at.
	MaxNetworks = 128
	// maxIPs is how many addresses a pod may ask for in one network.
	maxIPs = 16
)

// Selection is one NetworkAttachmentDefinition that a pod names.
type Selection struct {
	types.NamespacedName
	// Interface in the pod; empty: the runtime chooses.
	Interface string
	// IPs that the pod asks for.
	IPs []netip.Addr
	// MAC that the pod asks for.
	MAC string
	// Claim is the IPAMClaim, in the namespace of the pod, that keeps the address.
	Claim string
}

// element is a network in the JSON form of the annotation.
type element struct {
	Name      string   `json:"name"`
	Namespace string   `json:"namespace"`
	Interface string   `json:"interface"`
	IPs       []string `json:"ips"`
	MAC       string   `json:"mac"`
	Claim     string   `json:"ipam-claim-reference"`
}

// Of are the networks that a pod in a namespace names. What one annotation has
// wrong does not hide what the other says.
func Of(namespace string, annotations map[string]string) ([]Selection, error) {
	var out []Selection
	var mistakes []error
	for _, key := range []string{DefaultNetworkAnnotation, NetworksAnnotation} {
		text := annotations[key]
		if text == "" {
			continue
		}
		found, err := ParseSelections(namespace, text)
		if err != nil {
			mistakes = append(mistakes, fmt.Errorf("annotation %s: %w", key, err))
		}
		out = append(out, found...)
	}
	return out, errors.Join(mistakes...)
}

// ParseSelections reads an annotation in either of its formats: names with commas
// between them, each such as "namespace/name@interface", or a JSON list. Of one with
// a mistake nothing counts: a pod with half of its networks does not start.
func ParseSelections(namespace, text string) ([]Selection, error) {
	if len(text) > MaxAnnotation {
		return nil, fmt.Errorf("it has %d bytes, and %d are read at most", len(text), MaxAnnotation)
	}
	text = strings.TrimSpace(text)
	var elements []element
	if strings.HasPrefix(text, "[") {
		if err := json.Unmarshal([]byte(text), &elements); err != nil {
			return nil, fmt.Errorf("it is not a JSON list of networks: %s", cut(err.Error()))
		}
	} else {
		for name := range strings.SplitSeq(text, ",") {
			if name = strings.TrimSpace(name); name != "" {
				elements = append(elements, parseName(name))
			}
		}
	}
	if len(elements) > MaxNetworks {
		return nil, fmt.Errorf("it names %d networks, and %d are read at most", len(elements), MaxNetworks)
	}
	out := make([]Selection, 0, len(elements))
	for _, e := range elements {
		s, err := e.selection(namespace)
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

// parseName splits a name of the short form.
func parseName(text string) element {
	var e element
	e.Name, e.Interface, _ = strings.Cut(text, "@")
	if namespace, name, found := strings.Cut(e.Name, "/"); found {
		e.Namespace, e.Name = strings.TrimSpace(namespace), strings.TrimSpace(name)
	}
	e.Interface = strings.TrimSpace(e.Interface)
	return e
}

func (e element) selection(namespace string) (Selection, error) {
	if e.Namespace == "" {
		e.Namespace = namespace
	}
	if !isName(e.Name) || !isName(e.Namespace) {
		return Selection{}, fmt.Errorf("%q in namespace %q can be no NetworkAttachmentDefinition; write namespace/name@interface", cut(e.Name), cut(e.Namespace))
	}
	s := Selection{NamespacedName: types.NamespacedName{Namespace: e.Namespace, Name: e.Name}, Interface: e.Interface, Claim: e.Claim}
	switch {
	case e.Interface != "" && !isInterface(e.Interface):
		return Selection{}, fmt.Errorf("%s: %q can be no interface; %s", e.Name, cut(e.Interface), interfaceRule)
	case e.Claim != "" && !isName(e.Claim):
		return Selection{}, fmt.Errorf("%s: ipam-claim-reference: %q can be no IPAMClaim", e.Name, cut(e.Claim))
	case e.Claim != "" && len(e.IPs) > 0:
		return Selection{}, fmt.Errorf("%s: ips and ipam-claim-reference exclude each other", e.Name)
	case len(e.IPs) > maxIPs:
		return Selection{}, fmt.Errorf("%s: %d ips, and %d are the most", e.Name, len(e.IPs), maxIPs)
	}
	for _, text := range e.IPs {
		a, err := parseIP(text)
		if err != nil {
			return Selection{}, fmt.Errorf("%s: ips: %w", e.Name, err)
		}
		s.IPs = append(s.IPs, a)
	}
	if e.MAC != "" {
		mac, err := net.ParseMAC(e.MAC)
		if err != nil || len(mac) != 6 {
			return Selection{}, fmt.Errorf("%s: mac: %q is no MAC address", e.Name, cut(e.MAC))
		}
		s.MAC = mac.String()
	}
	return s, nil
}

// parseIP reads an address with or without the length of its network.
func parseIP(text string) (netip.Addr, error) {
	if p, err := netip.ParsePrefix(text); err == nil {
		return p.Addr().Unmap(), nil
	}
	a, err := netip.ParseAddr(text)
	if err != nil || a.Zone() != "" {
		return netip.Addr{}, fmt.Errorf("%q is no IP address", cut(text))
	}
	return a.Unmap(), nil
}
