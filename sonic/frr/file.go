package frr

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/switchlet/switchlet/sonic/atomicfile"
)

// maxFile bounds a frr.conf that is read.
const maxFile = maxConfig

// fileMode is that of a new frr.conf: it may have passwords in it.
const fileMode = 0o640

// Around the part of frr.conf that is Switchlet's.
const (
	firstLine = "! BEGIN Switchlet"
	lastLine  = "! END Switchlet"
	header    = firstLine + `
! From here to "END Switchlet" this file is written by the Switchlet agent, from
! the SwitchConfig of this switch. It is read when FRR starts; while FRR runs the
! agent tells it of changes. Edits in here are lost. Your own statements are kept
! if they stand before or after: other neighbours, prefix lists, route maps, VRFs,
! also in the same "router bgp". Do not give another value to what is set here.
`
)

// File is Switchlet's part of frr.conf.
func File(cfg *Config, statements Tree) string {
	var b strings.Builder
	b.WriteString(header)
	b.WriteString("frr defaults traditional\nservice integrated-vtysh-config\n!\n")
	if cfg.SONiC {
		// SONiC's orchagent gets its routes by FPM, with their next hops in them
		// (sonic-buildimage, dockers/docker-fpm-frr/docker_init.sh).
		b.WriteString("no fpm use-next-hop-groups\nfpm address 127.0.0.1\n!\n")
	}
	b.WriteString(statements.String())
	b.WriteString(lastLine + "\n")
	return b.String()
}

// Splice puts Switchlet's part in the place of the one that is in a frr.conf, or
// at its end if there is none, and leaves the rest as it is.
func Splice(file, part string) string {
	before, after := file, ""
	if start := lineIndex(file, firstLine); start >= 0 {
		before, after = file[:start], ""
		if end := lineIndex(file[start:], lastLine); end >= 0 {
			_, after, _ = strings.Cut(file[start+end:], "\n")
		}
	} else if before != "" && !strings.HasSuffix(before, "\n") {
		before += "\n"
	}
	return before + part + after
}

// lineIndex is where a line begins that starts with the given text.
func lineIndex(text, start string) int {
	for at := 0; at < len(text); {
		if strings.HasPrefix(text[at:], start) {
			return at
		}
		next := strings.IndexByte(text[at:], '\n')
		if next < 0 {
			break
		}
		at += next + 1
	}
	return -1
}

// WriteFile puts Switchlet's part into the frr.conf of the given name, and
// reports whether that changed the file. After a crash at any moment either the
// old or the new file is there. Owner and mode of the file stay.
func WriteFile(name, part string) (bool, error) {
	old, info, err := readFile(name)
	if err != nil {
		return false, fmt.Errorf("read %s: %w", name, err)
	}
	text := Splice(old, part)
	if text == old {
		return false, nil
	}
	if err := replace(name, text, info); err != nil {
		return false, fmt.Errorf("write %s: %w", name, err)
	}
	return true, nil
}

// readFile reads a file that may be missing; then info is nil.
func readFile(name string) (string, fs.FileInfo, error) {
	f, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil, nil
	}
	if err != nil {
		return "", nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", nil, err
	}
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(text) > maxFile {
		err = fmt.Errorf("it has more than %d bytes", maxFile)
	}
	return string(text), info, err
}

// replace writes a file beside the old one and renames it.
func replace(name, text string, old fs.FileInfo) error {
	temporary := name + ".new"
	err := atomicfile.Prepare(temporary, []byte(text), func(f *os.File) error { return allow(f, filepath.Dir(name), old) })
	if err != nil {
		return err
	}
	return atomicfile.Install(temporary, name)
}

// allow gives a file the owner and mode of the one that it replaces; a new one
// gets the owner of the folder, which is FRR's.
func allow(f *os.File, dir string, old fs.FileInfo) error {
	mode, like := fs.FileMode(fileMode), old
	if old != nil {
		mode = old.Mode().Perm()
	} else {
		info, err := os.Stat(dir)
		if err != nil {
			return err
		}
		like = info
	}
	if stat, ok := like.Sys().(*syscall.Stat_t); ok && os.Geteuid() == 0 {
		if err := f.Chown(int(stat.Uid), int(stat.Gid)); err != nil {
			return err
		}
	}
	return f.Chmod(mode)
}
