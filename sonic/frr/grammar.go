package frr

import "strings"

// kind is what a statement at the top of a configuration is about. The order of
// the kinds is that in which they are made.
type kind int

const (
	kindOther kind = iota
	kindPrefixList
	kindRouteMap
	kindProtocol
	kindBGP
	kindVRF
	kindBGPVRF
)

// split a statement into words.
func split(line string) []string {
	return strings.FieldsFunc(line, func(r rune) bool { return r == ' ' })
}

// kindOf a statement at the top.
func kindOf(line string) kind {
	switch {
	case strings.HasPrefix(line, "ip prefix-list "), strings.HasPrefix(line, "ipv6 prefix-list "):
		return kindPrefixList
	case strings.HasPrefix(line, "route-map "):
		return kindRouteMap
	case strings.HasPrefix(line, "ip protocol "), strings.HasPrefix(line, "ipv6 protocol "):
		return kindProtocol
	case strings.HasPrefix(line, "router bgp "):
		if strings.Contains(line, " vrf ") {
			return kindBGPVRF
		}
		return kindBGP
	case strings.HasPrefix(line, "vrf "):
		return kindVRF
	default:
		return kindOther
	}
}

// grouping reports whether a statement only says where others belong: an
// address family, or a VRF, which is there as long as the kernel has it.
// Without anything inside it says nothing.
func grouping(line string) bool {
	return strings.HasPrefix(line, "address-family ") || strings.HasPrefix(line, "vrf ")
}

// exit is the command that leaves the context of a statement, as FRR writes it;
// empty for a statement that opens none.
func exit(line string) string {
	switch {
	case strings.HasPrefix(line, "address-family "):
		return "exit-address-family"
	case strings.HasPrefix(line, "vrf "):
		return "exit-vrf"
	case strings.HasPrefix(line, "router "), strings.HasPrefix(line, "route-map "):
		return "exit"
	default:
		return ""
	}
}

// negate is the command that takes a statement back. Free text is left out,
// since not every version takes it there.
func negate(line string) string {
	if rest, ok := strings.CutPrefix(line, "no "); ok {
		return rest
	}
	words := split(line)
	if len(words) > 3 && words[0] == "neighbor" && words[2] == "description" {
		words = words[:3]
	}
	return "no " + strings.Join(words, " ")
}

// slot is what a statement gives a value to, where there can be only one; empty
// if there can be several beside each other.
func slot(line string) string {
	words := split(line)
	n := len(words)
	if n < 2 {
		return ""
	}
	switch words[0] {
	case "vni", "rd":
		return words[0]
	case "route-map":
		if n == 4 {
			return words[0] + " " + words[1] + " " + words[3] // permit or deny
		}
	case "router":
		return strings.Join(append(words[:2:2], words[min(n, 3):]...), " ") // any ASN
	case "maximum-paths":
		return strings.Join(words[:n-1], " ")
	case "ip", "ipv6":
		return addressSlot(words)
	case "bgp":
		if n > 2 && (words[1] == "router-id" || words[1] == "graceful-restart" && n > 3) {
			return strings.Join(words[:n-1], " ")
		}
	case "redistribute", "match", "set":
		if n > 3 && words[0] == "match" && words[2] == "address" {
			return strings.Join(words[:3], " ")
		}
		return strings.Join(words[:min(n, 2)], " ")
	case "import":
		if n == 4 {
			return strings.Join(words[:3], " ") // import vrf route-map
		}
	case "neighbor":
		return neighborSlot(words)
	}
	return ""
}

func addressSlot(words []string) string {
	switch {
	case len(words) > 4 && words[1] == "prefix-list" && words[3] == "seq":
		return strings.Join(words[:5], " ")
	case len(words) > 3 && words[1] == "protocol":
		return strings.Join(words[:3], " ")
	}
	return ""
}

func neighborSlot(words []string) string {
	n := len(words)
	if n < 4 {
		return ""
	}
	switch words[2] {
	case "remote-as", "description", "interface", "peer-group", "advertisement-interval":
		return strings.Join(words[:3], " ")
	case "timers":
		if words[3] == "connect" {
			return strings.Join(words[:4], " ")
		}
		return strings.Join(words[:3], " ")
	case "route-map":
		return strings.Join(words[:3], " ") + " " + words[n-1]
	}
	return ""
}

// overwrites reports whether a statement replaces the one that is in its slot.
// The others have to be taken back first.
func overwrites(line string) bool {
	words := split(line)
	switch words[0] {
	case "vni", "redistribute", "route-map", "router":
		return false
	case "ip", "ipv6":
		return words[1] == "protocol"
	case "neighbor":
		return words[2] != "interface" && words[2] != "peer-group"
	default:
		return true
	}
}

// hides reports whether FRR does not write a statement when it says what is so
// anyway: the number of paths that it was built for, or the route distinguisher
// that it made itself of the router id and the number of the instance.
func hides(line string) bool {
	return strings.HasPrefix(line, "maximum-paths ") || strings.HasPrefix(line, "rd ")
}

// stays reports whether a statement goes only together with its instance: it
// turns the meaning of what others say there around.
func stays(line string) bool { return line == "no bgp default ipv4-unicast" }

// subject of a statement on a neighbour or peer group.
func subject(line string) string {
	words := split(line)
	if len(words) > 2 && words[0] == "neighbor" {
		return words[1]
	}
	return ""
}

// makes reports whether a statement on a neighbour is the one that it exists
// by: without it all others are gone.
func makes(line string) bool {
	words := split(line)
	return len(words) > 2 && words[0] == "neighbor" && (words[2] == "interface" || words[2] == "peer-group")
}

// group that a statement makes a neighbour a member of.
func group(line string) string {
	words := split(line)
	if n := len(words); n > 3 && makes(line) && words[n-2] == "peer-group" {
		return words[n-1]
	}
	return ""
}

// unmake is the command that takes a neighbour or group away, with all that is
// said of it.
func unmake(line string) string {
	words := split(line)
	if words[2] == "peer-group" && len(words) > 3 {
		return "no neighbor " + words[1]
	}
	return "no " + line
}
