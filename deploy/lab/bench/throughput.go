package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"

	"github.com/switchlet/switchlet/cni/host/link"
	"github.com/switchlet/switchlet/cni/host/request"
)

const (
	throughputRounds = 10
	throughputTime   = time.Second
	throughputChunk  = 128 << 10
	throughputPort   = "5201"
	throughputMTU    = 9000
)

// measureThroughput sends by TCP from a pod to one on another host, and from the one
// host's NIC to the other's, in turn. Both hosts are network namespaces, the cable between
// them a veth pair, and the sender and the receiver are in this process.
func measureThroughput(ctx context.Context, dir string) (_ []Result, err error) {
	near, err := newCNIHost(dir)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, near.close()) }()
	bare := [2]netns.NsHandle{near.host, near.far}
	var pods [2]netns.NsHandle
	for i, nic := range []string{"eth1", "port"} {
		if err := address(bare[i], nic, fmt.Sprintf("10.8.0.%d/24", i+1)); err != nil {
			return nil, err
		}
		if pods[i], err = attached(near, bare[i], nic, netip.MustParsePrefix(fmt.Sprintf("10.9.0.%d/24", i+1)), byte(i)); err != nil {
			return nil, err
		}
	}
	var ours, floor []float64
	for range throughputRounds {
		for _, way := range []struct {
			ends [2]netns.NsHandle
			to   string
			into *[]float64
		}{{bare, "10.8.0.2", &floor}, {pods, "10.9.0.2", &ours}} {
			rate, err := send(ctx, way.ends, way.to)
			if err != nil {
				return nil, err
			}
			*way.into = append(*way.into, rate)
		}
	}
	return []Result{rates("pod_to_pod", fmt.Sprintf("one TCP stream from a pod's macvlan to that of a pod on another host, MTU %d, both ends in this process; p99: the slowest round; floor: the same between the bare NICs", throughputMTU), ours, floor)}, nil
}

// address gives a NIC its MTU and an address, and switches it on.
func address(host netns.NsHandle, nic, cidr string) error {
	h, err := netlink.NewHandleAt(host)
	if err != nil {
		return err
	}
	defer h.Close()
	l, err := h.LinkByName(nic)
	if err != nil {
		return err
	}
	a, err := netlink.ParseAddr(cidr)
	if err != nil {
		return err
	}
	return errors.Join(h.LinkSetMTU(l, throughputMTU), h.AddrAdd(l, a), h.LinkSetUp(l))
}

// attached is a pod on a host's NIC, as the host agent makes it. It is closed with the host.
func attached(of *cniHost, host netns.NsHandle, nic string, at netip.Prefix, number byte) (netns.NsHandle, error) {
	pod, err := newNamespace()
	if err != nil {
		return pod, err
	}
	of.pods = append(of.pods, pod)
	return pod, inNamespace(host, func() error {
		kernel, err := link.Open(link.Config{Proc: "/proc", Sys: "/sys"})
		if err != nil {
			return err
		}
		ns, err := link.OpenNetns(fmt.Sprintf("/proc/self/fd/%d", int(pod)))
		if err != nil {
			return errors.Join(err, kernel.Close())
		}
		_, err = kernel.Attach(ns, link.Interface{
			Key: request.Key{ContainerID: fmt.Sprintf("c%d", number), IfName: "eth0"}, Mode: request.Macvlan,
			MAC: net.HardwareAddr{0x0a, 0x58, 10, 9, 0, number + 1}, Parent: nic, Addresses: []netip.Prefix{at},
		})
		return errors.Join(err, ns.Close(), kernel.Close())
	})
}

// send sends for a while, and returns how many Gbit/s came through.
func send(ctx context.Context, ends [2]netns.NsHandle, to string) (rate float64, err error) {
	var listener net.Listener
	if err := inNamespace(ends[1], func() (err error) {
		listener, err = new(net.ListenConfig).Listen(ctx, "tcp", net.JoinHostPort(to, throughputPort))
		return err
	}); err != nil {
		return 0, err
	}
	defer listener.Close()
	received := make(chan int64, 1)
	go func() { received <- swallow(listener) }()
	var conn net.Conn
	if err := inNamespace(ends[0], func() (err error) {
		conn, err = new(net.Dialer).DialContext(ctx, "tcp4", net.JoinHostPort(to, throughputPort))
		return err
	}); err != nil {
		return 0, err
	}
	began, chunk := time.Now(), make([]byte, throughputChunk)
	for time.Since(began) < throughputTime && err == nil {
		_, err = conn.Write(chunk)
	}
	err = errors.Join(err, conn.Close())
	bytes := <-received
	return float64(bytes) * 8 / time.Since(began).Seconds() / 1e9, err
}

// swallow takes one connection and reads all that comes.
func swallow(listener net.Listener) (all int64) {
	conn, err := listener.Accept()
	if err != nil {
		return 0
	}
	defer conn.Close()
	for buffer := make([]byte, throughputChunk); ; {
		n, err := conn.Read(buffer)
		all += int64(n)
		if err != nil {
			return all
		}
	}
}
