package controlplane

import (
	"fmt"
	"net/netip"
	"path/filepath"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// WriteKubeconfig writes a kubeconfig file with which one is the given user,
// in the given groups, by a client certificate. A kubelet is
// "system:node:NAME" in the group "system:nodes".
func (c *ControlPlane) WriteKubeconfig(file, name string, groups ...string) error {
	id, err := c.ca.client(name, groups...)
	if err != nil {
		return err
	}
	return c.writeKubeconfig(file, &clientcmdapi.AuthInfo{ClientCertificateData: id.cert, ClientKeyData: id.key})
}

// WriteTokenKubeconfig writes a kubeconfig file with which one is whoever the
// token was issued to.
func (c *ControlPlane) WriteTokenKubeconfig(file, token string) error {
	return c.writeKubeconfig(file, &clientcmdapi.AuthInfo{Token: token})
}

func (c *ControlPlane) writeKubeconfig(file string, user *clientcmdapi.AuthInfo) error {
	const name = "switchlet"
	config := clientcmdapi.NewConfig()
	config.Clusters[name] = &clientcmdapi.Cluster{Server: c.URL(), CertificateAuthorityData: c.ca.bundle()}
	config.AuthInfos[name] = user
	config.Contexts[name] = &clientcmdapi.Context{Cluster: name, AuthInfo: name}
	config.CurrentContext = name
	if err := clientcmd.WriteToFile(*config, file); err != nil {
		return fmt.Errorf("write %s: %w", file, err)
	}
	return nil
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
