package watch

import (
	"cmp"
	"time"

	"github.com/switchlet/switchlet/deploy/lab/matrix"
)

// Report is what a watch has seen so far.
type Report struct {
	// Since when, and for how many seconds.
	Since   time.Time `json:"since"`
	Seconds float64   `json:"seconds"`
	// Epochs: each began when endpoints or expectation were set.
	Epochs []Epoch `json:"epochs"`
	// Sent counts all packets, to whoever they were; Unsent those that the kernel
	// refused, the last time because of Refusal.
	Sent    uint64 `json:"sent"`
	Unsent  uint64 `json:"unsent,omitempty"`
	Refusal string `json:"refusal,omitempty"`
	// Heard counts all marked frames that came to a NIC, Dropped those that came too
	// fast to be looked at.
	Heard   uint64 `json:"heard"`
	Dropped uint64 `json:"dropped,omitempty"`
	// Flows to those who may be reached.
	Flows []Flow `json:"flows"`
	// Leaks are frames where they must not come.
	Leaks []Leak `json:"leaks"`
	// Frames that are not judged yet, and the endpoints that ever were; only of a watch
	// that keeps them, and only when it has ended.
	Frames    []Frame           `json:"frames,omitempty"`
	Endpoints []matrix.Endpoint `json:"endpoints,omitempty"`
}

// Epoch is a time with one expectation.
type Epoch struct {
	Name  string    `json:"name"`
	Since time.Time `json:"since"`
}

// Flow is what was sent by one endpoint to another.
type Flow struct {
	From string      `json:"from"`
	To   string      `json:"to"`
	Pair matrix.Pair `json:"pair"`
	IPv6 bool        `json:"ipv6,omitempty"`
	// Ended says that it is not sent any more: one end is gone, or may not be reached.
	Ended bool `json:"ended,omitempty"`
	// Received and Lost since the first packet that came; Late ones came after newer
	// ones. WaitedMS is how long that took, in milliseconds; if nothing came it is how
	// long the flow has been sent.
	Sent       uint64  `json:"sent"`
	Received   uint64  `json:"received"`
	Lost       uint64  `json:"lost"`
	Late       uint64  `json:"late,omitempty"`
	Duplicates uint64  `json:"duplicates,omitempty"`
	WaitedMS   float64 `json:"waitedMs"`
	// Longest is the longest time without a packet.
	Longest Gap `json:"longest,omitzero"`
}

// Gap is a time in which all packets of a flow were lost.
type Gap struct {
	// At is when it began, MS its length in milliseconds, give or take the time between
	// two packets.
	At   time.Time `json:"at"`
	MS   float64   `json:"ms"`
	Lost uint64    `json:"lost"`
}

// Leak is frames of one endpoint that came to a NIC where they must not.
type Leak struct {
	// From such as "host1/eth1 tenant-a/blue/web".
	From string `json:"from"`
	// At such as "host2/eth1 tenant-b/red/app", or "host2/eth1" if nobody is attached
	// there with this VLAN tag.
	At   string `json:"at"`
	VLAN int    `json:"vlan,omitempty"`
	// To is whom they were sent to; empty for all of a broadcast domain.
	To string `json:"to,omitempty"`
	// Kind such as "broadcast", Reason such as OtherVPC.
	Kind   string `json:"kind"`
	IPv6   bool   `json:"ipv6,omitempty"`
	Reason string `json:"reason"`
	// Epoch in which the first came.
	Epoch string    `json:"epoch"`
	First time.Time `json:"first"`
	Last  time.Time `json:"last"`
	Count uint64    `json:"count"`
	Bytes uint64    `json:"bytes"`
}

func (l Leak) compare(other Leak) int {
	return cmp.Or(l.First.Compare(other.First), cmp.Compare(l.From, other.From), cmp.Compare(l.At, other.At), cmp.Compare(l.Kind, other.Kind))
}

// Silent says that nothing of a flow came although something was sent.
func (f Flow) Silent() bool { return f.Sent > 0 && f.Received == 0 }

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
