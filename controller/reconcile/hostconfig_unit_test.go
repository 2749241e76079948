package reconcile

import (
	"testing"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

// A network that is about to be ready can wait to be told of, as long as nothing else
// has to be told.
func TestOnlyUnready(t *testing.T) {
	spec := func(networks ...v1alpha1.HostNetwork) v1alpha1.HostConfigSpec {
		return v1alpha1.HostConfigSpec{Networks: networks}
	}
	blue, red := v1alpha1.HostNetwork{VNI: 10, Ready: true}, v1alpha1.HostNetwork{VNI: 20, Message: "leaf1 is at it"}
	slower, ready := blue, red
	slower.MTU, ready.Ready = 1400, true
	for _, c := range []struct {
		name          string
		before, after v1alpha1.HostConfigSpec
		want          bool
	}{
		{"nothing new", spec(blue), spec(blue), false},
		{"one that is not ready", spec(blue), spec(blue, red), true},
		{"the first one, which is not ready", spec(), spec(red), true},
		{"one that is ready", spec(blue), spec(blue, ready), false},
		{"one that has become ready", spec(blue, red), spec(blue, ready), false},
		{"one that is not ready any more", spec(blue, ready), spec(blue, red), false},
		{"another one changes", spec(blue), spec(slower, red), false},
		{"another one goes", spec(blue), spec(red), false},
	} {
		if got := onlyUnready(c.before, c.after); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}
