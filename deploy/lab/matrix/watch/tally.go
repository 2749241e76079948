package watch

import (
	"time"
)

// tally is what the receiver of a flow counts. It only computes. Packets are numbered
// from 1, and times are the sender's: how slow the receiver is does not matter.
type tally struct {
	// interval is the time between packets.
	interval time.Duration

	started        bool
	first          int64 // when the first packet that came was sent
	seq            uint64
	last           int64 // when packet seq was sent
	seen           uint64
	received, lost uint64
	late           uint64
	duplicates     uint64
	longest        gap
}

// gap is a time in which packets were lost.
type gap struct {
	since  int64 // when the last packet before it was sent
	length time.Duration
	lost   uint64
}

// hear counts a packet that came.
func (t *tally) hear(seq uint64, sent int64) {
	switch {
	case !t.started:
		t.started, t.seq, t.last, t.seen = true, seq, sent, 1
		if t.first == 0 {
			t.first = sent
		}
		t.received++
	case seq > t.seq:
		if missing := seq - t.seq - 1; missing > 0 {
			t.lost += missing
			t.interrupted(t.gap(sent, missing))
		}
		t.shift(seq - t.seq)
		t.seq, t.last = seq, sent
		t.received++
	default:
		t.behind(t.seq - seq)
	}
}

// gap is the time since the last packet that came, from when the first one that was lost
// is thought to have been sent.
func (t *tally) gap(until int64, lost uint64) gap {
	return gap{since: t.last, length: max(0, time.Duration(until-t.last)-t.interval), lost: lost}
}

func (t *tally) interrupted(g gap) {
	if g.length > t.longest.length || t.longest.lost == 0 {
		t.longest = g
	}
}

// window is how many packets back a late one is still told from a duplicate.
const window = 64

func (t *tally) shift(by uint64) {
	if by >= window {
		t.seen = 0
	} else {
		t.seen <<= by
	}
	t.seen |= 1
}

// behind counts a packet that is not newer than the newest.
func (t *tally) behind(by uint64) {
	if by >= window || t.seen&(1<<by) != 0 {
		t.duplicates++
		return
	}
	t.seen |= 1 << by
	t.late++
	t.received++
	if t.lost > 0 { // it may be of before the first that came
		t.lost--
	}
}

// pause has the flow begin anew: what was not sent meanwhile is not lost.
func (t *tally) pause() { t.started = false }

// pending adds what was sent last but did not come, if it should have by now.
func (t tally) pending(seq uint64, sent int64, due bool) tally {
	if t.started && due && seq > t.seq {
		t.lost += seq - t.seq
		t.interrupted(t.gap(sent+int64(t.interval), seq-t.seq))
	}
	return t
}
