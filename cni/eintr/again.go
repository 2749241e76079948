// Package eintr is for system calls that are made without package os, which a signal
// can end before they have done anything (signal(7)). Go's own signals do that, too.
package eintr

import (
	"errors"
	"syscall"
)

// Again makes a system call until no signal gets in between.
func Again(call func() error) error {
	for {
		if err := call(); !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}
