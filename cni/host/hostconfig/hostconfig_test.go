package hostconfig

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/cni/host/attach"
	"github.com/switchlet/switchlet/cni/host/networks"
)

func config(generation int64, revision string, vnis ...int32) *v1alpha1.HostConfig {
	c := &v1alpha1.HostConfig{ObjectMeta: metav1.ObjectMeta{UID: "1", Generation: generation}, Spec: v1alpha1.HostConfigSpec{Revision: revision}}
	for _, vni := range vnis {
		c.Spec.Networks = append(c.Spec.Networks, v1alpha1.HostNetwork{VNI: vni, CIDRs: []string{"10.1.0.0/24"}})
	}
	return c
}

// follow is a follower in a folder, and the revisions that it has handed on; one
// that is not known is "none".
func follow(t *testing.T, dir string) (*Follower, *[]string) {
	var seen []string
	f := NewFollower(NewDisk(dir), func(s networks.Set, _ []v1alpha1.Problem) {
		if !s.Known {
			s.Revision = "none"
		}
		seen = append(seen, s.Revision)
	}, slog.New(slog.NewTextHandler(t.Output(), nil)))
	f.Start()
	return f, &seen
}

// The last spec is there after a restart; one that was deleted is not.
func TestFollower(t *testing.T) {
	dir := t.TempDir()
	f, seen := follow(t, dir)
	f.Saw(config(1, "r1", 1111))
	f.Saw(config(1, "r1", 1111)) // its status has changed
	f.Saw(config(2, "r2", 1111, 2222))
	if diff := cmp.Diff([]string{"r1", "r2"}, *seen); diff != "" {
		t.Errorf("handed on (-want +got):\n%s", diff)
	}
	f, seen = follow(t, dir)
	f.Saw(nil)
	if diff := cmp.Diff([]string{"r2", "none"}, *seen); diff != "" {
		t.Errorf("after a restart (-want +got):\n%s", diff)
	}
	if _, seen = follow(t, dir); len(*seen) != 0 {
		t.Errorf("after it was deleted: %q", *seen)
	}
}

// A damaged copy is waited for, and a torn one never takes the place of a whole one.
func TestDisk(t *testing.T) {
	dir := t.TempDir()
	d := NewDisk(dir)
	spec := config(1, "r1", 1111).Spec
	if err := d.Save(&spec); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, fileName)
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for size := range text {
		if err := os.WriteFile(name, text[:size], 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := d.Load(); err == nil || got != nil {
			t.Fatalf("%d of %d octets are %v, error %v", size, len(text), got, err)
		}
	}
	if _, seen := follow(t, dir); len(*seen) != 0 {
		t.Errorf("a damaged copy was handed on: %q", *seen)
	}
	if err := d.Save(&spec); err != nil {
		t.Fatal(err)
	}
	if got, err := d.Load(); err != nil || !cmp.Equal(*got, spec) {
		t.Errorf("%v, error %v", got, err)
	}
}

func TestStatus(t *testing.T) {
	now := time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)
	problem := v1alpha1.Problem{Reason: "NoUplink", Message: strings.Repeat("x", 2000)}
	for _, c := range []struct {
		report attach.Report
		want   string
	}{
		{attach.Report{Revision: "r1"}, "True Applied"},
		{attach.Report{Revision: "r0"}, "False Applying"},
		{attach.Report{Revision: "r1", Problems: make([]v1alpha1.Problem, 100)}, "False Problems"},
		{attach.Report{Revision: "r1", Problems: []v1alpha1.Problem{problem}}, "False Problems"},
		{attach.Report{Revision: "r1", Err: errors.New("no netlink")}, "False NICsUnknown"},
	} {
		s := status(c.report, "r1", 7, nil, now)
		for _, kind := range []string{v1alpha1.HostConfigApplied, v1alpha1.ConditionReady} {
			got := meta.FindStatusCondition(s.Conditions, kind)
			if string(got.Status)+" "+got.Reason != c.want || len(got.Message) > maxMessage || got.ObservedGeneration != 7 {
				t.Errorf("%s of %+v is %+v", kind, c.report, got)
			}
		}
		if len(s.Problems) > maxProblems || len(s.Problems) > 0 && len(s.Problems[0].Message) > maxMessage {
			t.Errorf("%d problems", len(s.Problems))
		}
		if later := status(c.report, "r1", 7, s.Conditions, now.Add(time.Hour)); !cmp.Equal(later, s) {
			t.Errorf("an hour later the same is %+v", later)
		}
	}
}
