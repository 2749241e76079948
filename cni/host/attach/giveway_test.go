package attach

import (
	"testing"
	"testing/synctest"
	"time"
)

// A deletion comes when no ADD is being answered, and after a while in any case.
func TestDeletionsGiveWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r rush
		waits := func() time.Duration {
			began := time.Now()
			r.giveWay()
			return time.Since(began)
		}
		if took := waits(); took != 0 {
			t.Errorf("without an ADD it waited for %s", took)
		}
		first, second := r.begin(), r.begin()
		time.AfterFunc(10*time.Millisecond, first)
		time.AfterFunc(30*time.Millisecond, second)
		if took := waits(); took != 30*time.Millisecond {
			t.Errorf("it waited for %s, want the end of both ADDs after 30ms", took)
		}
		defer r.begin()()
		if took := waits(); took != giveWayAtMost {
			t.Errorf("it waited for %s for an ADD without end", took)
		}
	})
}
