package natural_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/switchlet/switchlet/api/natural"
)

func TestNaturalOrder(t *testing.T) {
	want := []string{"a", "a1", "enp3s0f0", "enp3s0f0np0", "enp3s0f1np1", "enp3s0f10", "enp12s0f0", "eth1", "eth01", "eth2", "eth10", "host2", "host10", "x99999999999999999999", "x100000000000000000000"}
	got := slices.Sorted(slices.Values(want))
	slices.SortFunc(got, natural.Compare)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Whatever the names, there is one order of them.
func TestCompareIsAnOrder(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		name := rapid.StringMatching(`[e0-2]{0,5}`)
		a, b, c := name.Draw(rt, "a"), name.Draw(rt, "b"), name.Draw(rt, "c")
		if x, y := natural.Compare(a, b), natural.Compare(b, a); x != -y || (x == 0) != (a == b) {
			rt.Errorf("%q and %q: %d and %d", a, b, x, y)
		}
		if natural.Compare(a, b) < 0 && natural.Compare(b, c) < 0 && natural.Compare(a, c) >= 0 {
			rt.Errorf("%q < %q < %q", a, b, c)
		}
	})
}
