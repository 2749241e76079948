package controlplane

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"syscall"
)

func loopback() netip.Addr { return netip.AddrFrom4([4]byte{127, 0, 0, 1}) }

// freePort finds a TCP port that nobody listens on. It is below the range that
// the kernel takes the ports of outgoing connections from, so only another
// server could take it before it is used.
func freePort(address netip.Addr) (uint16, error) {
	for range 100 {
		port := uint16(20000 + rand.IntN(12000))
		listener, err := net.Listen("tcp", netip.AddrPortFrom(address, port).String())
		if errors.Is(err, syscall.EADDRINUSE) {
			continue
		}
		if err != nil {
			return 0, err
		}
		return port, listener.Close()
	}
	return 0, fmt.Errorf("no free port on %s", address)
}

// startEtcd starts an etcd of one member. It does not wait for the disk: what
// it holds survives its own death, and need not survive the machine's.
func (c *ControlPlane) startEtcd(ctx context.Context) (err error) {
	dir, err := c.etcdDir()
	if err != nil {
		return err
	}
	c.etcd, err = c.run("etcd",
		"--data-dir="+dir,
		"--listen-client-urls="+c.etcdURL(), "--advertise-client-urls="+c.etcdURL(),
		"--listen-peer-urls=http://127.0.0.1:0",
		"--heartbeat-interval=50", "--election-timeout=500", // one member has nobody to wait for
		"--unsafe-no-fsync",
		"--log-level=warn",
	)
	if err != nil {
		return err
	}
	return c.etcd.WaitReady(ctx, c.ready(c.etcdURL()+"/health"))
}

func (c *ControlPlane) etcdURL() string {
	return "http://" + netip.AddrPortFrom(loopback(), c.etcdPort).String()
}

// StartAPIServer starts the API server, which must not be running, and waits
// until it is ready.
func (c *ControlPlane) StartAPIServer(ctx context.Context) (err error) {
	c.apiServer, err = c.run("kube-apiserver",
		"--etcd-servers="+c.etcdURL(),
		"--bind-address="+c.cfg.listen().String(), fmt.Sprintf("--secure-port=%d", c.cfg.Port),
		"--advertise-address="+c.cfg.Address.String(),
		"--tls-cert-file="+c.pki("apiserver.crt"), "--tls-private-key-file="+c.pki("apiserver.key"),
		"--client-ca-file="+c.pki("ca.crt"),
		"--kubelet-certificate-authority="+c.pki("ca.crt"),
		"--kubelet-client-certificate="+c.pki("apiserver-kubelet-client.crt"),
		"--kubelet-client-key="+c.pki("apiserver-kubelet-client.key"),
		"--kubelet-preferred-address-types=InternalIP",
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file="+c.pki("sa.pub"), "--service-account-signing-key-file="+c.pki("sa.key"),
		"--service-cluster-ip-range="+c.cfg.ServiceCIDR.String(),
		"--authorization-mode=Node,RBAC", "--enable-admission-plugins=NodeRestriction",
		"--allow-privileged=true",
		"--profiling=false",
		// It ends as soon as it is asked to: nobody balances load here.
		"--shutdown-delay-duration=0s", "--shutdown-send-retry-after=false",
	)
	if err != nil {
		return err
	}
	return c.apiServer.WaitReady(ctx, c.ready(c.URL()+"/readyz"))
}

// startControllerManager returns once the program is started: what it does is
// waited for where it is needed.
func (c *ControlPlane) startControllerManager() (err error) {
	port, err := freePort(loopback())
	if err != nil {
		return err
	}
	config := c.pki("controller-manager.kubeconfig")
	c.controllerManager, err = c.run("kube-controller-manager",
		"--kubeconfig="+config, "--authentication-kubeconfig="+config, "--authorization-kubeconfig="+config,
		"--bind-address=127.0.0.1", fmt.Sprintf("--secure-port=%d", port),
		"--tls-cert-file="+c.pki("localhost.crt"), "--tls-private-key-file="+c.pki("localhost.key"),
		"--service-account-private-key-file="+c.pki("sa.key"), "--root-ca-file="+c.pki("ca.crt"),
		"--cluster-signing-cert-file="+c.pki("ca.crt"), "--cluster-signing-key-file="+c.pki("ca.key"),
		"--use-service-account-credentials=true",
		"--leader-elect=false", "--profiling=false",
		// It starts with several hundred calls.
		"--kube-api-qps=500", "--kube-api-burst=1000",
	)
	return err
}

// startScheduler returns once the program is started.
func (c *ControlPlane) startScheduler() (err error) {
	port, err := freePort(loopback())
	if err != nil {
		return err
	}
	config := c.pki("scheduler.kubeconfig")
	c.scheduler, err = c.run("kube-scheduler",
		"--kubeconfig="+config, "--authentication-kubeconfig="+config, "--authorization-kubeconfig="+config,
		"--bind-address=127.0.0.1", fmt.Sprintf("--secure-port=%d", port),
		"--tls-cert-file="+c.pki("localhost.crt"), "--tls-private-key-file="+c.pki("localhost.key"),
		"--leader-elect=false", "--profiling=false",
		// It starts with several hundred calls.
		"--kube-api-qps=500", "--kube-api-burst=1000",
	)
	return err
}
