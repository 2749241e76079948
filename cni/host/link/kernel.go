package link

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/switchlet/switchlet/cni/host/uplink"
)

// Config is what a Kernel needs.
type Config struct {
	// Proc and Sys are where the kernel's folders are: /proc and /sys. Proc has to
	// be writable below sys/net.
	Proc, Sys string
}

// Kernel is the network of the host that the program runs on. Any number of
// goroutines may use it.
type Kernel struct {
	cfg  Config
	host *netlink.Handle
	home *os.File // the host's network namespace
	back *os.File // the program's own, which is that one but in tests

	// making is held while an interface is made. The kernel makes one after the other
	// anyhow, and who waits for that inside it keeps a thread, or a processor (rtnl_trylock).
	making sync.Mutex
	maker  *conn // in the host's network namespace

	background sync.WaitGroup
	closed     chan struct{}
	opened     []func() error // what closes it, in the order in which it was opened
}

// Open connects to the kernel in the network namespace of the calling thread.
func Open(cfg Config) (_ *Kernel, err error) {
	k := &Kernel{cfg: cfg, closed: make(chan struct{})}
	defer func() {
		if err != nil {
			err = errors.Join(err, k.Close())
		}
	}()
	if k.home, err = os.Open(filepath.Join(cfg.Proc, "thread-self/ns/net")); err != nil {
		return nil, fmt.Errorf("network namespace of the host: %w", err)
	}
	k.opened = append(k.opened, k.home.Close)
	if k.back, err = own("/proc"); err != nil {
		return nil, fmt.Errorf("network namespace of the program: %w", err)
	}
	k.opened = append(k.opened, k.back.Close)
	if k.maker, err = dial(); err != nil {
		return nil, err
	}
	k.opened = append(k.opened, k.maker.close)
	if k.host, err = netlink.NewHandle(unix.NETLINK_ROUTE); err != nil {
		return nil, fmt.Errorf("connect to the kernel: %w", err)
	}
	k.opened = append(k.opened, func() error { k.host.Close(); return nil })
	return k, nil
}

// Close ends the connection.
func (k *Kernel) Close() error {
	close(k.closed)
	k.background.Wait()
	var errs []error
	for _, last := range slices.Backward(k.opened) {
		errs = append(errs, last())
	}
	return errors.Join(errs...)
}

// Devices are the network devices of the host.
func (k *Kernel) Devices() ([]uplink.Device, error) {
	links, err := k.links()
	if err != nil {
		return nil, err
	}
	busy, err := k.addressed()
	if err != nil {
		return nil, err
	}
	names := map[int]string{}
	for _, l := range links {
		names[l.Attrs().Index] = l.Attrs().Name
		if l.Type() == "macvlan" || l.Type() == "ipvlan" || l.Type() == "macvtap" {
			busy[l.Attrs().ParentIndex] = true
		}
	}
	devices := make([]uplink.Device, 0, len(links))
	for _, l := range links {
		a := l.Attrs()
		d := uplink.Device{
			Name: a.Name, Master: names[a.MasterIndex], MTU: a.MTU, Alias: a.Alias, Busy: busy[a.Index],
			Up: a.Flags&net.FlagUp != 0, Carrier: a.RawFlags&unix.IFF_LOWER_UP != 0, Promisc: a.RawFlags&unix.IFF_PROMISC != 0,
		}
		if kind := l.Type(); kind != "device" { // what netlink calls a link without a kind
			d.Kind = kind
		}
		if vlan, ok := l.(*netlink.Vlan); ok {
			d.Link, d.ID = names[a.ParentIndex], vlan.VlanId
		}
		if bond, ok := l.(*netlink.Bond); ok {
			d.Active, d.Both = names[bond.ActiveSlave], bond.AllSlavesActive == 1
		}
		devices = append(devices, d)
	}
	return devices, nil
}

// attempts is how often a list is asked for that changes while it is read.
const attempts = 5

func (k *Kernel) links() ([]netlink.Link, error) { return listLinks(k.host) }

func listLinks(h *netlink.Handle) (links []netlink.Link, err error) {
	for range attempts {
		links, err = h.LinkList()
		if !errors.Is(err, netlink.ErrDumpInterrupted) {
			break
		}
	}
	if err != nil {
		return nil, fmt.Errorf("list the network devices: %w", err)
	}
	return links, nil
}

// addressed are the devices on which the host has addresses that are not
// link-local ones of IPv6, which every device has.
func (k *Kernel) addressed() (map[int]bool, error) {
	var all []netlink.Addr
	var err error
	for range attempts {
		all, err = k.host.AddrList(nil, netlink.FAMILY_ALL)
		if !errors.Is(err, netlink.ErrDumpInterrupted) {
			break
		}
	}
	if err != nil {
		return nil, fmt.Errorf("list the addresses of the host: %w", err)
	}
	found := map[int]bool{}
	for _, a := range all {
		if !a.IP.IsLinkLocalUnicast() {
			found[a.LinkIndex] = true
		}
	}
	return found, nil
}
