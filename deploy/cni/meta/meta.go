// Package meta is a meta-plugin for tests: it gives a pod the cluster's network and
// those of its annotation, and calls their plugins as Multus does, thick or thin. Of
// what Multus lets pass it is stricter: a result has to be true.
//
// Like Multus it calls plugins one after the other, has all of a pod's deleted when
// one fails, the one that failed too, deletes in reverse order, and asks the
// cluster's network alone for STATUS, GC and CHECK.
package meta

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/containernetworking/cni/libcni"
	"github.com/containernetworking/cni/pkg/types"
	types100 "github.com/containernetworking/cni/pkg/types/100"
	ktypes "k8s.io/apimachinery/pkg/types"
)

// Source is what the API server knows.
type Source interface {
	// Annotations of a pod.
	Annotations(ctx context.Context, pod ktypes.NamespacedName) (map[string]string, error)
	// Definition is the configuration of a NetworkAttachmentDefinition.
	Definition(ctx context.Context, name ktypes.NamespacedName) (string, error)
}

// Meta is the meta-plugin.
type Meta struct {
	Source Source
	// Cluster is the network that every pod has first.
	Cluster *libcni.NetworkConfigList
	// Path are the folders with plugins, and Dir is for what has to be remembered.
	Path []string
	Dir  string
}

// Call is one of a container runtime.
type Call struct {
	ContainerID, Netns, IfName string
	Pod                        ktypes.NamespacedName
	UID                        string
}

// delegate is one network of a pod, as it is kept for the DEL.
type delegate struct {
	Name         string
	IfName       string
	Config       json.RawMessage
	Capabilities map[string]any
	// Gateways that the pod asks for as its default ones.
	Gateways []string
}

// Status is what the annotation network-status has of a network.
type Status struct {
	Name      string   `json:"name"`
	Interface string   `json:"interface"`
	IPs       []string `json:"ips"`
	MAC       string   `json:"mac"`
	Default   bool     `json:"default"`
}

// Add attaches a pod to all of its networks. The result is that of the first.
func (m Meta) Add(ctx context.Context, c Call) (types.Result, []Status, error) {
	delegates, err := m.delegates(ctx, c)
	if err != nil {
		return nil, nil, err
	}
	if err := m.keep(c, delegates); err != nil {
		return nil, nil, err
	}
	var first types.Result
	var all []Status
	for i, d := range delegates {
		result, err := m.add(ctx, c, d)
		if err != nil {
			err = fmt.Errorf("[%s/%s:%s]: error adding container to network %q: %w", c.Pod, c.UID, d.IfName, d.Name, err)
			return nil, nil, errors.Join(err, m.del(ctx, c, delegates[:i+1]))
		}
		if first == nil {
			first = result
		}
		status, err := statusOf(d, result, c)
		if err != nil {
			return nil, nil, errors.Join(err, m.del(ctx, c, delegates[:i+1]))
		}
		status.Default = i == 0
		all = append(all, status)
	}
	return first, all, nil
}

func (m Meta) add(ctx context.Context, c Call, d delegate) (types.Result, error) {
	list, err := listOf(d)
	if err != nil {
		return nil, err
	}
	result, err := m.runtime().AddNetworkList(ctx, list, c.conf(d))
	if err != nil {
		return nil, err
	}
	if result.Version() != list.CNIVersion {
		return nil, fmt.Errorf("its result is of version %s, and the configuration of %s", result.Version(), list.CNIVersion)
	}
	return result, setDefault(c, d)
}

// Del detaches a pod from all of its networks. Neither the namespace nor what was
// remembered has to be there.
func (m Meta) Del(ctx context.Context, c Call) error {
	text, err := os.ReadFile(m.file(c))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var delegates []delegate
	if err := json.Unmarshal(text, &delegates); err != nil {
		return err
	}
	if err := m.del(ctx, c, delegates); err != nil {
		return err
	}
	return os.Remove(m.file(c))
}

