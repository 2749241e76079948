package controlplane

import (
	"errors"
	"net/http"
)

// prepare chooses ports and writes all keys.
func (c *ControlPlane) prepare() (err error) {
	if c.cfg.Port == 0 {
		if c.cfg.Port, err = freePort(c.cfg.Address); err != nil {
			return err
		}
	}
	if c.etcdPort, err = freePort(loopback()); err != nil {
		return err
	}
	if c.ca, err = newAuthority(); err != nil {
		return err
	}
	if err := c.writeKeys(); err != nil {
		return err
	}
	admin, err := c.ca.client("switchlet-lab-probe", "system:masters")
	if err != nil {
		return err
	}
	tls, err := c.ca.tlsConfig(admin)
	if err != nil {
		return err
	}
	c.probe = &http.Client{Transport: &http.Transport{TLSClientConfig: tls, DisableKeepAlives: true}}
	return c.WriteKubeconfig(c.Kubeconfig(), "admin", "system:masters")
}

func (c *ControlPlane) writeKeys() error {
	dir := c.pki("")
	self, err := c.ca.self()
	if err != nil {
		return err
	}
	apiServer, err := c.ca.server("kube-apiserver",
		[]string{"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local"},
		c.cfg.Address, loopback(), c.ServiceAddress())
	if err != nil {
		return err
	}
	toKubelets, err := c.ca.client("kube-apiserver-kubelet-client", "system:masters")
	if err != nil {
		return err
	}
	local, err := c.ca.server("localhost", []string{"localhost"}, loopback())
	if err != nil {
		return err
	}
	return errors.Join(
		self.write(dir, "ca"),
		apiServer.write(dir, "apiserver"),
		toKubelets.write(dir, "apiserver-kubelet-client"),
		local.write(dir, "localhost"),
		writeServiceAccountKeys(dir),
		c.WriteKubeconfig(c.pki("controller-manager.kubeconfig"), "system:kube-controller-manager"),
		c.WriteKubeconfig(c.pki("scheduler.kubeconfig"), "system:kube-scheduler"),
	)
}
