package shim

import (
	"io"
	"syscall"

	"github.com/switchlet/switchlet/cni/eintr"
)

// file is an open file or socket. The package speaks to the kernel directly: package
// os takes a fourteenth of the plugin's time to set itself up, and net more.
type file int

// Those that a runtime hands over, and none.
const (
	Stdin  file = 0
	Stdout file = 1
	none   file = -1
)

// open opens a file to be read.
func open(name string) (f file, err error) {
	err = eintr.Again(func() error {
		fd, err := syscall.Open(name, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
		f = file(fd)
		return err
	})
	return f, err
}

// Read is for io.Reader.
func (f file) Read(b []byte) (n int, err error) {
	err = eintr.Again(func() (err error) {
		n, err = syscall.Read(int(f), b)
		return err
	})
	if err != nil {
		return 0, err
	}
	if n == 0 && len(b) > 0 {
		return 0, io.EOF
	}
	return n, nil
}

// Write writes all of b.
func (f file) Write(b []byte) (written int, err error) {
	for written < len(b) && err == nil {
		err = eintr.Again(func() error {
			n, err := syscall.Write(int(f), b[written:])
			written += max(n, 0)
			return err
		})
	}
	return written, err
}

func (f file) close() { syscall.Close(int(f)) }

// Asked reports whether the program was started with one argument, and which
// (proc(5), cmdline).
func Asked(argument string) bool {
	f, err := open("/proc/self/cmdline")
	if err != nil {
		return false
	}
	defer f.close()
	line, err := io.ReadAll(f)
	end := "\x00" + argument + "\x00"
	name := len(line) - len(end)
	if err != nil || name < 0 || string(line[name:]) != end {
		return false
	}
	for _, c := range line[:name] {
		if c == 0 { // there is an argument before
			return false
		}
	}
	return true
}
