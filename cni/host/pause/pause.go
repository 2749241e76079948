// Package pause waits in places that a context can end.
package pause

import (
	"context"
	"time"
)

// For waits, and reports whether ctx is not done meanwhile.
func For(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
