package matrix

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/types"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/controller/nad"
)

// NetworkStatus is the annotation in which a meta-plugin says what networks a pod has,
// as the Network Plumbing Working Group's de-facto standard 1.3 has it.
const NetworkStatus = "k8s.v1.cni.cncf.io/network-status"

// Pod is one that runs on a host.
type Pod struct {
	types.NamespacedName
	// Host that it runs on.
	Host string
	// Networks is the text of its annotation NetworkStatus.
	Networks string
}

// podNetwork is a network of the annotation.
type podNetwork struct {
	// Name of the NetworkAttachmentDefinition, with its namespace.
	Name      string       `json:"name"`
	Interface string       `json:"interface"`
	IPs       []netip.Addr `json:"ips"`
}

// errNoSubnet says that a definition is of none that there is.
var errNoSubnet = errors.New("there is no such subnet")

// pods are the endpoints that pods are by themselves: one for each of a pod's networks
// that is a subnet of a VPC.
func (b *builder) pods(objects Objects) {
	for _, p := range slices.SortedFunc(slices.Values(objects.Pods), func(x, y Pod) int { return cmp.Compare(x.String(), y.String()) }) {
		if p.Networks == "" || !b.isHost(p.Host) {
			continue
		}
		var networks []podNetwork
		if err := json.Unmarshal([]byte(p.Networks), &networks); err != nil {
			b.problems = append(b.problems, Problem{"Pod " + p.String(), fmt.Sprintf("annotation %s: %v", NetworkStatus, err)})
			continue
		}
		for _, n := range networks {
			e, err := b.pod(objects.Definitions, p, n)
			switch {
			case errors.Is(err, nad.ErrForeign):
			case err != nil:
				b.problems = append(b.problems, Problem{"Pod " + p.String(), fmt.Sprintf("network %s: %v", n.Name, err)})
			default:
				b.endpoints = append(b.endpoints, e)
			}
		}
	}
}

// pod is the endpoint that a pod is in one of its networks.
func (b *builder) pod(definitions map[string]string, p Pod, n podNetwork) (Endpoint, error) {
	config, there := definitions[n.Name]
	if !there {
		return Endpoint{}, nad.ErrForeign // such as the cluster's own network
	}
	namespace, _, _ := strings.Cut(n.Name, "/")
	network, err := nad.ParseConfig(namespace, config)
	if err != nil {
		return Endpoint{}, err
	}
	vpc, subnet := b.subnet(network)
	if subnet == nil {
		return Endpoint{}, fmt.Errorf("%s: %w", network, errNoSubnet)
	}
	e := Endpoint{Host: p.Host, NIC: n.Interface, Pod: p.String(), VPC: vpc.Namespace + "/" + vpc.Name, Subnet: subnet.Name, Isolated: subnet.Isolated}
	for _, ip := range n.IPs {
		i := slices.IndexFunc(subnet.CIDRs, func(text string) bool {
			cidr, err := netip.ParsePrefix(text)
			return err == nil && cidr.Contains(ip)
		})
		if i < 0 {
			return Endpoint{}, fmt.Errorf("its address %s is not in subnet %s", ip, e.Segment())
		}
		e.Addresses = append(e.Addresses, netip.PrefixFrom(ip, netip.MustParsePrefix(subnet.CIDRs[i]).Bits()))
	}
	return e, nil
}

// subnet is the one that a definition means.
func (b *builder) subnet(n nad.Network) (*v1alpha1.VPC, *v1alpha1.Subnet) {
	for _, vpc := range b.vpcs {
		name := n.Subnet
		if n.VNI != 0 {
			i := slices.IndexFunc(vpc.Status.Subnets, func(s v1alpha1.SubnetStatus) bool { return s.VNI == n.VNI })
			if i < 0 {
				continue
			}
			name = vpc.Status.Subnets[i].Name
		} else if n.VPC.Namespace != vpc.Namespace || n.VPC.Name != vpc.Name {
			continue
		}
		for i := range vpc.Spec.Subnets {
			if s := &vpc.Spec.Subnets[i]; s.Name == name || name == "" && len(vpc.Spec.Subnets) == 1 {
				return vpc, s
			}
		}
	}
	return nil, nil
}

// foreign says that a pod's packets to the other endpoint would not leave it by the
// interface that is asked about: the pod has another one in the other's VPC, or both
// are the same pod's.
func foreign(from, to *Endpoint, pods map[podVPC]bool) bool {
	if from.Pod == "" && to.Pod == "" {
		return false
	}
	return from.Pod == to.Pod || from.VPC != to.VPC && (pods[podVPC{from.Pod, to.VPC}] || pods[podVPC{to.Pod, from.VPC}])
}

// podVPC is a VPC that a pod is in.
type podVPC struct{ pod, vpc string }

func vpcsOfPods(endpoints []Endpoint) map[podVPC]bool {
	in := map[podVPC]bool{}
	for i := range endpoints {
		if e := &endpoints[i]; e.Pod != "" {
			in[podVPC{e.Pod, e.VPC}] = true
		}
	}
	return in
}
