package frame_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/switchlet/switchlet/lldp/frame"
)

// What was encoded is decoded to the same, however the frame is padded.
func TestDecodedIsWhatWasEncoded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := frames().Draw(t, "frame")
		pdu, err := want.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		padding := rapid.IntRange(0, min(46, frame.MaxSize-len(pdu))).Draw(t, "padding")
		got, err := frame.Decode(append(pdu, make([]byte, padding)...))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-encoded +decoded):\n%s", diff)
		}
	})
}

// No part of an LLDPDU is one: whatever is cut off from the end is missed.
func TestCutOffIsNoticed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pdu, err := frames().Draw(t, "frame").MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		length := rapid.IntRange(0, len(pdu)-1).Draw(t, "length")
		if f, err := frame.Decode(pdu[:length]); err == nil {
			t.Errorf("%d of %d octets were decoded to %v", length, len(pdu), f)
		}
	})
}

// The result of Decode is its own: the buffer may be used for the next frame.
func TestDecodedDoesNotReferToTheBuffer(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := frames().Draw(t, "frame")
		pdu, err := want.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		got, err := frame.Decode(pdu)
		if err != nil {
			t.Fatal(err)
		}
		clear(pdu)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-encoded +decoded):\n%s", diff)
		}
	})
}
