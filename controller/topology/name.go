package topology

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

// maxName is the longest name of an object.
const maxName = 253

// nameOf is the name of a link: that of the object that it is known by, or else
// one made of its ends.
func (b *builder) nameOf(l *found, taken map[string]bool) string {
	if l.declared != nil {
		return l.declared.Name
	}
	if l.link != none {
		return b.in.Links[l.link].Name
	}
	x, y := b.linkEnd(l.a), b.linkEnd(l.b)
	name := Name(x, y)
	if taken[name] {
		return hashed(name, x, y)
	}
	return name
}

// Name is the name of the Link between two ends, such as
// "host1.eth0--leaf1.ethernet0". Different ends have different names: what a name
// cannot say is told apart by a hash.
func Name(a, b v1alpha1.LinkEnd) string {
	name := fold(a.Object() + "." + a.Interface() + "--" + b.Object() + "." + b.Interface())
	if len(name) > maxName || !plain(a) || !plain(b) {
		return hashed(name, a, b)
	}
	return name
}

// plain says whether an end can be read from a name: its port has letters and
// digits only, so that the last dot parts it from the system.
func plain(e v1alpha1.LinkEnd) bool {
	if strings.Contains(e.Object(), "--") {
		return false
	}
	port := strings.TrimPrefix(e.Port, "Ethernet")
	if e.Switch == "" {
		port = e.NIC
		if strings.HasPrefix(port, "ethernet") {
			return false // a switch of that name could have it
		}
	}
	for _, c := range port {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return port != ""
}

// hashed ends a name with a hash of the ends, which no plain name has.
func hashed(name string, a, b v1alpha1.LinkEnd) string {
	text := strings.Join([]string{a.Switch, a.Port, a.Host, a.NIC, b.Switch, b.Port, b.Host, b.NIC}, "\x00")
	sum := sha256.Sum256([]byte(text))
	clean := strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '.' {
			return c
		}
		return '-'
	}, name)
	const room = maxName - 9
	clean = strings.Trim(clean[:min(len(clean), room)], "-.")
	for _, bad := range []string{"..", ".-", "-."} {
		for strings.Contains(clean, bad) {
			clean = strings.ReplaceAll(clean, bad, "-")
		}
	}
	return strings.Trim(clean, "-.") + "-" + hex.EncodeToString(sum[:4])
}
