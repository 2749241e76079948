package attach

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/switchlet/switchlet/cni/host/journal"
	"github.com/switchlet/switchlet/cni/host/link"
)

// fate is what became of a pod's network namespace.
type fate int

const (
	// unknown: this program cannot see where it was.
	unknown fate = iota
	// there: it is.
	there
	// gone: it is not.
	gone
	// replaced: another one has its place.
	replaced
)

// sees reports whether this program itself can open a path, and finds there what
// the runtime has handed over.
func sees(path string, inode uint64) bool {
	ns, err := link.OpenNetns(path)
	if err != nil {
		return false
	}
	defer ns.Close()
	found, err := link.Inode(ns)
	return err == nil && found == inode
}

// find looks for an attachment's network namespace. It says gone only when that is
// certain: that a folder of the host is not mounted into this program's says
// nothing about what is in the folder.
func find(a journal.Attachment, boot string) (*os.File, fate) {
	if a.Boot != boot {
		return nil, gone // no namespace outlives the kernel
	}
	ns, err := link.OpenNetns(a.Netns)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if _, err := os.Stat(filepath.Dir(a.Netns)); err != nil || !a.Seen {
			return nil, unknown
		}
		return nil, gone
	case err != nil:
		return nil, unknown
	}
	if inode, err := link.Inode(ns); err != nil || inode != a.NetnsInode {
		ns.Close()
		if !a.Seen {
			return nil, unknown // such as a path below /proc of another PID namespace
		}
		return nil, replaced
	}
	return ns, there
}
