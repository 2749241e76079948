// Package nics finds the network interfaces of a host that are hardware, and
// follows them. Netlink tells what there is, and sysfs what of it is hardware;
// which of them are NICs, and what is said of these, is decided by pure code.
//
//	go nics.Watch(ctx, nics.Rules{Sysfs: nics.DefaultSysfs}, log, func(nics []v1alpha1.HostNIC, err error) { … })
package nics
