package controlplane

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"

	"sigs.k8s.io/yaml"
)

// kubeconfig is the part of a kubeconfig file that is used here.
type kubeconfig struct {
	APIVersion     string         `json:"apiVersion"`
	Kind           string         `json:"kind"`
	Clusters       []namedCluster `json:"clusters"`
	Users          []namedUser    `json:"users"`
	Contexts       []namedContext `json:"contexts"`
	CurrentContext string         `json:"current-context"`
}

type namedCluster struct {
	Name    string  `json:"name"`
	Cluster cluster `json:"cluster"`
}

type cluster struct {
	Server string `json:"server"`
	CA     []byte `json:"certificate-authority-data"`
}

type namedUser struct {
	Name string `json:"name"`
	User user   `json:"user"`
}

type user struct {
	Cert []byte `json:"client-certificate-data"`
	Key  []byte `json:"client-key-data"`
}

type namedContext struct {
	Name    string         `json:"name"`
	Context clusterAndUser `json:"context"`
}

type clusterAndUser struct {
	Cluster string `json:"cluster"`
	User    string `json:"user"`
}

// WriteKubeconfig writes a kubeconfig file with which one is the given user,
// in the given groups, by a client certificate. A kubelet is
// "system:node:NAME" in the group "system:nodes".
func (c *ControlPlane) WriteKubeconfig(file, name string, groups ...string) error {
	id, err := c.ca.client(name, groups...)
	if err != nil {
		return err
	}
	text, err := yaml.Marshal(kubeconfig{
		APIVersion: "v1", Kind: "Config",
		Clusters:       []namedCluster{{Name: "switchlet", Cluster: cluster{Server: c.URL(), CA: c.ca.bundle()}}},
		Users:          []namedUser{{Name: name, User: user{Cert: id.cert, Key: id.key}}},
		Contexts:       []namedContext{{Name: "switchlet", Context: clusterAndUser{Cluster: "switchlet", User: name}}},
		CurrentContext: "switchlet",
	})
	if err != nil {
		return fmt.Errorf("write %s: %w", file, err)
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, text, 0o600)
}

// WriteServingCertificate writes NAME.crt and NAME.key, the certificate of a
// server at the given address that the API server trusts, such as a kubelet.
func (c *ControlPlane) WriteServingCertificate(dir, name string, address netip.Addr) error {
	id, err := c.ca.server(name, []string{name}, address)
	if err != nil {
		return err
	}
	return id.write(dir, name)
}

// CAFile is the certificate of the cluster's authority, PEM.
func (c *ControlPlane) CAFile() string { return c.pki("ca.crt") }

// Kubeconfig is the kubeconfig file of an administrator.
func (c *ControlPlane) Kubeconfig() string { return filepath.Join(c.cfg.Dir, "kubeconfig") }

func (c *ControlPlane) pki(name string) string { return filepath.Join(c.cfg.Dir, "pki", name) }
