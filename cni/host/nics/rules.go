package nics

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// Rules say which network interfaces are NICs.
type Rules struct {
	// Sysfs is the kernel's folder of network interfaces, DefaultSysfs.
	Sysfs string
	// Names are patterns, as of a shell. If there are any, the interfaces with
	// such names are the NICs, hardware or not, and ends of veth pairs too: a lab
	// has no others. Else all hardware is.
	Names []string
}

// ParseNames reads patterns with commas between them.
func ParseNames(text string) ([]string, error) {
	var names []string
	for name := range strings.SplitSeq(text, ",") {
		if name = strings.TrimSpace(name); name == "" {
			continue
		}
		if _, err := path.Match(name, ""); err != nil {
			return nil, fmt.Errorf("pattern %q: %w: write it as for a shell, such as eth* or ens[12]f0", name, err)
		}
		names = append(names, name)
	}
	return names, nil
}

// Chosen reports whether the interface with a name is a NIC. kind is what it is
// if it is virtual, such as "bond", and empty if it is not.
func (r Rules) Chosen(name, kind string) bool {
	if len(r.Names) > 0 {
		return (kind == "" || kind == "veth") && name != "lo" && slices.ContainsFunc(r.Names, func(pattern string) bool {
			ok, err := path.Match(pattern, name)
			return ok && err == nil
		})
	}
	return kind == "" && hardware(r.Sysfs, name)
}
