package reconcile

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/controller/alloc"
)

// leftAnnotation of a SwitchConfig says which identifiers its spec has no more,
// each with the generation that had it last: "10100@7 10.255.0.3@9 asn-65001@9",
// a VNI, an address and an ASN. The switch
// may still use them, or go back to them, until it has confirmed a newer
// generation. Written together with the spec, it is true whichever controller
// reads it, and however late.
const leftAnnotation = v1alpha1.Group + "/left"

const (
	// anything stands for every identifier: it is not known which have left.
	anything = "*"
	// maxLeft bounds the annotation, in bytes: a switch that is off for months
	// confirms nothing. The API server takes 256 KiB of annotations in all.
	maxLeft = 64 << 10
)

// identifiers of a spec, as the annotation names them.
func identifiers(spec *v1alpha1.SwitchConfigSpec) map[string]bool {
	all := make(map[string]bool, 2+len(spec.VRFs)+len(spec.Segments))
	if spec.VTEP != "" {
		all[spec.VTEP] = true
	}
	if spec.BGP != nil && spec.BGP.ASN != 0 {
		all[leftID(v1alpha1.PoolASN, strconv.FormatInt(spec.BGP.ASN, 10))] = true
	}
	if spec.BGP != nil && spec.BGP.RouterID != "" {
		all[spec.BGP.RouterID] = true
	}
	for _, v := range spec.VRFs {
		all[strconv.Itoa(int(v.VNI))] = true
	}
	for _, s := range spec.Segments {
		all[strconv.Itoa(int(s.VNI))] = true
	}
	return all
}

// leftID is how the annotation names the value of a pool: an ASN could be taken
// for a VNI.
func leftID(pool v1alpha1.PoolName, value string) string {
	if pool == v1alpha1.PoolASN {
		return alloc.Name(pool, value)
	}
	return value
}

// left reads the annotation, as far as the switch has not confirmed that they
// are gone. Of a spec that was changed by somebody who keeps no record, nothing
// is known: not before the switch has confirmed it.
func left(c *v1alpha1.SwitchConfig) map[string]int64 {
	out := map[string]int64{}
	keep := func(id string, generation int64) {
		if generation >= c.Status.ConfirmedGeneration {
			out[id] = generation
		}
	}
	text, recorded := c.Annotations[leftAnnotation]
	if !recorded && c.Generation > 1 {
		keep(anything, c.Generation-1)
	}
	for _, entry := range strings.Fields(text) {
		id, at, _ := strings.Cut(entry, "@")
		generation, err := strconv.ParseInt(at, 10, 64)
		if err != nil {
			id, generation = anything, c.Generation-1
		}
		keep(id, max(generation, out[id]))
	}
	return out
}

// leaving is the annotation of a SwitchConfig that gets a new spec.
func leaving(before *v1alpha1.SwitchConfig, after *v1alpha1.SwitchConfigSpec) string {
	all, now := left(before), identifiers(after)
	for id := range identifiers(&before.Spec) {
		all[id] = before.Generation
	}
	maps.DeleteFunc(all, func(id string, _ int64) bool { return now[id] })
	return encodeLeft(all)
}

func encodeLeft(all map[string]int64) string {
	var b strings.Builder
	newest := int64(0)
	for _, id := range slices.Sorted(maps.Keys(all)) {
		newest = max(newest, all[id])
		fmt.Fprintf(&b, " %s@%d", id, all[id])
	}
	if b.Len() > maxLeft {
		return fmt.Sprintf("%s@%d", anything, newest)
	}
	return strings.TrimPrefix(b.String(), " ")
}

// mayUse says whether a switch may use an identifier that its spec has no more:
// until it has confirmed a generation without it.
func mayUse(c *v1alpha1.SwitchConfig, id string) bool {
	all := left(c)
	_, itself := all[id]
	_, unknown := all[anything]
	return itself || unknown
}

// remade are the annotations of a SwitchConfig that is made for a switch. One
// whose agent has reported before had a SwitchConfig that somebody deleted.
func remade(sw *v1alpha1.Switch) map[string]string {
	text := ""
	if reported(sw) {
		text = encodeLeft(map[string]int64{anything: 0})
	}
	return map[string]string{leftAnnotation: text}
}

// reported says whether a switch has ever had an agent. Some of the conditions
// are the controller's.
func reported(sw *v1alpha1.Switch) bool {
	return len(sw.Status.Ports) > 0 || slices.ContainsFunc(sw.Status.Conditions, func(c metav1.Condition) bool {
		return c.Type != v1alpha1.SwitchCabled && c.Type != v1alpha1.SwitchUnderlay
	})
}
