package wire

import (
	"time"

	"github.com/switchlet/switchlet/lldp/frame"
)

// Neighbor is somebody heard on a link. It is a copy for reading: the lists in
// Frame are shared with other copies.
type Neighbor struct {
	// Interface is where it was heard, by the name that the link has now.
	Interface string
	// Source is the address that it sends from, Destination the group address that
	// it sends to. One that sends to several is several neighbours.
	Source, Destination MAC
	Frame               frame.Frame
	// FirstSeen is when it appeared, LastSeen when its last frame came.
	FirstSeen, LastSeen time.Time
	// Stale says that it has not been heard since the link last lost its carrier,
	// or since the start of the Agent: it may be somebody who was there before.
	Stale bool
}

// Counters are what happened on a link since the Agent began to speak on it; in
// parentheses their names in IEEE 802.1AB-2016, 9.2.6.
type Counters struct {
	In         uint64 // frames heard (statsFramesInTotal)
	Out        uint64 // frames sent (statsFramesOutTotal)
	Malformed  uint64 // frames that were no LLDP (statsFramesInErrorsTotal)
	Discarded  uint64 // frames that were too many to look at
	AgedOut    uint64 // neighbours whose time to live was over (statsAgeoutsTotal)
	Overflow   uint64 // frames of neighbours for whom there was no room (tooManyNeighbors)
	SendErrors uint64 // frames that the kernel did not take
}

// Port is a link that the Agent speaks on.
type Port struct {
	Link     Link
	Counters Counters
	// Problem says why nothing is sent, if that is so.
	Problem string
}
