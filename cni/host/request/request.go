package request

import (
	"encoding/json"
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/switchlet/switchlet/cni/protocol"
)

// Mode is how a pod's interface is made.
type Mode string

const (
	// Macvlan is an interface on the uplink itself. Pods of a network on one host
	// reach each other.
	Macvlan Mode = "macvlan"
	// Bridge is one end of a veth pair; the other is in a Linux bridge with the
	// uplink.
	Bridge Mode = "bridge"
	// SRIOV is a virtual function of a NIC, which was given as deviceID.
	SRIOV Mode = "sriov"
	// Chained makes no interface: another plugin has. Only the fabric's side is
	// looked after.
	Chained Mode = "chained"
)

// Key names an interface of a pod for as long as it is there.
type Key struct {
	ContainerID string `json:"containerID"`
	IfName      string `json:"ifname"`
}

func (k Key) String() string { return k.ContainerID + "/" + k.IfName }

// Pod is the one that an interface is for.
type Pod struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	UID       string `json:"uid,omitempty"`
}

func (p Pod) String() string { return p.Namespace + "/" + p.Name }

// Request is one request for an interface.
type Request struct {
	Key
	// Version of the CNI specification, and Network, the name of the configuration.
	Version, Network string
	// VNI of the subnet; 0 if VPC and Subnet name it. VPCNamespace may be empty.
	VNI                       int32
	VPC, Subnet, VPCNamespace string
	Mode                      Mode
	// Master is the NIC of the host, or the bond, that the network is to be at; empty: any.
	Master string
	// MTU of the interface; 0: the network's.
	MTU int
	// DefaultRoute: the pod's default route leads through the interface.
	DefaultRoute bool
	// IPs and MAC that the pod asks for, and the device that it was given.
	IPs      []netip.Addr
	MAC      net.HardwareAddr
	DeviceID string
	// Claim is the IPAMClaim whose addresses the pod wants.
	Claim string
	Pod   Pod
	// NetnsPath is where the runtime has the pod's network namespace.
	NetnsPath string
	// Previous is the result of the plugin before in a chain, or in CHECK and DEL
	// that of ADD; nil if there is none.
	Previous json.RawMessage
	// Valid are those that a GC leaves.
	Valid []Key
}

// Name of the subnet, for people.
func (r Request) Name() string {
	if r.VNI != 0 {
		return fmt.Sprintf("VNI %d", r.VNI)
	}
	return fmt.Sprintf("subnet %s of VPC %s/%s", r.Subnet, r.Namespace(), r.VPC)
}

// Namespace of the VPC: the pod's, if nothing else is said.
func (r Request) Namespace() string {
	if r.VPCNamespace != "" {
		return r.VPCNamespace
	}
	return r.Pod.Namespace
}

// Parse reads a request. Its errors are a *protocol.Error.
func Parse(p protocol.Request) (Request, error) {
	raw, err := decode(p.Config)
	if err != nil && p.Command == "DEL" { // a pod has to be able to end; its key says enough
		raw, err = config{}, nil
	}
	if err != nil {
		return Request{}, err
	}
	r := Request{
		Key: Key{p.ContainerID, p.IfName}, NetnsPath: p.Netns, Version: raw.CNIVersion, Network: raw.Name,
		VPC: raw.VPC, Subnet: raw.Subnet, VPCNamespace: raw.VPCNamespace, MTU: raw.MTU, VNI: int32(raw.VNI), DefaultRoute: raw.DefaultRoute, Master: raw.Master,
		Claim: raw.Runtime.Claim, Previous: raw.Previous, Valid: raw.Valid,
	}
	if p.Command == "GC" || p.Command == "STATUS" {
		return r, nil
	}
	if err := r.check(); err != nil {
		return Request{}, err
	}
	args, err := parseArgs(p.Args)
	if err != nil {
		return Request{}, err
	}
	r.Pod = Pod{args["K8S_POD_NAMESPACE"], args["K8S_POD_NAME"], args["K8S_POD_UID"]}
	if p.Command == "DEL" {
		return r, nil // what ADD refuses, DEL has to bear
	}
	return r, r.complete(raw, args)
}

