package attach

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"github.com/switchlet/switchlet/cni/host/journal"
	"github.com/switchlet/switchlet/cni/host/link"
	"github.com/switchlet/switchlet/cni/host/request"
	"github.com/switchlet/switchlet/cni/host/uplink"
)

// Recover takes over the interfaces of pods that the journal does not know of: those
// that find finds in the network namespaces of a folder. It is for a journal that
// was damaged or lost, and has to come before Set and before any request: no address
// may be given out, and no device go, that such a pod has. What cannot be looked at
// is passed over, and is in the error.
func (s *Service) Recover(folder string, find func(*os.File) ([]link.Found, error)) error {
	entries, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // no pod has ever started
	}
	var errs []error
	if err != nil {
		errs = append(errs, fmt.Errorf("network namespaces of pods: %w", err))
	}
	var last *journal.Commit
	for _, entry := range entries {
		commit, err := s.recover(filepath.Join(folder, entry.Name()), find)
		if err != nil {
			errs = append(errs, err)
		}
		if commit != nil {
			last = commit
		}
	}
	if last != nil { // which is written with those before it
		errs = append(errs, last.Wait())
	}
	return errors.Join(errs...)
}

func (s *Service) recover(path string, find func(*os.File) ([]link.Found, error)) (last *journal.Commit, err error) {
	ns, err := link.OpenNetns(path)
	if errors.Is(err, link.ErrNotNetns) || errors.Is(err, fs.ErrNotExist) {
		return nil, nil // a pod has just ended
	}
	if err != nil {
		return nil, err
	}
	defer ns.Close()
	inode, err := link.Inode(ns)
	if err != nil {
		return nil, err
	}
	found, err := find(ns)
	for _, f := range found {
		if _, known := s.cfg.Journal.Get(f.Key); known {
			continue
		}
		if vni, ours := uplink.VNI(f.Parent); ours && vni != f.VNI {
			err = errors.Join(err, fmt.Errorf("%s: interface %s says that it is of VNI %d, and is on %s", path, f.IfName, f.VNI, f.Parent))
			continue
		}
		a := s.attachment(f)
		a.Netns, a.NetnsInode, a.Seen = path, inode, true
		s.cfg.Log.Warn("a pod's interface that the journal did not know of", "pod", a.Pod, "container", a.ContainerID, "interface", a.IfName, "vni", a.VNI, "addresses", a.Addresses)
		last = s.cfg.Journal.Adopt(a)
	}
	return last, err
}

// attachment is what an interface tells of it. An address that the journal has
// given to another is not its own: the pod took it by itself.
func (s *Service) attachment(f link.Found) journal.Attachment {
	a := journal.Attachment{
		Key: f.Key, Network: f.Network, Pod: f.Pod, VNI: f.VNI, Mode: f.Mode, Boot: s.cfg.Boot, MAC: f.MAC.String(), MTU: f.MTU, DefaultRoute: f.Default,
		Parent: f.Parent, Device: f.Device, VLAN: f.VLAN, Subnet: fmt.Sprintf("VNI %d", f.VNI), Made: time.Now().UTC().Round(0),
	}
	if f.Mode != request.SRIOV {
		a.Device, a.VLAN = "", 0
	}
	for _, p := range f.Addresses {
		if s.cfg.Journal.Holder(f.VNI, p.Addr()) != "" {
			continue
		}
		a.Addresses, a.Gateways = append(a.Addresses, p), append(a.Gateways, netip.Addr{})
		a.IPv6 = a.IPv6 || p.Addr().Is6()
	}
	return a
}
