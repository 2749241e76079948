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
	n, err := s.Named(r)
	if err != nil {
		return nil, err
	}
	if r.Pod.Namespace == "" {
		return nil, &protocol.Error{Code: protocol.CodeEnvironment, Message: "the runtime does not say whose pod it is: CNI_ARGS has no K8S_POD_NAMESPACE",
			Details: "networks are for pods of certain namespaces; have Kubernetes start it"}
	}
	if !slices.Contains(n.Namespaces, r.Pod.Namespace) {
		return nil, &protocol.Error{Code: protocol.CodeInvalidConfig,
			Message: fmt.Sprintf("pods of namespace %s may not be attached to network %s", r.Pod.Namespace, n.Name()),
			Details: fmt.Sprintf("VPC %s allows %s; who owns it can add %s to its spec.attachFrom", n.Owner.NamespacedName(), strings.Join(n.Namespaces, ", "), r.Pod.Namespace)}
	}
	return n, nil
}

// NotReady is the error of a network that is not in force on the switches yet, nil
// if it is.
func (n *Network) NotReady() error {
	if n.Ready {
		return nil
	}
	message := n.Message
	if message == "" {
		message = "the switches have not confirmed it"
	}
	return &protocol.Error{Code: protocol.CodeTryAgain, Message: fmt.Sprintf("network %s is not ready: %s", n.Name(), message),
		Details: "it is tried again by itself; " + n.Describe()}
}

// NotAt is the error of a pod that names another NIC than the network is tied to, nil if
// there is none. The controller ties it when it sees the pod.
func (n *Network) NotAt(r request.Request) error {
	switch {
	case r.Master == "" || r.Master == n.Master:
		return nil
	case n.Master == "":
		return &protocol.Error{Code: protocol.CodeTryAgain, Message: fmt.Sprintf("network %s is not tied to NIC %s of this host yet, as network configuration %q wants it", n.Name(), r.Master, r.Network),
			Details: "the controller does it; " + n.Describe()}
	}
	return &protocol.Error{Code: protocol.CodeTryAgain, Message: fmt.Sprintf("network configuration %q: master is %s, and other pods on this host tie network %s to %s", r.Network, r.Master, n.Name(), n.Master),
		Details: "name the same NIC or bond in all NetworkAttachmentDefinitions of a subnet, or have the pod run on another node"}
}

// Named is the network that a request means, whosever pod it is for.
func (s Set) Named(r request.Request) (*Network, error) {
	if r.VNI != 0 {
		if n := s.networks[r.VNI]; n != nil {
			return n, nil
		}
		return nil, unknown(r)
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
		return nil, unknown(r)
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
		return &protocol.Error{Code: protocol.CodeInvalidConfig, Message: fmt.Sprintf("network configuration %q: namespace %s may use several VPCs with the name %s", r.Network, r.Pod.Namespace, r.VPC),
			Details: fmt.Sprintf(`say "vpcNamespace": one of %s`, strings.Join(namespaces, ", "))}
	}
	return &protocol.Error{Code: protocol.CodeInvalidConfig, Message: fmt.Sprintf("network configuration %q: it names VPC %s/%s and no subnet", r.Network, namespaces[0], r.VPC),
		Details: fmt.Sprintf(`say "subnet": one of %s`, strings.Join(subnets, ", "))}
}

func unknown(r request.Request) error {
	return &protocol.Error{Code: protocol.CodeTryAgain, Message: fmt.Sprintf("this node has no network for %s yet", r.Name()),
		Details: fmt.Sprintf("it is tried again by itself; is there such a VPC (kubectl get vpc -A), is the name right in network configuration %q, what do the pod's other events say?", r.Network)}
}

// Describe is the command that tells more about a network.
func (n *Network) Describe() string {
	return fmt.Sprintf("see kubectl describe vpc -n %s %s", n.Owner.Namespace, n.Owner.Name)
}
