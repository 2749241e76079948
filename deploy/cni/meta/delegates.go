package meta

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/containernetworking/cni/libcni"
	ktypes "k8s.io/apimachinery/pkg/types"
)

const (
	networks       = "k8s.v1.cni.cncf.io/networks"
	defaultNetwork = "v1.multus-cni.io/default-network"
)

// selection is a network of the annotation.
type selection struct {
	Name      string   `json:"name"`
	Namespace string   `json:"namespace"`
	Interface string   `json:"interface"`
	IPs       []string `json:"ips"`
	MAC       string   `json:"mac"`
	Gateways  []string `json:"default-route"`
}

// selections reads an annotation in either of its forms: a JSON list, or names as
// "namespace/name@interface".
func selections(namespace, text string) ([]selection, error) {
	var all []selection
	if strings.HasPrefix(strings.TrimSpace(text), "[") {
		if err := json.Unmarshal([]byte(text), &all); err != nil {
			return nil, fmt.Errorf("annotation %s: %w", networks, err)
		}
	} else {
		for word := range strings.SplitSeq(text, ",") {
			var s selection
			s.Name, s.Interface, _ = strings.Cut(strings.TrimSpace(word), "@")
			if ns, name, ok := strings.Cut(s.Name, "/"); ok {
				s.Namespace, s.Name = ns, name
			}
			if s.Name != "" {
				all = append(all, s)
			}
		}
	}
	for i := range all {
		if all[i].Namespace == "" {
			all[i].Namespace = namespace
		}
	}
	return all, nil
}

// delegates are the networks of a pod, the cluster's first.
func (m Meta) delegates(ctx context.Context, c Call) ([]delegate, error) {
	annotations, err := m.Source.Annotations(ctx, c.Pod)
	if err != nil {
		return nil, err
	}
	first := delegate{Name: m.Cluster.Name, IfName: c.IfName, Config: m.Cluster.Bytes}
	if text := annotations[defaultNetwork]; text != "" {
		other, err := m.selected(ctx, c.Pod.Namespace, text)
		if err != nil {
			return nil, err
		}
		if len(other) != 1 {
			return nil, fmt.Errorf("annotation %s is %q: it has to name one network", defaultNetwork, text)
		}
		first = other[0]
		first.IfName = c.IfName
	}
	others, err := m.selected(ctx, c.Pod.Namespace, annotations[networks])
	return append([]delegate{first}, others...), err
}

func (m Meta) selected(ctx context.Context, namespace, text string) ([]delegate, error) {
	chosen, err := selections(namespace, text)
	if err != nil {
		return nil, err
	}
	var all []delegate
	for i, s := range chosen {
		d := delegate{Name: s.Namespace + "/" + s.Name, IfName: s.Interface, Capabilities: map[string]any{}, Gateways: s.Gateways}
		if d.IfName == "" {
			d.IfName = fmt.Sprintf("net%d", i+1)
		}
		config, err := m.Source.Definition(ctx, ktypes.NamespacedName{Namespace: s.Namespace, Name: s.Name})
		if err != nil {
			return nil, err
		}
		if d.Config, err = named([]byte(config), s.Name); err != nil {
			return nil, err
		}
		if err := s.capabilities(&d); err != nil {
			return nil, err
		}
		all = append(all, d)
	}
	return all, nil
}

// named gives a configuration the name of its NetworkAttachmentDefinition if it has
// none.
func named(config []byte, name string) (json.RawMessage, error) {
	var fields map[string]any
	if err := json.Unmarshal(config, &fields); err != nil {
		return nil, fmt.Errorf("NetworkAttachmentDefinition %s: %w", name, err)
	}
	if _, ok := fields["name"]; !ok {
		fields["name"] = name
	}
	return json.Marshal(fields)
}

// capabilities passes on what the pod asks for. That no plugin of the network takes it
// is an error: the pod would get something else.
func (s selection) capabilities(d *delegate) error {
	list, err := listOf(*d)
	if err != nil {
		return err
	}
	for name, value := range map[string]any{"ips": s.IPs, "mac": s.MAC} {
		if texts, ok := value.([]string); value == "" || ok && len(texts) == 0 {
			continue
		}
		if !declared(list, name) {
			return fmt.Errorf("network %s: the pod asks for %s, and no plugin of it has that capability", d.Name, name)
		}
		d.Capabilities[name] = value
	}
	return nil
}

func declared(list *libcni.NetworkConfigList, capability string) bool {
	for _, p := range list.Plugins {
		if p.Network.Capabilities[capability] {
			return true
		}
	}
	return false
}
