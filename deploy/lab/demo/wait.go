package demo

import (
	"context"
	"fmt"
	"time"
)

// ask is how often kubectl is asked again: a start takes a tenth of a second of a processor.
const ask = 500 * time.Millisecond

// until waits until nothing is missing any more. missing says what is, and its error
// ends the waiting.
func until(ctx context.Context, what string, missing func(context.Context) (string, error)) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	ticker := time.NewTicker(ask)
	defer ticker.Stop()
	for {
		why, err := missing(ctx)
		if err != nil || why == "" {
			return err
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return fmt.Errorf("%s: %w: %s", what, context.Cause(ctx), why)
		}
	}
}
