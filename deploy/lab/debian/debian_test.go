package debian

import "testing"

func TestMissingNamesEachPackageOnce(t *testing.T) {
	got := missing([]need{
		{program: "sh", pkg: "dash"},
		{program: "no-such-daemon", pkg: "containerd"},
		{program: "no-such-tool", pkg: "containerd"},
	})
	if len(got) != 1 || got[0].program != "no-such-daemon" {
		t.Errorf("missing() = %+v, want no-such-daemon only", got)
	}
}
