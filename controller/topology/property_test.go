package topology

import (
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

// In a fabric that was cabled at random, with random mistakes, every mistake is
// told of its object and nothing else is; every cable that is right is a link;
// and no link that was known goes without a reason.
func TestEveryMistakeIsToldAndNothingElse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64().Draw(t, "seed")
		f := newFabric(rand.New(rand.NewPCG(seed, 0)), rapid.IntRange(3, 64).Draw(t, "switches"), rapid.IntRange(0, 512).Draw(t, "hosts"))
		for _, e := range rapid.SliceOfN(rapid.SampledFrom(events()), 0, 12).Draw(t, "events") {
			e.do(f)
		}
		in := f.inputs()
		out := Build(in)
		states, problems := map[string]v1alpha1.LinkState{}, map[string]int{}
		for _, l := range out.Links {
			states[l.Name] = l.Status.State
		}
		for _, p := range out.Problems {
			problems[p.Owner.String()+" "+p.Reason]++
		}
		if diff := cmp.Diff(f.problems, problems); diff != "" {
			t.Fatalf("problems, -want +got:\n%s\n%s", diff, text(out, in))
		}
		if diff := cmp.Diff(f.states, states); diff != "" {
			t.Fatalf("links, -want +got:\n%s\n%s", diff, text(out, in))
		}
		checkPlaces(t, f, out)
		checkAgain(t, f, in, out)
	})
}

// checkPlaces: the places of hosts are the links to leaves, and those alone, but for
// those whose port is somebody else's.
func checkPlaces(t *rapid.T, f *fabric, out Topology) {
	places, want := map[string]bool{}, map[string]bool{}
	for _, h := range f.hosts {
		for _, p := range out.PortsOf(h.Name) {
			places[p.Link] = true
		}
	}
	for _, l := range out.Links {
		host, sw := l.Status.Ends[0], l.Status.Ends[1]
		if host.Host != "" && sw.Switch != "" && l.Reason != "DeclaredTwice" && l.Reason != "EndNotFound" && f.find(sw.Switch).Spec.Role != v1alpha1.RoleSpine && !f.taken[l.Name] {
			want[l.Name] = true
		}
	}
	if diff := cmp.Diff(want, places); diff != "" {
		t.Fatalf("places, -want +got:\n%s", diff)
	}
}

// checkAgain: another order of the objects changes nothing, nor does it that the
// links are known afterwards.
func checkAgain(t *rapid.T, f *fabric, in Inputs, out Topology) {
	if diff := difference(text(out, in), text(Build(f.inputs()), in)); diff != "" {
		t.Fatalf("another order, another port map:\n%s", diff)
	}
	made := map[string]metav1.Time{}
	for _, l := range in.Links {
		made[l.Name] = l.CreationTimestamp
	}
	in.Links = remembered(in.Links, out)
	for _, l := range in.Links {
		l.CreationTimestamp = made[l.Name]
	}
	if diff := difference(text(out, in), text(Build(in), in)); diff != "" {
		t.Fatalf("built again:\n%s", diff)
	}
}

// difference looks closer only at what is not the same.
func difference(a, b string) string {
	if a == b {
		return ""
	}
	return cmp.Diff(a, b)
}
