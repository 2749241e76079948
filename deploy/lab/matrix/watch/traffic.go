package watch

import (
	"time"

	"golang.org/x/net/ipv4"

	"github.com/switchlet/switchlet/deploy/lab/matrix"
	"github.com/switchlet/switchlet/deploy/lab/matrix/mark"
)

func (w *Watch) interval() time.Duration { return time.Duration(float64(time.Second) / w.cfg.Rate) }

// due is what a post has to send now.
func (w *Watch) due(p *post, now time.Time) (batches [2][]ipv4.Message, frame []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	p.turn++
	sent := now.UnixNano()
	for i := range p.messages {
		for n := range p.messages[i] {
			o := &p.messages[i][n]
			if (p.turn+uint64(n))%o.every != 0 {
				continue
			}
			o.mark.Seq++
			o.mark.Sent = sent
			if o.flow != nil {
				o.flow.seq++
				o.mark.Seq, o.flow.last = o.flow.seq, sent
			}
			o.mark.Put(o.message.Buffers[0])
			batches[i] = append(batches[i], o.message)
		}
	}
	if len(p.strays) > 0 {
		s := &p.strays[p.turn%uint64(len(p.strays))]
		s.mark.Seq, s.mark.Sent = p.turn, sent
		s.mark.Put(s.frame[s.at:])
		frame = s.frame
	}
	return batches, frame
}

// count counts what was sent.
func (w *Watch) count(sent, refused int, last error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sent += uint64(sent)
	w.unsent += uint64(refused)
	if last != nil {
		w.refusal = last.Error()
	}
}

// hear takes a frame that came to a NIC.
func (w *Watch) hear(n nic, vlan int, frame []byte, size int) {
	h, ok := mark.Find(frame)
	if !ok {
		return
	}
	h.Bytes = size
	w.mu.Lock()
	defer w.mu.Unlock()
	w.heard++
	from, at, reason := w.judge.verdict(h, n, vlan)
	switch {
	case w.cfg.Keep && h.Run == w.cfg.Run && from != nil && (from.VLAN == 0 || vlan == 0):
		w.keep(h, n, vlan, from, at)
	case reason != "":
		w.leak(h, n, vlan, from, at, reason)
		return
	}
	if h.Kind == mark.Flow && h.Run == w.cfg.Run && at != nil && at.ID() == h.To {
		if f := w.flows[flowKey{matrix.Pair{From: h.From, To: h.To}, h.IPv6}]; f != nil {
			f.tally.hear(h.Seq, h.Sent)
		}
	}
}
