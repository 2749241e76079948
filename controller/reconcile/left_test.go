package reconcile

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

// What a SwitchConfig says of itself decides whether its switch may use a value.
func TestMayUse(t *testing.T) {
	note := func(text string) map[string]string { return map[string]string{leftAnnotation: text} }
	for _, c := range []struct {
		name                  string
		annotations           map[string]string
		generation, confirmed int64
		value                 string
		want                  bool
	}{
		{"nothing ever left", note(""), 9, 0, "10100", false},
		{"it left, and the switch has not confirmed what came then", note("10100@7 10.255.0.3@9"), 10, 7, "10100", true},
		{"an address", note("10100@7 10.255.0.3@9"), 10, 9, "10.255.0.3", true},
		{"the switch has confirmed the generation after", note("10100@7"), 8, 8, "10100", false},
		{"an ASN", note("asn-65001@7"), 8, 7, "asn-65001", true},
		{"an ASN is no VNI", note("asn-65001@7"), 8, 7, "65001", false},
		{"another value left", note("10100@7"), 8, 7, "1010", false},
		{"all may have been there", note("*@7"), 8, 7, "10100", true},
		{"all may have been there, and none is now", note("*@7"), 8, 8, "10100", false},
		{"a SwitchConfig made anew for a switch that had one", note("*@0"), 1, 0, "10100", true},
		{"one that keeps no record, before it is confirmed", nil, 8, 7, "10100", true},
		{"one that keeps no record, confirmed", nil, 8, 8, "10100", false},
		{"one that was just made", nil, 1, 0, "10100", false},
		{"a record that a hand has spoilt", note("10101@x"), 8, 7, "10100", true},
		{"a spoilt record, confirmed", note("10101@x"), 8, 8, "10100", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			config := &v1alpha1.SwitchConfig{
				ObjectMeta: metav1.ObjectMeta{Annotations: c.annotations, Generation: c.generation},
				Status:     v1alpha1.SwitchConfigStatus{ConfirmedGeneration: c.confirmed},
			}
			if got := mayUse(config, c.value); got != c.want {
				t.Errorf("mayUse = %v, want %v", got, c.want)
			}
		})
	}
}

// A new spec adds what it drops to the record and takes out what it has again
// and what the switch has confirmed to be gone.
func TestLeaving(t *testing.T) {
	before := &v1alpha1.SwitchConfig{
		ObjectMeta: metav1.ObjectMeta{Generation: 9, Annotations: map[string]string{leftAnnotation: "10100@3 10101@5 10102@6"}},
		Spec: v1alpha1.SwitchConfigSpec{
			VTEP: "10.255.0.1", BGP: &v1alpha1.BGPConfig{BGP: v1alpha1.BGP{ASN: 65001}, RouterID: "10.255.0.1"},
			VRFs: []v1alpha1.VRFConfig{{VNI: 10200}}, Segments: []v1alpha1.SegmentConfig{{VNI: 10201}},
		},
		Status: v1alpha1.SwitchConfigStatus{ConfirmedGeneration: 5},
	}
	after := &v1alpha1.SwitchConfigSpec{VTEP: "10.255.0.2", VRFs: []v1alpha1.VRFConfig{{VNI: 10200}, {VNI: 10102}}}
	if got, want := leaving(before, after), "10.255.0.1@9 10101@5 10201@9 asn-65001@9"; got != want {
		t.Errorf("leaving = %q, want %q", got, want)
	}
	for vni := range int32(20_000) { // a switch that is off while many VPCs come and go
		before.Spec.VRFs = append(before.Spec.VRFs, v1alpha1.VRFConfig{VNI: 100_000 + vni})
	}
	if got, want := leaving(before, after), "*@9"; got != want {
		t.Errorf("leaving = %.40q…, want %q", got, want)
	}
	if text := strings.Repeat("16777215@1000000 ", 3000); len(text) > maxLeft {
		t.Errorf("3000 values that left make %d bytes, more than the %d kept by name", len(text), maxLeft)
	}
}
