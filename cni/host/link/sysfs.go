package link

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Function is a virtual function of a NIC (SR-IOV).
type Function struct {
	// Physical are the interfaces of the NIC that it is of; one, but for NICs of
	// several ports.
	Physical []string
	// Index of the function in its NIC.
	Index int
	// Link is its interface on the host; empty if another namespace has it, or it
	// has a driver that makes none, such as vfio-pci.
	Link string
}

// Function finds out in sysfs what virtual function has a PCI address (Linux,
// Documentation/ABI/testing/sysfs-bus-pci, physfn and virtfnN).
func (k *Kernel) Function(device string) (Function, error) {
	dir := filepath.Join(k.cfg.Sys, "bus/pci/devices", device)
	physical := filepath.Join(dir, "physfn")
	all, err := filepath.Glob(filepath.Join(physical, "virtfn*"))
	if err != nil {
		return Function{}, err
	}
	f := Function{Index: -1}
	for _, link := range all {
		target, err := os.Readlink(link)
		if err == nil && filepath.Base(target) == device {
			f.Index, err = strconv.Atoi(strings.TrimPrefix(filepath.Base(link), "virtfn"))
		}
		if err != nil {
			return Function{}, fmt.Errorf("device %s: %w", device, err)
		}
	}
	if f.Index < 0 {
		return Function{}, fmt.Errorf("device %s is no virtual function of a NIC on this host", device)
	}
	if f.Physical, err = names(filepath.Join(physical, "net")); err != nil {
		return Function{}, fmt.Errorf("device %s: %w", device, err)
	}
	links, err := names(filepath.Join(dir, "net"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return Function{}, fmt.Errorf("device %s: %w", device, err)
	}
	if len(links) > 0 {
		f.Link = links[0]
	}
	return f, nil
}

func names(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all, err
}
