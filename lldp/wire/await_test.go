package wire_test

import (
	"testing"
	"time"
)

// awaitTrue asks again and again for what tells of no change.
func awaitTrue(t testing.TB, what string, done func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !done() {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not seen within %v", what, patience)
		}
		time.Sleep(10 * time.Millisecond)
	}
}
