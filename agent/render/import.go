package render

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/sonic"
	"github.com/switchlet/switchlet/sonic/frr"
)

// FRR judges all that a VRF takes over by one route map for each family. A route map
// that is changed is in force at once for new routes and seconds later for others, and
// line by line. So none is ever changed: its name has a hash of what it says, and the
// VRF goes over from one to the other by one statement.

// source is what a VRF takes over from another one, in one family.
type source struct {
	vrf      int32
	prefixes []netip.Prefix // sorted
	owner    string
}

// addImports adds to cfg what its VRFs take over from others of them.
func addImports(cfg *frr.Config, spec *v1alpha1.SwitchConfigSpec) {
	there := make(map[string]bool, len(cfg.VRFs))
	for i := range cfg.VRFs {
		there[cfg.VRFs[i].Name] = true
	}
	byName := make(map[string]*v1alpha1.VRFConfig, len(spec.VRFs))
	for i := range spec.VRFs {
		byName[sonic.VRFName(int(spec.VRFs[i].VNI))] = &spec.VRFs[i]
	}
	for i := range cfg.VRFs {
		vrf := byName[cfg.VRFs[i].Name]
		for _, family := range []struct {
			v6      bool
			unicast **frr.Unicast
		}{{false, &cfg.VRFs[i].IPv4}, {true, &cfg.VRFs[i].IPv6}} {
			sources := sourcesOf(vrf, family.v6, there)
			if len(sources) == 0 {
				continue
			}
			unicast := **family.unicast
			unicast.Imports, unicast.ImportMap = importsOf(cfg, vrf, family.v6, sources)
			*family.unicast = &unicast
		}
	}
}

// sourcesOf are the VRFs from which one takes routes of a family over, in rising order
// of their VNIs, as far as they are there.
func sourcesOf(vrf *v1alpha1.VRFConfig, v6 bool, there map[string]bool) []source {
	var out []source
	for _, i := range vrf.Imports {
		if i.VRF == vrf.VNI || !there[sonic.VRFName(int(i.VRF))] {
			continue
		}
		s := source{vrf: i.VRF, owner: i.Owner.String()}
		for _, text := range i.Prefixes {
			if p, err := netip.ParsePrefix(text); err == nil && p.Addr().Is4() != v6 {
				s.prefixes = append(s.prefixes, p.Masked())
			}
		}
		slices.SortFunc(s.prefixes, netip.Prefix.Compare)
		s.prefixes = slices.Compact(s.prefixes)
		if len(s.prefixes) > 0 {
			out = append(out, s)
		}
	}
	slices.SortFunc(out, func(a, b source) int { return cmp.Compare(a.vrf, b.vrf) })
	return out
}

// importsOf adds the prefix lists and the route map of a VRF to cfg, and says how the VRF
// names them. What is taken over is told to nobody: each switch takes it over by itself.
func importsOf(cfg *frr.Config, vrf *v1alpha1.VRFConfig, v6 bool, sources []source) ([]frr.VRFImport, string) {
	family := 4
	if v6 {
		family = 6
	}
	imports := make([]frr.VRFImport, len(sources))
	judge := frr.RouteMap{Owner: sources[0].owner}
	var content []string
	for i, s := range sources {
		from := sonic.VRFName(int(s.vrf))
		list := s.list(vrf.VNI, v6)
		cfg.PrefixLists = append(cfg.PrefixLists, list)
		entry := frr.RouteMapEntry{Sequence: 10 * (i + 1), MatchSourceVRF: from, NoAdvertise: true}
		if v6 {
			entry.MatchPrefixes6 = list.Name
		} else {
			entry.MatchPrefixes4 = list.Name
		}
		judge.Entries = append(judge.Entries, entry)
		imports[i] = frr.VRFImport{Owner: s.owner, VRF: from}
		content = append(content, list.Name)
	}
	judge.Name = hashed(fmt.Sprintf("SWITCHLET-%d-IMPORT%d", vrf.VNI, family), content...)
	cfg.RouteMaps = append(cfg.RouteMaps, judge)
	return imports, judge.Name
}

// list permits the networks of a source, and the single addresses in them.
func (s source) list(vni int32, v6 bool) frr.PrefixList {
	list := frr.PrefixList{Owner: s.owner, IPv6: v6}
	var content []string
	for i, p := range s.prefixes {
		entry := frr.PrefixEntry{Sequence: 10 * (i + 1), Prefix: p}
		if longest := p.Addr().BitLen(); p.Bits() < longest {
			entry.MaxLength = longest
		}
		list.Entries = append(list.Entries, entry)
		content = append(content, p.String())
	}
	list.Name = hashed(fmt.Sprintf("SWITCHLET-%d-%d", vni, s.vrf), content...)
	return list
}

// hashed is a name with a hash of what it stands for.
func hashed(name string, content ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(content, "\n")))
	return name + "-" + hex.EncodeToString(sum[:4])
}
