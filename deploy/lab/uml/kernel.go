package uml

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Kernel is a User-Mode Linux.
type Kernel struct {
	// Program is the kernel itself.
	Program string
	// Modules is the folder with its modules, which is named after its version.
	Modules string
}

// ErrNone says that the machine has no User-Mode Linux.
var ErrNone = errors.New("there is no User-Mode Linux (Debian has it in the package user-mode-linux, and modprobe in kmod)")

// Find finds the machine's User-Mode Linux, where Debian puts it.
func Find() (Kernel, error) {
	k := Kernel{Program: "/usr/bin/linux.uml"}
	for _, file := range []string{k.Program, modprobe} {
		if _, err := os.Stat(file); err != nil {
			return k, fmt.Errorf("%w: %w", ErrNone, err)
		}
	}
	found, err := filepath.Glob("/usr/lib/uml/modules/*/modules.dep")
	if err != nil {
		return k, err
	}
	if len(found) != 1 {
		return k, fmt.Errorf("%w: /usr/lib/uml/modules has the modules of %d kernels, and one is needed", ErrNone, len(found))
	}
	k.Modules = filepath.Dir(found[0])
	return k, nil
}

// modprobe is where Debian's package kmod has it.
const modprobe = "/usr/sbin/modprobe"