// complete reads what an interface is to be like.
func (r *Request) complete(raw config, args map[string]string) error {
	if (r.VNI == 0) == (r.VPC == "") {
		return invalid(raw, "it names %s", map[bool]string{true: "neither vpc nor VNI", false: "both vpc and VNI"}[r.VPC == ""],
			`say "vpc" and "subnet", or "VNI"`)
	}
	if r.MTU != 0 && (r.MTU < 576 || r.MTU > 9216) {
		return invalid(raw, "mtu is %s", fmt.Sprint(r.MTU), "it has to be from 576 to 9216, or left out")
	}
	if r.Master != "" && !isInterface(r.Master) {
		return invalid(raw, "master is %q", r.Master, interfaceRule)
	}
	if r.DeviceID = raw.Runtime.DeviceID; r.DeviceID == "" {
		r.DeviceID = raw.DeviceID
	}
	if err := r.setMode(raw); err != nil {
		return err
	}
	if err := r.setMAC(raw, args["MAC"]); err != nil {
		return err
	}
	return r.setIPs(raw, args["IP"])
}

func (r *Request) setMode(raw config) error {
	r.Mode = Mode(raw.Mode)
	switch {
	case len(r.Previous) > 0:
		r.Mode = Chained
	case r.Mode == "" && r.DeviceID != "":
		r.Mode = SRIOV
	case r.Mode == "":
		r.Mode = Macvlan
	case r.Mode == SRIOV && r.DeviceID == "":
		return invalid(raw, "mode is %s and there is no deviceID", "sriov", "give the NetworkAttachmentDefinition the annotation k8s.v1.cni.cncf.io/resourceName, and the pod that resource")
	case r.Mode != Macvlan && r.Mode != Bridge && r.Mode != SRIOV:
		return invalid(raw, "mode is %q", raw.Mode, "it has to be macvlan, bridge or sriov")
	}
	if r.Mode == SRIOV && !device.MatchString(r.DeviceID) {
		return invalid(raw, "deviceID is %q", r.DeviceID, "it has to be a PCI address such as 0000:3b:02.1")
	}
	return nil
}

// device is a PCI address.
var device = regexp.MustCompile(`^[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$`)

func (r *Request) setMAC(raw config, legacy string) error {
	text := raw.Runtime.MAC
	if text == "" {
		text = legacy
	}
	if text == "" {
		return nil
	}
	mac, err := net.ParseMAC(text)
	if err != nil || len(mac) != 6 || mac[0]&1 != 0 || slices.Max(mac) == 0 {
		return invalid(raw, "the MAC address asked for is %q", text, "it has to be one of an interface, such as 02:00:00:00:00:01")
	}
	r.MAC = mac
	return nil
}

func (r *Request) setIPs(raw config, legacy string) error {
	texts := raw.Runtime.IPs
	if len(texts) == 0 && legacy != "" {
		texts = strings.Split(legacy, ",")
	}
	for _, text := range texts {
		address, _, _ := strings.Cut(text, "/") // the subnet says how long the prefix is
		ip, err := netip.ParseAddr(address)
		if err != nil || ip.Zone() != "" {
			return invalid(raw, "the address asked for is %q", text, "it has to be an address such as 10.1.0.7 or 10.1.0.7/24")
		}
		r.IPs = append(r.IPs, ip.Unmap())
	}
	if len(r.IPs) > 0 && r.Claim != "" {
		return invalid(raw, "the pod asks for ips and for the IPAMClaim %q", r.Claim, "ask for one of them")
	}
	return nil
}

func invalid(raw config, format, value, wayOut string) error {
	return &protocol.Error{Code: protocol.CodeInvalidConfig, Message: fmt.Sprintf("network configuration %q: "+format, raw.Name, value), Details: wayOut}
}
