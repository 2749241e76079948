package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

// FormerAnnotation of a SwitchConfig says which VLAN ids its spec has no more:
// "100/10101@7+1767225600" is Vlan100 of VNI 10101, which generation 7 was the last to
// have, and the Unix time of that change. Written together with the spec, it is true
// whichever controller reads it, and however late.
const FormerAnnotation = v1alpha1.Group + "/former-vlans"

// maxFormer is how many ids the annotation remembers that are free again. Those that
// were given back before are taken for never used.
const maxFormer = 512

// Former is a VLAN id that a switch had for a VNI.
type Former struct {
	VLAN, VNI int32
	// Generation of the SwitchConfig that was the last to have it.
	Generation int64
	// At is when that was, in Unix seconds.
	At int64
	// Held says that the switch, or a host at one of its ports, may still use it: no
	// other VNI gets it.
	Held bool
}

// FormerOf reads what a SwitchConfig says of the ids that it had. One is held until the
// switch has confirmed a generation without it, which it could go back to until then,
// and for the time of grace at least: of a port without agent nobody knows what is sent
// there. A negative grace never ends. Text that is damaged says nothing.
func FormerOf(config *v1alpha1.SwitchConfig, now time.Time, grace time.Duration) []Former {
	entries := strings.Fields(config.Annotations[FormerAnnotation])
	out := make([]Former, 0, len(entries))
	for _, entry := range entries {
		f, ok := parseFormer(entry)
		if !ok {
			continue
		}
		f.Held = f.Generation >= config.Status.ConfirmedGeneration || grace < 0 || now.Before(time.Unix(f.At, 0).Add(grace))
		out = append(out, f)
	}
	return out
}

func parseFormer(entry string) (Former, bool) {
	id, rest, _ := strings.Cut(entry, "@")
	vlan, vni, _ := strings.Cut(id, "/")
	generation, at, _ := strings.Cut(rest, "+")
	var numbers [4]int64
	for i, text := range []string{vlan, vni, generation, at} {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 0 || i < 2 && n > 1<<24 {
			return Former{}, false
		}
		numbers[i] = n
	}
	return Former{VLAN: int32(numbers[0]), VNI: int32(numbers[1]), Generation: numbers[2], At: numbers[3]}, true
}

// Leaving is the annotation of a SwitchConfig that gets a new spec. Of what is held
// nothing is forgotten, of the rest what was given back last is kept.
func Leaving(before *v1alpha1.SwitchConfig, after *v1alpha1.SwitchConfigSpec, now time.Time, grace time.Duration) string {
	has := map[given]bool{}
	for _, id := range givenIn(after) {
		has[id] = true
	}
	out := FormerOf(before, now, grace)
	for _, id := range givenIn(&before.Spec) {
		out = append(out, Former{VLAN: id.vlan, VNI: id.vni, Generation: before.Generation, At: now.Unix(), Held: true})
	}
	out = slices.DeleteFunc(out, func(f Former) bool { return has[given{f.VLAN, f.VNI}] })
	slices.SortFunc(out, func(a, b Former) int {
		return cmp.Or(cmp.Compare(b.At, a.At), cmp.Compare(b.Generation, a.Generation), cmp.Compare(a.VLAN, b.VLAN), cmp.Compare(a.VNI, b.VNI))
	})
	var text strings.Builder
	seen, free := map[given]bool{}, 0
	for _, f := range out {
		id := given{f.VLAN, f.VNI}
		if seen[id] || !f.Held && free == maxFormer {
			continue
		}
		if seen[id] = true; !f.Held {
			free++
		}
		fmt.Fprintf(&text, " %d/%d@%d+%d", f.VLAN, f.VNI, f.Generation, f.At)
	}
	return strings.TrimPrefix(text.String(), " ")
}

// given is a VLAN id with what it stands for.
type given struct{ vlan, vni int32 }

// givenIn are the VLAN ids of a spec.
func givenIn(spec *v1alpha1.SwitchConfigSpec) []given {
	out := make([]given, 0, len(spec.VRFs)+len(spec.Segments))
	for _, v := range spec.VRFs {
		out = append(out, given{v.VLAN, v.VNI})
	}
	for _, s := range spec.Segments {
		out = append(out, given{s.VLAN, s.VNI})
	}
	return out
}
