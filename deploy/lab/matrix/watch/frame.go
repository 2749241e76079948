package watch

import (
	"cmp"
	"slices"
	"time"

	"github.com/switchlet/switchlet/deploy/lab/matrix"
	"github.com/switchlet/switchlet/deploy/lab/matrix/mark"
)

// Frame is one that was sent or that came without a VLAN tag. Whose it was is not known
// here: such frames are of the subnet that the switch has at the port at that instant.
type Frame struct {
	From matrix.ID `json:"from"`
	To   matrix.ID `json:"to,omitempty"` // 0 for all of a broadcast domain
	Kind mark.Kind `json:"kind"`
	// Untagged says that the sender's NIC had no tag for it.
	Untagged bool `json:"untagged,omitempty"`
	// Place such as "host1/eth1" to which it came, and its VLAN tag there.
	Place string `json:"place"`
	VLAN  int    `json:"vlan,omitempty"`
	// At is the endpoint that had that tag there; 0 for nobody, and without a tag.
	At matrix.ID `json:"at,omitempty"`
	// Routed says that a gateway was on its way.
	Routed bool `json:"routed,omitempty"`
	// Sent and Heard are in nanoseconds of the same clock, since 1970.
	Sent  int64 `json:"sent"`
	Heard int64 `json:"heard"`
}

// keep keeps a frame for those who know what the switches had at their ports.
func (w *Watch) keep(h mark.Heard, n nic, vlan int, from, at *matrix.Endpoint) {
	f := Frame{
		From: h.From, To: h.To, Kind: h.Kind, Untagged: from.VLAN == 0, Place: n.host + "/" + n.name, VLAN: vlan,
		Routed: h.TTL > 0 && h.TTL < mark.Hops, Sent: h.Sent, Heard: time.Now().UnixNano(),
	}
	if at != nil && vlan != 0 {
		f.At = at.ID()
	}
	w.frames = append(w.frames, f)
}

// kept are the frames that were kept, and who sent them and could have got them.
func (w *Watch) kept() ([]Frame, []matrix.Endpoint) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.cfg.Keep {
		return nil, nil
	}
	return w.frames, w.judge.known()
}

// known are all endpoints that ever were, sorted.
func (j *judge) known() []matrix.Endpoint {
	var all []matrix.Endpoint
	for _, e := range j.endpoints {
		all = append(all, *e)
	}
	slices.SortFunc(all, func(a, b matrix.Endpoint) int { return cmp.Or(a.Compare(&b), cmp.Compare(a.VLAN, b.VLAN)) })
	return all
}
