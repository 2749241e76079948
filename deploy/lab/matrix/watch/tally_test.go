package watch

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

const interval = 50 * time.Millisecond

// sentAt is when a packet was sent.
func sentAt(seq uint64) int64 { return int64(seq) * int64(interval) }

func TestTally(t *testing.T) {
	for _, test := range []struct {
		name                             string
		arrivals                         []uint64
		received, lost, late, duplicates uint64
		longest                          time.Duration
	}{
		{"all", []uint64{1, 2, 3}, 3, 0, 0, 0, 0},
		{"not from the beginning", []uint64{4, 5}, 2, 0, 0, 0, 0},
		{"one lost", []uint64{1, 3}, 2, 1, 0, 0, interval},
		{"six lost, then one", []uint64{1, 8, 10}, 3, 7, 0, 0, 6 * interval},
		{"late", []uint64{1, 3, 2, 4}, 4, 0, 1, 0, interval},
		{"twice", []uint64{1, 2, 2, 3, 1}, 3, 0, 0, 2, 0},
		{"later than anyone remembers", []uint64{1, 100, 2}, 2, 98, 0, 1, 98 * interval},
	} {
		t.Run(test.name, func(t *testing.T) {
			tally := tally{interval: interval}
			for _, seq := range test.arrivals {
				tally.hear(seq, sentAt(seq))
			}
			if tally.received != test.received || tally.lost != test.lost || tally.late != test.late || tally.duplicates != test.duplicates || tally.longest.length != test.longest {
				t.Errorf("%+v", tally)
			}
		})
	}
}

// Of packets that come in their order, what is received and lost is what was sent since
// the first that came, and the longest gap is the longest run that did not come.
func TestTallyOfAnyLoss(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		came := rapid.SliceOfN(rapid.Bool(), 1, 300).Draw(t, "came")
		tally := tally{interval: interval}
		var received, run, longest uint64
		for i, c := range came {
			if seq := uint64(i + 1); c {
				tally.hear(seq, sentAt(seq))
				received++
				if received > 1 {
					longest = max(longest, run)
				}
				run = 0
			} else {
				run++
			}
		}
		if received > 0 {
			longest = max(longest, run)
		}
		all := uint64(len(came))
		end := tally.pending(all, sentAt(all), true)
		if end.received != received || end.longest.lost != longest || end.longest.length != time.Duration(longest)*interval {
			t.Fatalf("%+v, wanted %d received, longest gap %d", end, received, longest)
		}
		first := uint64(0)
		for i, c := range came {
			if c {
				first = uint64(i + 1)
				break
			}
		}
		if first > 0 && end.received+end.lost != all-first+1 {
			t.Fatalf("%+v of %d since the first", end, all-first+1)
		}
	})
}

// A flow that was not sent for a while has lost nothing meanwhile.
func TestPausedFlow(t *testing.T) {
	tally := tally{interval: interval}
	tally.hear(1, sentAt(1))
	tally.pause()
	if p := tally.pending(9, sentAt(9), true); p.lost != 0 {
		t.Errorf("%+v", p)
	}
	tally.hear(10, sentAt(100))
	tally.hear(11, sentAt(101))
	if tally.lost != 0 || tally.received != 3 || tally.first != sentAt(1) {
		t.Errorf("%+v", tally)
	}
}
