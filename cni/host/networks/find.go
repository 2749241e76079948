package networks

import (
	"fmt"
	"slices"
	"strings"

	"github.com/switchlet/switchlet/cni/host/request"
	"github.com/switchlet/switchlet/cni/protocol"
)

// Find is the network that a pod asks for. Its errors are a *protocol.Error. One
// with CodeTryAgain may go away when the controller has followed: it learns of a
// pod at the same time as the kubelet.
func (s Set) Find(r request.Request) (*Network, error) {
	n, err := s.named(r)
	if err != nil {
		return nil, err
	}
	if r.Pod.Namespace == "" {
		return nil, &protocol.Error{Code: protocol.CodeEnvironment, Message: "CNI_ARGS has no K8S_POD_NAMESPACE",
			Details: "networks are for the pods of certain namespaces, so that a runtime has to say whose pod it is"}
	}
	if !slices.Contains(n.Namespaces, r.Pod.Namespace) {
		return nil, &protocol.Error{Code: protocol.CodeInvalidConfig,
			Message: fmt.Sprintf("pod %s, network configuration %q: pods of namespace %s may not be attached to network %s", r.Pod, r.Network, r.Pod.Namespace, n.Name()),
			Details: fmt.Sprintf("its VPC allows the namespaces %v", n.Namespaces)}
	}
	return n, nil
}

// NotReady is the error of a network that is not in force on the switches yet, nil
// if it is.
func (n *Network) NotReady(r request.Request) error {
	if n.Ready {
		return nil
	}
	message := n.Message
	if message == "" {
		message = "the switches have not confirmed it"
	}
	return &protocol.Error{Code: protocol.CodeTryAgain, Message: fmt.Sprintf("pod %s: network %s is not ready: %s", r.Pod, n.Name(), message)}
}

func (s Set) named(r request.Request) (*Network, error) {
	if !s.Known {
		return nil, &protocol.Error{Code: protocol.CodeTryAgain, Message: fmt.Sprintf("pod %s: this host has no HostConfig yet", r.Pod),
			Details: "the controller makes one for each Host; see its log"}
	}
	if r.VNI != 0 {
		if n := s.networks[r.VNI]; n != nil {
			return n, nil
		}
		return nil, s.unknown(r, "no network")
	}
	var found []*Network
	for _, n := range s.All() {
		if n.Owner.Name == r.VPC && n.meant(r) && (r.Subnet == "" || n.Subnet == r.Subnet) {
			found = append(found, n)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return nil, s.unknown(r, "no network")
	}
	return nil, ambiguous(r, found)
}

// meant says whether a network can be that of a request by its namespace. A request
// that says none may be of a NetworkAttachmentDefinition in another namespace than the
// pod's, which nobody tells the plugin: then any is meant whose pods it may be.
func (n *Network) meant(r request.Request) bool {
	if r.VPCNamespace == "" && slices.Contains(n.Namespaces, r.Pod.Namespace) {
		return true
	}
	return n.Owner.Namespace == r.Namespace()
}

// ambiguous is the error of a request that several networks fit.
func ambiguous(r request.Request, found []*Network) error {
	var subnets, namespaces []string
	for _, n := range found {
		subnets, namespaces = append(subnets, n.Subnet), append(namespaces, n.Owner.Namespace)
	}
	slices.Sort(namespaces)
	if namespaces = slices.Compact(namespaces); len(namespaces) > 1 {
		return &protocol.Error{Code: protocol.CodeInvalidConfig, Message: fmt.Sprintf("network configuration %q: pods of namespace %s may be in several VPCs with the name %s", r.Network, r.Pod.Namespace, r.VPC),
			Details: fmt.Sprintf(`say "vpcNamespace": one of %s`, strings.Join(namespaces, ", "))}
	}
	return &protocol.Error{Code: protocol.CodeInvalidConfig, Message: fmt.Sprintf("network configuration %q: it names VPC %s/%s and no subnet", r.Network, namespaces[0], r.VPC),
		Details: fmt.Sprintf(`say "subnet": one of %s`, strings.Join(subnets, ", "))}
}

func (s Set) unknown(r request.Request, what string) error {
	return &protocol.Error{Code: protocol.CodeTryAgain,
		Message: fmt.Sprintf("pod %s, network configuration %q: this host's HostConfig has %s for %s", r.Pod, r.Network, what, r.Name()),
		Details: "if it does not come, see the conditions of the VPC, and whether the host is cabled (kubectl get links)"}
}
