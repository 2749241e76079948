// Package frr10 provides FRR 10, which SONiC's releases have since 202411, on machines
// that have an older one or another C library: a folder with Debian's packages of FRR
// and of all that it needs, unpacked. Nothing is installed.
package frr10

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/switchlet/switchlet/deploy/lab/cache"
)

// Root is a folder that is laid out as the root of a Debian machine, and has FRR 10 with
// all its libraries, YANG modules and the loader below usr.
type Root struct{ Dir string }

// Cached is the root if it has been fetched.
func Cached() (r Root, ok bool, err error) {
	s, err := debian()
	if err != nil {
		return Root{}, false, err
	}
	ok, err = s.entry().Exists()
	return Root{s.entry().Path()}, ok, err
}

// Fetch is the root, once apt has downloaded it if need be: 40 MB. say is told so.
func Fetch(ctx context.Context, say func(format string, args ...any)) (Root, error) {
	s, err := debian()
	if err != nil {
		return Root{}, err
	}
	return s.fetch(ctx, say)
}

// Argv runs a program of the root as if it were installed: what it starts in has the
// machine's files but for /usr, which is the root's. FRR and libyang look for their YANG
// modules, and FRR for its modules, in folders that were fixed when they were built. It
// needs root's rights, and a machine whose /lib and /bin are links into /usr. The program
// becomes the process itself, so that it hears its signals.
func (r Root) Argv(program string, args ...string) []string {
	return append([]string{"unshare", "--mount", "sh", "-c", `mount --bind "$0" /usr && exec "$@"`, filepath.Join(r.Dir, "usr"), program}, args...)
}

// source is where the root comes from, and where it is kept.
type source struct {
	cache string
	// repository is a line of sources.list.
	repository string
}

// debian has FRR 10 in forky, which is to be Debian 14.
func debian() (source, error) {
	dir, err := cache.Dir()
	return source{
		cache:      dir,
		repository: "deb [target=Packages signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian forky main",
	}, err
}

func (s source) entry() cache.Entry {
	return cache.Entry{Dir: s.cache, Name: "frr10", Key: cache.Key([]byte(s.repository), []byte(architecture))}
}

func (s source) fetch(ctx context.Context, say func(format string, args ...any)) (Root, error) {
	dir, err := s.entry().Get(ctx, func(ctx context.Context, dir string) error {
		say("downloading FRR 10 and its libraries from Debian, once")
		return s.build(ctx, dir)
	})
	if err != nil {
		return Root{}, fmt.Errorf("fetch FRR 10 from %q: %w", s.repository, err)
	}
	return Root{dir}, nil
}
