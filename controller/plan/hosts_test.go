package plan

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

// A class allows the hosts that its selector matches. One that makes no sense allows
// none, and one that is not there allows all.
func TestAllowedHosts(t *testing.T) {
	rack7 := &metav1.LabelSelector{MatchLabels: map[string]string{"rack": "7"}}
	senseless := &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "rack", Operator: "Near"}}}
	for _, c := range []struct {
		selector *metav1.LabelSelector
		host     string
		labels   map[string]string
		want     string
	}{
		{nil, "host1", nil, ""},
		{&metav1.LabelSelector{}, "host1", nil, ""},
		{rack7, "host1", map[string]string{"rack": "7"}, ""},
		{rack7, "host1", map[string]string{"rack": "8"}, `Host host1 does not have the labels "rack=7"`},
		{rack7, "host1", nil, "VPCClass gold, spec.hostSelector"},
		{rack7, "", nil, ""}, // it names a port
		{senseless, "host1", nil, "The network team has to correct it"},
	} {
		class := &v1alpha1.VPCClass{ObjectMeta: metav1.ObjectMeta{Name: "gold"}, Spec: v1alpha1.VPCClassSpec{HostSelector: c.selector}}
		got := allowed(class, Placement{Host: c.host, HostLabels: c.labels}, v1alpha1.ObjectReference{})
		if (got == nil) != (c.want == "") || got != nil && (got.Reason != "HostNotAllowed" || !strings.Contains(got.Message, c.want)) {
			t.Errorf("%v, host %q with %v: %+v, want %q", c.selector, c.host, c.labels, got, c.want)
		}
	}
}
