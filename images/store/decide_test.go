package store

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestReferences(t *testing.T) {
	digest := "@sha256:" + strings.Repeat("a", 64)
	for _, c := range []struct{ text, repository, refusal string }{
		{"registry.example/agent" + digest, "registry.example/agent", ""},
		{"registry.example:5000/a/b:v1" + digest, "registry.example:5000/a/b", ""},
		{"localhost/agent" + digest, "localhost/agent", ""},
		{"registry.example/agent:v1", "", "has no digest"},
		{"registry.example/agent@sha256:abc", "", "64 hexadecimal digits"},
		{"registry.example/agent@sha256:" + strings.Repeat("A", 64), "", "64 hexadecimal digits"},
		{"agent" + digest, "", "does not begin with a registry"},
		{"library/agent" + digest, "", "does not begin with a registry"},
		{"registry.example/a b" + digest, "", "not the name of a repository"},
	} {
		r, err := ParseReference(c.text)
		if c.refusal != "" {
			if err == nil || !strings.Contains(err.Error(), c.refusal) {
				t.Errorf("%s: %v, want %q", c.text, err, c.refusal)
			}
			continue
		}
		if err != nil || r.Repository != c.repository || r.String() != c.repository+digest {
			t.Errorf("%s: %v, %v", c.text, r, err)
		}
	}
}

func TestSuperfluousImages(t *testing.T) {
	keep := []Reference{{"r.example/agent", "sha256:new"}, {"r.example/agent", "sha256:good"}}
	for _, c := range []struct {
		name  string
		image Image
		want  bool
	}{
		{"an older one", Image{ID: "1", Digests: []string{"r.example/agent@sha256:old"}}, true},
		{"an older one with a tag", Image{ID: "1", Digests: []string{"r.example/agent@sha256:old"}, Tags: []string{"r.example/agent:v1"}}, true},
		{"the new one", Image{ID: "1", Digests: []string{"r.example/agent@sha256:new"}}, false},
		{"the last good one", Image{ID: "1", Digests: []string{"r.example/agent@sha256:good"}}, false},
		{"one of another service", Image{ID: "1", Digests: []string{"r.example/telemetry@sha256:old"}}, false},
		{"one that another service has too", Image{ID: "1", Digests: []string{"r.example/agent@sha256:old", "r.example/telemetry@sha256:old"}}, false},
		{"one that has a name elsewhere", Image{ID: "1", Digests: []string{"r.example/agent@sha256:old"}, Tags: []string{"r.example/telemetry:v1"}}, false},
		{"one that was imported", Image{ID: "1", Tags: []string{"r.example/agent:dev"}}, false},
		{"one that runs, by id", Image{ID: "running", Digests: []string{"r.example/agent@sha256:old"}}, false},
		{"one that runs, by name", Image{ID: "1", Digests: []string{"r.example/agent@sha256:running"}}, false},
	} {
		used := map[string]bool{"running": true, "r.example/agent@sha256:running": true}
		if got := superfluous([]Image{c.image}, keep, used); (len(got) == 1) != c.want {
			t.Errorf("%s: superfluous %v, want %v", c.name, len(got) == 1, c.want)
		}
	}
}

func TestAPullStopsWhenTheDiskFills(t *testing.T) {
	s := New(Config{Socket: t.TempDir() + "/none", Root: t.TempDir(), Reserve: 10})
	s.free = func(string) (uint64, error) { return 9, nil }
	err := s.room("/images", 0)
	if !errors.Is(err, ErrNoRoom) || !strings.Contains(err.Error(), "/images has 0 MiB free") {
		t.Errorf("room: %v", err)
	}
	if _, err := s.root(context.Background()); err != nil {
		t.Errorf("root: %v", err)
	}
}

func TestWhatIsFinal(t *testing.T) {
	for _, c := range []struct {
		err   error
		final bool
	}{
		{&StatusError{5, "not found"}, true},
		{&StatusError{2, "pull access denied: insufficient_scope"}, true},
		{&StatusError{2, "unexpected commit digest sha256:1, expected sha256:2"}, true},
		{&StatusError{2, "dial tcp 192.0.2.1:443: connect: connection refused"}, false},
		{&StatusError{14, "unavailable"}, false},
		{errors.New("broken pipe"), false},
		{nil, false},
	} {
		if got := errors.Is(refusal(c.err), ErrRefused); got != c.final {
			t.Errorf("%v is final: %v, want %v", c.err, got, c.final)
		}
	}
}

// What containerd answers is from outside: it may be anything, and ends nothing.
func FuzzDecode(f *testing.F) {
	f.Add(nested(1, slices.Concat(nested(1, []byte("id")), nested(3, []byte("name@digest")), []byte{32, 7})))
	f.Add([]byte{10, 255, 255, 255, 255, 15})
	f.Fuzz(func(t *testing.T, message []byte) {
		images, err := decodeImages(message)
		if err != nil && !strings.Contains(err.Error(), "message of containerd") {
			t.Error(err)
		}
		superfluous(images, nil, nil)
		for _, decode := range []func([]byte) error{
			func(m []byte) error { _, err := decodeUsed(m); return err },
			func(m []byte) error { _, err := decodeRoot(m); return err },
			func(m []byte) error { _, _, err := decodeTransfers(m); return err },
			func(m []byte) error { _, err := unframe(m); return err },
		} {
			_ = decode(message) // it must only end
		}
	})
}
