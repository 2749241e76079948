package render

import (
	"fmt"

	"github.com/switchlet/switchlet/sonic"
)

// uplinks renders the ports that the agent makes routed itself.
func (r *renderer) uplinks() error {
	seen := make(map[string]bool, len(r.spec.Uplinks))
	for i, port := range r.spec.Uplinks {
		if port == "" || seen[port] {
			return fmt.Errorf("%w: spec.uplinks[%d] is %q: each must be another port", ErrInvalidSpec, i, port)
		}
		seen[port] = true
		r.add(r.box.self(), sonic.Uplink{Port: port}.Row())
	}
	return nil
}
