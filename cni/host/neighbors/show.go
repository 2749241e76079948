package neighbors

import (
	"github.com/switchlet/switchlet/api/neighbor"
	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/lldp/wire"
)

// Bounds of the API.
const (
	maxPerNIC = 8
	maxTotal  = 1024
)

// show is a neighbour as the API has it. It reports false for one whose ids have
// nothing in them that can be shown.
func show(n wire.Neighbor) (v1alpha1.LLDPNeighbor, bool) {
	shown, ok := neighbor.Of(n.Interface, n.Frame)
	shown.Stale = n.Stale
	return shown, ok
}