// del deletes in reverse order and goes on past errors.
func (m Meta) del(ctx context.Context, c Call, delegates []delegate) error {
	var errs []error
	for _, d := range slices.Backward(delegates) {
		list, err := listOf(d)
		if err == nil {
			err = m.runtime().DelNetworkList(ctx, list, c.conf(d))
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("delete network %q: %w", d.Name, err))
		}
	}
	return errors.Join(errs...)
}

// Status asks the cluster's network alone, and Check too.
func (m Meta) Status(ctx context.Context) error {
	return m.runtime().GetStatusNetworkList(ctx, m.Cluster)
}

// Check asks the cluster's network alone.
func (m Meta) Check(ctx context.Context, c Call) error {
	return m.runtime().CheckNetworkList(ctx, m.Cluster, c.conf(delegate{IfName: c.IfName}))
}

func (m Meta) runtime() *libcni.CNIConfig {
	return libcni.NewCNIConfigWithCacheDir(m.Path, filepath.Join(m.Dir, "cache"), nil)
}

func (m Meta) file(c Call) string { return filepath.Join(m.Dir, c.ContainerID+".json") }

func (m Meta) keep(c Call, delegates []delegate) error {
	text, err := json.Marshal(delegates)
	if err == nil {
		err = os.MkdirAll(m.Dir, 0o700)
	}
	return errors.Join(err, os.WriteFile(m.file(c), text, 0o600))
}

// conf is what plugins are told of the pod.
func (c Call) conf(d delegate) *libcni.RuntimeConf {
	return &libcni.RuntimeConf{
		ContainerID: c.ContainerID, NetNS: c.Netns, IfName: d.IfName, CapabilityArgs: d.Capabilities,
		Args: [][2]string{
			{"IgnoreUnknown", "true"}, {"K8S_POD_NAMESPACE", c.Pod.Namespace}, {"K8S_POD_NAME", c.Pod.Name},
			{"K8S_POD_INFRA_CONTAINER_ID", c.ContainerID}, {"K8S_POD_UID", c.UID},
		},
	}
}

// listOf is a configuration as a list, whichever form it has.
func listOf(d delegate) (*libcni.NetworkConfigList, error) {
	var form struct {
		CNIVersion string            `json:"cniVersion,omitempty"`
		Name       string            `json:"name"`
		Plugins    []json.RawMessage `json:"plugins"`
	}
	if err := json.Unmarshal(d.Config, &form); err != nil {
		return nil, err
	}
	if len(form.Plugins) > 0 {
		return libcni.ConfListFromBytes(d.Config)
	}
	form.Plugins = []json.RawMessage{d.Config}
	list, err := json.Marshal(form)
	if err != nil {
		return nil, err
	}
	return libcni.ConfListFromBytes(list)
}

// statusOf is what is told of a network: the first interface in the pod. A result
// whose interfaces or addresses are not those of the pod is an error.
func statusOf(d delegate, result types.Result, c Call) (Status, error) {
	r, err := types100.NewResultFromResult(result)
	if err != nil {
		return Status{}, fmt.Errorf("network %q: %w", d.Name, err)
	}
	at := slices.IndexFunc(r.Interfaces, func(i *types100.Interface) bool { return i.Sandbox != "" })
	if at < 0 {
		return Status{}, fmt.Errorf("network %q: no interface of its result is in a sandbox", d.Name)
	}
	s := Status{Name: d.Name, Interface: r.Interfaces[at].Name, MAC: r.Interfaces[at].Mac}
	for _, ip := range r.IPs {
		if ip.Interface == nil || *ip.Interface != at {
			return Status{}, fmt.Errorf("network %q: address %s is of no interface of the pod", d.Name, ip.Address.String())
		}
		s.IPs = append(s.IPs, ip.Address.IP.String())
	}
	if s.Interface != d.IfName || r.Interfaces[at].Sandbox != c.Netns {
		return Status{}, fmt.Errorf("network %q: its result has interface %s in %s, and was asked for %s in %s", d.Name, s.Interface, r.Interfaces[at].Sandbox, d.IfName, c.Netns)
	}
	return s, isTrue(c, r, s)
}
