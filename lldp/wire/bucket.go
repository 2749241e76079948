package wire

import "time"

const (
	// looksBurst is how many frames that are new a link may bring at one moment:
	// those of as many neighbours as it may have, and all in a fast start.
	looksBurst = 40
	// looksEvery is the time until one more may come.
	looksEvery = 50 * time.Millisecond
)

// bucket bounds how many frames of a link are decoded. Frames that are the same as
// one before are not, and take nothing from it.
type bucket struct {
	spent int
	since time.Time // when spent was last made less
}

func (b *bucket) take(now time.Time) bool {
	back := max(0, now.Sub(b.since)/looksEvery)
	b.since = b.since.Add(back * looksEvery)
	if b.spent = max(0, b.spent-int(min(back, looksBurst))); b.spent == looksBurst {
		return false
	}
	b.spent++
	return true
}
