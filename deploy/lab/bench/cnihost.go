package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sync/errgroup"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/cni/host/attach"
	"github.com/switchlet/switchlet/cni/host/journal"
	"github.com/switchlet/switchlet/cni/host/link"
	"github.com/switchlet/switchlet/cni/host/networks"
	"github.com/switchlet/switchlet/cni/host/serve"
)

// cniHost is a host with NIC eth1, in a network namespace, and the part of the
// host agent that the plugin asks.
type cniHost struct {
	dir  string
	host netns.NsHandle
	far  netns.NsHandle
	// pods stay until the end: while the kernel takes a namespace away, others wait.
	pods []netns.NsHandle
	end  func() error
}

func newCNIHost(dir string) (*cniHost, error) {
	h := &cniHost{dir: dir, end: func() error { return nil }}
	var err error
	if h.host, err = newNamespace(); err != nil {
		return nil, err
	}
	if h.far, err = newNamespace(); err != nil {
		return nil, err
	}
	attrs := netlink.NewLinkAttrs()
	attrs.Name = "eth1"
	return h, inNamespace(h.host, func() error {
		if err := netlink.LinkAdd(&netlink.Veth{LinkAttrs: attrs, PeerName: "port", PeerNamespace: netlink.NsFd(h.far)}); err != nil {
			return err
		}
		eth1, err := netlink.LinkByName("eth1")
		if err != nil {
			return err
		}
		return netlink.LinkSetUp(eth1)
	})
}

func newNamespace() (made netns.NsHandle, err error) {
	err = inNamespace(-1, func() error {
		made, err = netns.New()
		return err
	})
	return made, err
}

// inNamespace does something on a thread in a network namespace, -1 for its own, and
// takes the thread back: one that ended would take the programs with it that it has
// started (prctl(2), PR_SET_PDEATHSIG).
func inNamespace(there netns.NsHandle, do func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		home, err := netns.Get()
		if err != nil {
			done <- err
			return
		}
		defer home.Close()
		if there >= 0 {
			err = netns.Set(there)
		}
		if err == nil {
			err = do()
		}
		back := netns.Set(home)
		if back == nil {
			runtime.UnlockOSThread()
		}
		done <- errors.Join(err, back)
	}()
	return <-done
}

// serve starts the agent's part.
func (h *cniHost) serve(ctx context.Context) error {
	var kernel *link.Kernel
	err := inNamespace(h.host, func() (err error) {
		kernel, err = link.Open(link.Config{Proc: "/proc", Sys: "/sys"})
		return err
	})
	if err != nil {
		return err
	}
	store, _, err := journal.Open(filepath.Join(h.dir, "state"))
	if err != nil {
		return err
	}
	log := slog.New(slog.DiscardHandler)
	service := attach.New(attach.Config{Journal: store, Pods: kernel, Host: kernel, Wait: time.Second, Node: "host1", Changed: func() {}, Log: log})
	set, problems := networks.Compile(v1alpha1.HostConfigSpec{Revision: "bench", Networks: []v1alpha1.HostNetwork{{
		VNI: 1111, Owner: v1alpha1.ObjectReference{Kind: v1alpha1.KindVPC, Namespace: "blue", Name: "blue"}, Subnet: "web", Namespaces: []string{"blue"},
		CIDRs: []string{"10.1.0.0/16", "fd00::/64"}, Gateways: []string{"10.1.0.1", "fd00::1"}, Uplinks: []v1alpha1.HostUplink{{NIC: "eth1"}}, Ready: true,
		Slices: []v1alpha1.AddressRange{{First: "10.1.0.0", Last: "10.1.15.255"}, {First: "fd00::", Last: "fd00::ffff"}},
	}}})
	if len(problems) > 0 {
		return fmt.Errorf("network of the benchmark: %v", problems)
	}
	service.Set(set, nil)
	server, err := serve.Listen(filepath.Join(h.dir, "s"), service.Do, log)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	var all sync.WaitGroup
	all.Go(func() { server.Run(ctx) })
	h.end = func() error { cancel(); all.Wait(); service.Close(); return kernel.Close() }
	return nil
}

func (h *cniHost) close() error {
	err := errors.Join(h.end(), h.host.Close(), h.far.Close())
	for _, pod := range h.pods {
		err = errors.Join(err, pod.Close())
	}
	return err
}

// measure attaches pods, some at once, and detaches them one after the other.
func (h *cniHost) measure(ctx context.Context, p cniProgram, atOnce int) (cniTimes, error) {
	var times cniTimes
	pods := make([]netns.NsHandle, cniPods+cniWarmups)
	for i := range pods {
		var err error
		if pods[i], err = newNamespace(); err != nil {
			return times, err
		}
		h.pods = append(h.pods, pods[i])
	}
	took := make([]time.Duration, len(pods))
	workers, until := errgroup.WithContext(ctx)
	for worker := range atOnce {
		workers.Go(func() error {
			return inNamespace(h.host, func() (err error) {
				for i := worker; i < len(pods) && err == nil; i += atOnce {
					took[i], err = h.call(until, p, "ADD", pods[i], "blue", podName(pods[i]))
				}
				return err
			})
		})
	}
	if err := workers.Wait(); err != nil {
		return times, err
	}
	times.add = took[cniWarmups:]
	err := inNamespace(h.host, func() error {
		for i := range pods {
			took, err := h.call(ctx, p, "DEL", pods[i], "blue", podName(pods[i]))
			if err != nil {
				return err
			}
			times.del = append(times.del, took)
		}
		return nil
	})
	return times, err
}

// podName is that of a pod. No two are of one name: an ADD waits until the interface is
// gone that its container had before.
func podName(pod netns.NsHandle) string { return fmt.Sprintf("p%d", int(pod)) }

// call runs a plugin once for a pod, in the network namespace of this thread.
func (h *cniHost) call(ctx context.Context, p cniProgram, command string, pod netns.NsHandle, namespace, name string) (time.Duration, error) {
	n, cmd := int(pod), exec.CommandContext(ctx, p.path)
	cmd.Env = []string{
		"SWITCHLET_CNI_SOCKET=" + filepath.Join(h.dir, "s"),
		"CNI_COMMAND=" + command, fmt.Sprintf("CNI_CONTAINERID=c%d", n), "CNI_IFNAME=net1", "CNI_PATH=" + filepath.Dir(p.path),
		fmt.Sprintf("CNI_NETNS=/proc/%d/fd/%d", os.Getpid(), n),
		fmt.Sprintf("CNI_ARGS=IgnoreUnknown=1;K8S_POD_NAMESPACE=%s;K8S_POD_NAME=%s;K8S_POD_UID=u%d", namespace, name, n),
	}
	cmd.Stdin = strings.NewReader(p.config)
	began := time.Now()
	output, err := cmd.Output()
	if err != nil {
		return 0, fmt.Errorf("%s: %w: %s", command, err, output)
	}
	return time.Since(began), nil
}
