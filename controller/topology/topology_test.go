package topology

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/deploy/lab/labtest/golden"
)

// Each scenario in testdata is what systems report and what somebody declared,
// and the port map that is made of it. "silent.txt" names the systems whose
// agents have stopped. "then.yaml" replaces objects and keeps what was known: it
// is the same fabric a while later.
func TestScenarios(t *testing.T) {
	golden.Archives(t, "testdata/*.txtar", run)
}

// run goes through the files of a scenario, one after the other, and gives it with the
// outcomes as they are.
func run(t *testing.T, archive *txtar.Archive) *txtar.Archive {
	var in Inputs
	var last Topology
	for i := range archive.Files {
		f := &archive.Files[i]
		switch f.Name {
		case "silent.txt":
			in.Silent = map[v1alpha1.ObjectReference]bool{}
			for line := range strings.Lines(string(f.Data)) {
				kind, name, _ := strings.Cut(strings.TrimSpace(line), " ")
				in.Silent[v1alpha1.ObjectReference{Kind: v1alpha1.Kind(kind), Name: name}] = true
			}
		case "objects.yaml", "then.yaml":
			in.Links = remembered(in.Links, last)
			read(t, f.Data, &in)
		case "want.txt":
			last = Build(in)
			got := text(last, in)
			if again := text(Build(in), in); again != got {
				t.Errorf("the same input gave another output:\n%s", cmp.Diff(got, again))
			}
			f.Data = []byte(got)
		default:
			t.Fatalf("a file of unknown meaning: %s", f.Name)
		}
	}
	return archive
}

// remembered are the Links as the controller would have written them.
func remembered(before []*v1alpha1.Link, t Topology) []*v1alpha1.Link {
	specs := map[string]v1alpha1.LinkSpec{}
	for _, l := range before {
		specs[l.Name] = l.Spec
	}
	var out []*v1alpha1.Link
	for _, l := range t.Links {
		o := &v1alpha1.Link{Spec: specs[l.Name], Status: l.Status}
		o.Name = l.Name
		out = append(out, o)
	}
	return out
}

// read adds objects to inputs, in place of those of the same kind and name.
func read(t *testing.T, data []byte, in *Inputs) {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	decoder := serializer.NewCodecFactory(scheme, serializer.EnableStrict).UniversalDeserializer()
	for doc := range strings.SplitSeq(string(data), "\n---\n") {
		o, _, err := decoder.Decode([]byte(doc), nil, nil)
		if err != nil {
			t.Fatalf("%v in:\n%s", err, doc)
		}
		switch o := o.(type) {
		case *v1alpha1.Switch:
			in.Switches = put(in.Switches, o, func(x *v1alpha1.Switch) string { return x.Name })
		case *v1alpha1.Host:
			in.Hosts = put(in.Hosts, o, func(x *v1alpha1.Host) string { return x.Name })
		case *v1alpha1.Link:
			in.Links = put(in.Links, o, func(x *v1alpha1.Link) string { return x.Name })
		default:
			t.Fatalf("%T in a scenario", o)
		}
	}
}

func put[T any](list []T, o T, name func(T) string) []T {
	for i := range list {
		if name(list[i]) == name(o) {
			list[i] = o
			return list
		}
	}
	return append(list, o)
}

// text writes a port map as people read it.
func text(t Topology, in Inputs) string {
	var w strings.Builder
	fmt.Fprintln(&w, "links")
	for _, l := range t.Links {
		fmt.Fprintf(&w, "  %s: %s <-> %s\n    %s, %s, Ready %s (%s): %s\n",
			l.Name, l.Status.A, l.Status.B, l.Status.State, l.Status.Source, l.Ready, l.Reason, l.Status.Message)
		for _, f := range l.Status.Found {
			fmt.Fprintf(&w, "    found at %s: %s\n", f.At, f.Neighbor)
		}
	}
	for _, h := range in.Hosts {
		for _, p := range t.PortsOf(h.Name) {
			fmt.Fprintf(&w, "place %s/%s", h.Name, p.NIC)
			if p.Bond != "" {
				fmt.Fprintf(&w, " of %s", p.Bond)
			}
			fmt.Fprintf(&w, " -> %s/%s", p.Switch, p.Port)
			if p.Member != "" {
				fmt.Fprintf(&w, " by %s", p.Member)
			}
			fmt.Fprintf(&w, ", %s\n", p.State)
		}
	}
	for _, sw := range in.Switches {
		for _, u := range t.Uplinks(sw.Name) {
			fmt.Fprintf(&w, "uplink %s/%s -> %s/%s, %s\n", sw.Name, u.Port, u.Peer, u.PeerPort, u.State)
		}
	}
	for _, p := range t.Problems {
		fmt.Fprintf(&w, "problem of %s: %s: %s\n", p.Owner, p.Reason, p.Message)
	}
	for _, p := range t.Notes {
		fmt.Fprintf(&w, "note on %s: %s: %s\n", p.Owner, p.Reason, p.Message)
	}
	return w.String()
}
