package state

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// The file of bad revisions has a line for each, the newest last:
//
//	switchlet bad revisions 1
//	3ef5c44d r8 2026-11-20T12:00:09Z "bgp/10.0.0.1\x20is\x20down"
const badHeader = "switchlet bad revisions 1\n"

const (
	// maxBad is how many bad revisions are remembered: the controller makes a
	// new one for each change, and only the newest is ever tried.
	maxBad = 8
	// maxReason bounds what is kept of a reason, in bytes.
	maxReason = 1 << 10
)

// badRevision is a revision that broke something and was taken back.
type badRevision struct {
	revision string
	at       time.Time
	reason   string
}

// MarkBad remembers that a revision broke what worked before. It is not to be
// tried again, also not after a restart.
func (s *Store) MarkBad(revision, reason string, at time.Time) error {
	if len(reason) > maxReason {
		reason = strings.ToValidUTF8(reason[:maxReason], "")
	}
	kept := slices.DeleteFunc(slices.Clone(s.bad), func(b badRevision) bool { return b.revision == revision })
	kept = append(kept, badRevision{revision, at.UTC(), reason})
	kept = kept[max(0, len(kept)-maxBad):]
	s.bad = kept
	if err := replace(s.badFile(), encodeBad(kept)); err != nil {
		return fmt.Errorf("mark revision %s as bad: %w", revision, err)
	}
	return nil
}

// Bad reports whether a revision was marked as bad, and why.
func (s *Store) Bad(revision string) (reason string, bad bool) {
	for _, b := range s.bad {
		if b.revision == revision {
			return b.reason, true
		}
	}
	return "", false
}

func encodeBad(revisions []badRevision) []byte {
	text := []byte(badHeader)
	for _, b := range revisions {
		text = appendRecord(text, b.revision, b.at.Format(time.RFC3339Nano), b.reason)
	}
	return text
}

func decodeBad(text []byte) ([]badRevision, error) {
	rest, ok := bytes.CutPrefix(text, []byte(badHeader))
	if !ok {
		return nil, fmt.Errorf("%w: the first line is not %q", errDamaged, strings.TrimSpace(badHeader))
	}
	var revisions []badRevision
	for number := 2; len(rest) > 0; number++ {
		line, after, whole := bytes.Cut(rest, []byte("\n"))
		b, err := parseBad(string(line))
		if !whole {
			err = errors.New("it has no end")
		}
		if err != nil {
			return nil, fmt.Errorf("%w: line %d: %w", errDamaged, number, err)
		}
		revisions = append(revisions, b)
		rest = after
	}
	return revisions[max(0, len(revisions)-maxBad):], nil
}

func parseBad(line string) (badRevision, error) {
	words, err := parseRecord(line)
	if err != nil {
		return badRevision{}, err
	}
	if len(words) != 3 {
		return badRevision{}, fmt.Errorf("it has %d words, not 3", len(words))
	}
	at, err := parseTime(words[1])
	return badRevision{words[0], at, words[2]}, err
}

// loadBad reads the file, and says what it had to set aside.
func (s *Store) loadBad() (notes []string, err error) {
	return take(s.badFile(), "a revision that was taken back may be tried once more",
		func(text []byte) (err error) { s.bad, err = decodeBad(text); return err })
}
