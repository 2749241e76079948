package store

import (
	"encoding/hex"
	"fmt"
	"strings"
)

// Reference names an image by what is in it:
// "registry.example:5000/switchlet/agent@sha256:…".
type Reference struct {
	// Repository with its registry, without a tag.
	Repository string
	// Digest of the manifest or index, "sha256:" and 64 hexadecimal digits.
	Digest string
}

const algorithm = "sha256:"

// ParseReference refuses all but full names with a digest: a tag can be moved.
func ParseReference(text string) (Reference, error) {
	name, digest, ok := strings.Cut(text, "@")
	if !ok {
		return Reference{}, fmt.Errorf("image %q: it has no digest; give NAME@sha256:…, since a tag can be moved", text)
	}
	raw, ok := strings.CutPrefix(digest, algorithm)
	if sum, err := hex.DecodeString(raw); !ok || err != nil || len(sum) != 32 || raw != strings.ToLower(raw) {
		return Reference{}, fmt.Errorf("image %q: %q is not sha256: and 64 hexadecimal digits", text, digest)
	}
	repository := withoutTag(name)
	registry, path, ok := strings.Cut(repository, "/")
	if !ok || path == "" || !strings.ContainsAny(registry, ".:") && registry != "localhost" {
		return Reference{}, fmt.Errorf("image %q: it does not begin with a registry, such as registry.example/", text)
	}
	if strings.ContainsFunc(repository, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return Reference{}, fmt.Errorf("image %q: %q is not the name of a repository", text, repository)
	}
	return Reference{Repository: repository, Digest: digest}, nil
}

func (r Reference) String() string { return r.Repository + "@" + r.Digest }

// withoutTag cuts off what follows the last colon, unless that is a port.
func withoutTag(name string) string {
	if colon := strings.LastIndexByte(name, ':'); colon > strings.LastIndexByte(name, '/') {
		return name[:colon]
	}
	return name
}
