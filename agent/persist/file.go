package persist

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/switchlet/switchlet/sonic/atomicfile"
)

// maxFileSize bounds what is read; that of a full switch has some MiB.
const maxFileSize = 64 << 20

// readFile reads a file of bounded size.
func readFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFileSize+1))
	if err == nil && len(text) > maxFileSize {
		err = fmt.Errorf("it is larger than %d bytes", maxFileSize)
	}
	return text, err
}

// temporary is a file that is to take the place of another one.
type temporary struct{ name string }

// writeBeside writes a file in the folder of another one, with the same owner
// and mode. Its name begins with a dot: SONiC copies config_db*.json when it is
// upgraded.
func writeBeside(name string, text []byte) (temporary, error) {
	t := temporary{filepath.Join(filepath.Dir(name), "."+filepath.Base(name)+".switchlet")}
	var like unix.Stat_t
	if err := unix.Stat(name, &like); err != nil {
		return t, err
	}
	return t, atomicfile.Prepare(t.name, text, func(f *os.File) error { return resemble(f, like) })
}

// resemble gives a file another one's owner and mode. Giving it to somebody else
// takes a right that the agent may lack; the mode comes last, because that may be
// lost with the owner.
func resemble(f *os.File, like unix.Stat_t) error {
	var own unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &own); err != nil {
		return err
	}
	if own.Uid != like.Uid || own.Gid != like.Gid {
		if err := f.Chown(int(like.Uid), int(like.Gid)); err != nil {
			return err
		}
	}
	return f.Chmod(fs.FileMode(like.Mode & 0o777))
}

// rename puts the file in place of another one, for good.
func (t temporary) rename(name string) error { return atomicfile.Install(t.name, name) }

// discard removes the file if it is still there.
func (t temporary) discard() { _ = os.Remove(t.name) }

// lock takes SONiC's lock for reloading (sonic-utilities,
// utilities_common/flock.py) and leaves in it, as SONiC does, who has it. While
// somebody else has it the error is ErrBusy.
func lock(name string) (unlock func(), err error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		owner, _ := io.ReadAll(io.LimitReader(f, 1<<10))
		_ = f.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, fmt.Errorf("%w: %s is held by %q", ErrBusy, name, owner)
		}
		return nil, fmt.Errorf("lock %s: %w", name, err)
	}
	_ = f.Truncate(0)
	_, _ = fmt.Fprintf(f, "switchlet agent, pid %d\n", os.Getpid())
	return func() {
		_ = f.Truncate(0)
		_ = f.Close() // which unlocks
	}, nil
}
