package nics

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// DefaultSysfs is where the kernel tells of network interfaces, by their names
// (Linux, Documentation/ABI/testing/sysfs-class-net).
const DefaultSysfs = "/sys/class/net"

// hardware reports whether an interface is one into which a cable goes: it
// belongs to a device, and is none of those that such devices have besides.
func hardware(sysfs, name string) bool {
	dir := filepath.Join(sysfs, name)
	return exists(dir, "device") &&
		!exists(dir, "device", "physfn") && // a virtual function, as for a virtual machine
		!exists(dir, "phy80211") && // wireless
		!representor(dir)
}

// representor reports whether an interface stands for a function of a device
// that is a switch itself, and not for a port of it. The driver names it after
// the function (Linux, Documentation/networking/devlink/devlink-port.rst).
func representor(dir string) bool {
	// The file cannot be read where there is no such name.
	text, err := os.ReadFile(filepath.Join(dir, "phys_port_name"))
	return err == nil && regexp.MustCompile(`^(c[0-9]+)?pf[0-9]+((vf|sf)[0-9]+)?$`).MatchString(strings.TrimSpace(string(text)))
}

func exists(path ...string) bool {
	_, err := os.Stat(filepath.Join(path...))
	return err == nil
}
