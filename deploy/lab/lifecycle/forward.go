package lifecycle

import (
	"fmt"
	"strings"

	"github.com/switchlet/switchlet/deploy/lab/uml"
)

// Forward says whether the switches of a lab forward, which takes devices that not
// every kernel has. The zero value is Never.
type Forward string

const (
	// Never has switches without a data plane: a lab on any kernel.
	Never Forward = "false"
	// Always has switches that forward, in User-Mode Linux if the running kernel lacks the devices.
	Always Forward = "true"
	// Auto is Always where that is possible, and else Never.
	Auto Forward = "auto"
)

// String is how a flag has it.
func (f Forward) String() string { return string(f) }

// Set reads a flag.
func (f *Forward) Set(text string) error {
	switch Forward(text) {
	case Never, Always, Auto:
		*f = Forward(text)
		return nil
	default:
		return fmt.Errorf("%q is none of true, false and auto", text)
	}
}

// IsBoolFlag lets --forward alone be --forward=true.
func (f *Forward) IsBoolFlag() bool { return true }

// choose decides, and says why.
func (f Forward) choose(missing func() []string, say func(string, ...any)) (forward, inUML bool, err error) {
	if f == Never || f == "" {
		return false, false, nil
	}
	lacks := missing()
	if len(lacks) == 0 {
		say("switches forward, as network namespaces of this kernel")
		return true, false, nil
	}
	if _, err := uml.Find(); err != nil {
		if f == Auto {
			say("switches do not forward: this kernel has no %s, and %v", strings.Join(lacks, ", no "), err)
			return false, false, nil
		}
		return false, false, fmt.Errorf("switches cannot forward: this kernel has no %s, and %w", strings.Join(lacks, ", no "), err)
	}
	say("switches forward, in User-Mode Linux: this kernel has no %s", strings.Join(lacks, ", no "))
	return true, true, nil
}
