package plan

import (
	"fmt"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

// having is a SwitchConfig of some generation that has segments, such as "100/10101".
func having(generation, confirmed int64, former string, ids ...string) *v1alpha1.SwitchConfig {
	c := &v1alpha1.SwitchConfig{ObjectMeta: metav1.ObjectMeta{Name: "leaf1", Generation: generation, Annotations: map[string]string{FormerAnnotation: former}}}
	c.Status.ConfirmedGeneration = confirmed
	for _, id := range ids {
		f, ok := parseFormer(id + "@0+0")
		if !ok {
			panic(id)
		}
		c.Spec.Segments = append(c.Spec.Segments, v1alpha1.SegmentConfig{VLAN: f.VLAN, VNI: f.VNI})
	}
	return c
}

// When an id that a switch had may be another VNI's.
func TestFormerOf(t *testing.T) {
	now := time.Unix(1000, 0)
	for _, c := range []struct {
		name   string
		former string
		grace  time.Duration
		want   string // "held" or "free", each
	}{
		{"not confirmed yet", "100/10101@7+100", time.Minute, "held"},
		{"confirmed, and long ago", "100/10101@6+100", time.Minute, "free"},
		{"confirmed, a moment ago", "100/10101@6+999", time.Minute, "held"},
		{"the time of grace is over", "100/10101@6+940", time.Minute, "free"},
		{"without a Fabric there is no time of grace", "100/10101@6+100", -1, "held"},
		{"several", "100/10101@6+100 101/10102@7+100", 0, "free held"},
		{"damaged", "100/10101 100@7+1 /@+ 100/-1@7+1 99999999999/1@7+1 x 102/1@6+1", 0, "free"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, f := range FormerOf(having(7, 7, c.former), now, c.grace) {
				got = append(got, map[bool]string{true: "held", false: "free"}[f.Held])
			}
			if text := strings.Join(got, " "); text != c.want {
				t.Errorf("%q is %q, want %q", c.former, text, c.want)
			}
		})
	}
}

// What the annotation says after a change of the spec.
func TestLeaving(t *testing.T) {
	now := time.Unix(1000, 0)
	for _, c := range []struct {
		name   string
		before *v1alpha1.SwitchConfig
		after  []string
		want   string
	}{
		{"nothing leaves", having(3, 3, "", "100/10101"), []string{"100/10101", "101/10102"}, ""},
		{"one leaves", having(3, 3, "", "100/10101", "101/10102"), []string{"101/10102"}, "100/10101@3+1000"},
		{"it comes back", having(4, 3, "100/10101@3+900"), []string{"100/10101"}, ""},
		{"it comes back under another id", having(4, 3, "100/10101@3+900"), []string{"105/10101"}, "100/10101@3+900"},
		{"it leaves once more", having(9, 9, "100/10101@3+900", "100/10101"), nil, "100/10101@9+1000"},
		{"what was given back last comes first", having(9, 9, "100/10101@3+900 102/10103@5+950", "101/10102"), nil, "101/10102@9+1000 102/10103@5+950 100/10101@3+900"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := Leaving(c.before, &having(0, 0, "", c.after...).Spec, now, time.Minute); got != c.want {
				t.Errorf("the annotation is %q, want %q", got, c.want)
			}
		})
	}
}

// The annotation is bounded: what is held is never forgotten, and of what is free those
// that were given back first are.
func TestLeavingIsBounded(t *testing.T) {
	var former []string
	for i := range 2000 {
		former = append(former, fmt.Sprintf("%d/%d@%d+%d", 2+i, 10000+i, 1+i%2, i)) // every other one is not confirmed
	}
	text := Leaving(having(3, 2, strings.Join(former, " ")), &v1alpha1.SwitchConfigSpec{}, time.Unix(10000, 0), 0)
	held, free := 0, 0
	for _, f := range FormerOf(having(3, 2, text), time.Unix(10000, 0), 0) {
		if f.Held {
			held++
		} else if free++; f.At < 900 {
			t.Errorf("VLAN %d is remembered, which was given back at %d", f.VLAN, f.At)
		}
	}
	if held != 1000 || free != maxFormer || len(text) > 64<<10 {
		t.Errorf("%d held and %d free in %d bytes, want 1000, %d and no more than 64 KiB", held, free, len(text), maxFormer)
	}
}

// Whoever changes annotations by hand does not stop the controller.
func FuzzFormerOf(f *testing.F) {
	f.Add("100/10101@7+1767225600 101/10102@8+1767225601")
	f.Add("@/+ 9223372036854775807/1@1+9223372036854775807")
	f.Fuzz(func(t *testing.T, text string) {
		first := Leaving(having(3, 2, text, "100/10101"), &v1alpha1.SwitchConfigSpec{}, time.Unix(1000, 0), time.Minute)
		if again := Leaving(having(3, 2, first), &v1alpha1.SwitchConfigSpec{}, time.Unix(1000, 0), time.Minute); again != first {
			t.Errorf("%q became %q, and then %q", text, first, again)
		}
	})
}
