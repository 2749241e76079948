package controlplane

import "net/netip"

// Config says what control plane to start.
type Config struct {
	// Dir is a folder for data, keys and logs. Required. Used again it is the
	// same cluster, but with new keys: everybody needs a new kubeconfig.
	Dir string
	// Binaries is the folder with etcd, kube-apiserver, …; see package kube.
	// Required.
	Binaries string
	// Address that the API server listens on and is reached at. Default 127.0.0.1.
	Address netip.Addr
	// Port of the API server. Default: a free one.
	Port uint16
	// AllAddresses makes the API server listen on every address, not just on
	// Address. Only for a network namespace of its own.
	AllAddresses bool
	// ServiceCIDR is the range of Service addresses. Its first address is the
	// API server's own as pods know it. Default 10.96.0.0/16.
	ServiceCIDR netip.Prefix
	// ControllerManager says whether to run kube-controller-manager, without
	// which no DaemonSet makes a pod and nothing is garbage collected.
	ControllerManager bool
	// Scheduler says whether to run kube-scheduler.
	Scheduler bool
}

// listen is the address that the API server listens on.
func (cfg Config) listen() netip.Addr {
	if cfg.AllAddresses {
		return netip.IPv4Unspecified()
	}
	return cfg.Address
}

func (cfg Config) withDefaults() Config {
	if !cfg.Address.IsValid() {
		cfg.Address = netip.MustParseAddr("127.0.0.1")
	}
	if !cfg.ServiceCIDR.IsValid() {
		cfg.ServiceCIDR = netip.MustParsePrefix("10.96.0.0/16")
	}
	return cfg
}
