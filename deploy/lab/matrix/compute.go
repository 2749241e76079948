package matrix

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

// Objects are what a cluster says of its VPCs.
type Objects struct {
	VPCs        []v1alpha1.VPC
	Attachments []v1alpha1.VPCAttachment
	Peerings    []v1alpha1.VPCPeering
	// Pods that run, and the configurations of NetworkAttachmentDefinitions by
	// namespace/name.
	Pods        []Pod
	Definitions map[string]string
}

// Problem is why something that is attached is not among the endpoints.
type Problem struct {
	// Object such as "VPCAttachment tenant-a/web".
	Object string `json:"object"`
	// Message says what is wrong.
	Message string `json:"message"`
}

// String is one line.
func (p Problem) String() string { return p.Object + ": " + p.Message }

// Endpoints are all places that the attachments brought a subnet to, one for each host,
// NIC and subnet, and the interfaces of pods, sorted. isHost says from which hosts
// packets can be sent.
func Endpoints(objects Objects, mtu int, isHost func(name string) bool) ([]Endpoint, []Problem) {
	b := builder{vpcs: map[string]*v1alpha1.VPC{}, mtu: mtu, isHost: isHost, have: map[ID]string{}}
	for i := range objects.VPCs {
		vpc := &objects.VPCs[i]
		b.vpcs[vpc.Namespace+"/"+vpc.Name] = vpc
	}
	attachments := slices.SortedFunc(slices.Values(objects.Attachments), func(x, y v1alpha1.VPCAttachment) int {
		return cmp.Or(x.CreationTimestamp.Compare(y.CreationTimestamp.Time), cmp.Compare(x.Namespace, y.Namespace), cmp.Compare(x.Name, y.Name))
	})
	for i := range attachments {
		b.attachment(&attachments[i])
	}
	b.pods(objects)
	slices.SortFunc(b.endpoints, func(x, y Endpoint) int { return x.Compare(&y) })
	return b.addressed(), b.problems
}

type builder struct {
	vpcs   map[string]*v1alpha1.VPC
	mtu    int
	isHost func(string) bool

	endpoints []Endpoint
	have      map[ID]string // the attachment that brought it
	problems  []Problem
}

func (b *builder) problem(a *v1alpha1.VPCAttachment, format string, args ...any) {
	b.problems = append(b.problems, Problem{"VPCAttachment " + a.Namespace + "/" + a.Name, fmt.Sprintf(format, args...)})
}

func (b *builder) attachment(a *v1alpha1.VPCAttachment) {
	if !a.DeletionTimestamp.IsZero() {
		return
	}
	if c := meta.FindStatusCondition(a.Status.Conditions, v1alpha1.AttachmentAccepted); c != nil && c.Status == "False" {
		b.problem(a, "it was not accepted: %s: %s", c.Reason, c.Message)
		return
	}
	vpc := b.vpcs[a.Namespace+"/"+a.Spec.VPC]
	if vpc == nil || !vpc.DeletionTimestamp.IsZero() {
		b.problem(a, "there is no VPC %s in namespace %s", a.Spec.VPC, a.Namespace)
		return
	}
	if !slices.ContainsFunc(vpc.Spec.Subnets, func(s v1alpha1.Subnet) bool { return s.Name == a.Spec.Subnet }) {
		b.problem(a, "VPC %s has no subnet %s", a.Spec.VPC, a.Spec.Subnet)
		return
	}
	if int(a.Status.PlacesTotal) > len(a.Status.Places) {
		b.problem(a, "its status lists only %d of its %d places", len(a.Status.Places), a.Status.PlacesTotal)
	}
	for _, p := range a.Status.Places {
		b.place(a, p)
	}
}

func (b *builder) place(a *v1alpha1.VPCAttachment, p v1alpha1.AttachmentPlace) {
	e := Endpoint{Host: p.Host, NIC: p.NIC, VPC: a.Namespace + "/" + a.Spec.VPC, Subnet: a.Spec.Subnet, Switch: p.Switch, Port: p.Port, MTU: b.mtu}
	if p.Host == "" || p.NIC == "" {
		b.problem(a, "nothing is known to be cabled to %s/%s", p.Switch, p.Port)
		return
	}
	if !b.isHost(p.Host) {
		b.problem(a, "%s is no host that packets can be sent from", p.Host)
		return
	}
	if a.Spec.Mode != v1alpha1.ModeNative {
		if e.VLAN = int(p.VLAN); e.VLAN == 0 {
			b.problem(a, "it has no VLAN yet on %s/%s", p.Switch, p.Port)
			return
		}
	}
	if other, twice := b.have[e.ID()]; twice {
		b.problem(a, "%s is there already, by VPCAttachment %s", e.String(), other)
		return
	}
	b.have[e.ID()] = a.Namespace + "/" + a.Name
	b.endpoints = append(b.endpoints, e)
}

// addressed are the endpoints with their addresses.
func (b *builder) addressed() []Endpoint {
	pick := newPicker()
	for i := range b.endpoints {
		pick.take(&b.endpoints[i]) // pods have theirs
	}
	var list []Endpoint
	for _, e := range b.endpoints {
		if e.Pod != "" {
			list = append(list, e)
			continue
		}
		vpc := b.vpcs[e.VPC]
		i := slices.IndexFunc(vpc.Spec.Subnets, func(s v1alpha1.Subnet) bool { return s.Name == e.Subnet })
		if err := pick.addresses(&e, &vpc.Spec.Subnets[i]); err != nil {
			b.problems = append(b.problems, Problem{"VPC " + e.VPC, err.Error()})
			continue
		}
		list = append(list, e)
	}
	return list
}

// addresses gives an endpoint its addresses and gateways.
func (p *picker) addresses(e *Endpoint, subnet *v1alpha1.Subnet) error {
	e.Isolated = subnet.Isolated
	for _, text := range subnet.CIDRs {
		network, err := netip.ParsePrefix(text)
		if err != nil {
			return fmt.Errorf("subnet %s: %w", subnet.Name, err)
		}
		gateway := network.Masked().Addr().Next()
		for _, text := range subnet.Gateways {
			if g, err := netip.ParseAddr(text); err == nil && network.Contains(g) {
				gateway = g
			}
		}
		address, ok := p.pick(e, network, gateway)
		if !ok {
			return fmt.Errorf("subnet %s: %s has no address left for %s", subnet.Name, network, e.Place())
		}
		e.Addresses = append(e.Addresses, netip.PrefixFrom(address, network.Bits()))
		if !subnet.Isolated {
			e.Gateways = append(e.Gateways, gateway)
		}
	}
	return nil
}
