package converge

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

// What the API server says again wakes nobody and is kept once: reports of the
// status come back with the whole spec.
func TestKnownSpecIsNoNews(t *testing.T) {
	config := func(uid types.UID, generation int64, revision string) *v1alpha1.SwitchConfig {
		spec := v1alpha1.SwitchConfigSpec{Revision: revision, VRFs: []v1alpha1.VRFConfig{{VNI: 20001}}}
		return &v1alpha1.SwitchConfig{ObjectMeta: metav1.ObjectMeta{Name: "leaf1", UID: uid, Generation: generation}, Spec: spec}
	}
	in := NewInbox()
	in.SetSwitch(&v1alpha1.Switch{})
	<-in.wake
	first := config("1", 1, "a")
	for _, test := range []struct {
		name   string
		config *v1alpha1.SwitchConfig
		news   bool
	}{
		{"the first", first, true},
		{"its status was written", config("1", 1, "a"), false},
		{"another spec", config("1", 2, "b"), true},
		{"deleted", nil, true},
		{"made anew", config("2", 2, "b"), true},
		{"another one of that name", config("3", 2, "b"), true},
	} {
		in.SetConfig(test.config)
		news := false
		select {
		case <-in.wake:
			news = true
		default:
		}
		if news != test.news {
			t.Errorf("%s: news is %v", test.name, news)
		}
		if got := in.read(nil).config; news && got != test.config {
			t.Errorf("%s: the configuration is %v", test.name, got)
		}
		if test.name == "its status was written" && &test.config.Spec.VRFs[0] != &first.Spec.VRFs[0] {
			t.Errorf("%s: the spec is in memory twice", test.name)
		}
	}
}
