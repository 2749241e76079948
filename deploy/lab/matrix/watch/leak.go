package watch

import (
	"maps"
	"time"

	"github.com/switchlet/switchlet/deploy/lab/matrix"
	"github.com/switchlet/switchlet/deploy/lab/matrix/mark"
)

// leakKey is what makes frames one leak.
type leakKey struct {
	from   matrix.ID
	nic    nic
	vlan   int
	kind   mark.Kind
	to     matrix.ID
	v6     bool
	reason string
	held   bool // somebody had the tag
}

// leak counts a frame that came where it must not.
func (w *Watch) leak(h mark.Heard, n nic, vlan int, from, at *matrix.Endpoint, reason string) {
	k := leakKey{h.From, n, vlan, h.Kind, h.To, h.IPv6, reason, at != nil}
	l := w.leaks[k]
	if l == nil {
		l = &Leak{
			From: from.String(), At: n.host + "/" + n.name, VLAN: vlan, Kind: h.Kind.String(), IPv6: h.IPv6, Reason: reason,
			Epoch: w.epochs[len(w.epochs)-1].Name, First: time.Now(),
		}
		if at != nil {
			l.At = at.String()
		}
		if to := w.judge.endpoints[h.To]; to != nil {
			l.To = to.String()
		}
		w.leaks[k] = l
	}
	l.Last = time.Now()
	l.Count++
	l.Bytes += uint64(h.Bytes)
}

// justify takes back what was thought to be a leak only because nobody had told yet what
// is attached to a NIC, and with which tag: a switch may be faster than whoever tells. It
// must not be faster than the host, which lets go of a tag before it is another VPC's.
func (w *Watch) justify() {
	maps.DeleteFunc(w.leaks, func(k leakKey, _ *Leak) bool {
		from, at := w.judge.endpoints[k.from], w.judge.at[k.nic][k.vlan]
		early := !k.held && (k.reason == NotAttached || k.reason == OtherTag)
		return early && at != nil && at.VPC == from.VPC && at.Subnet == from.Subnet
	})
}
