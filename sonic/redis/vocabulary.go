package redis

import (
	"hash/maphash"

	"github.com/switchlet/switchlet/sonic"
)

// vocabulary keeps some strings, so that those that come again and again, such as the
// names of tables and fields and most values, are one string each. It forgets a
// string when another takes its place.
type vocabulary struct {
	seed maphash.Seed
	kept [512]string
}

// longWord is the length from which on a string hardly comes twice.
const longWord = 64

// of is the string of the bytes.
func (w *vocabulary) of(text []byte) string {
	if len(text) > longWord {
		return string(text)
	}
	if w.seed == (maphash.Seed{}) {
		w.seed = maphash.MakeSeed()
	}
	slot := &w.kept[maphash.Bytes(w.seed, text)%uint64(len(w.kept))]
	if *slot != string(text) {
		*slot = string(text)
	}
	return *slot
}

// store is what the rows of many answers are made of: their words, and their fields, of
// which those of many rows are one piece of memory.
type store struct {
	vocabulary
	rows int // that are to come
	free sonic.Fields
}

// fields is room for so many fields.
func (s *store) fields(n int) sonic.Fields {
	if n > batch {
		return make(sonic.Fields, 0, batch) // or an answer that lies would take all memory
	}
	if n > len(s.free) {
		s.free = make(sonic.Fields, max(n, min(2*s.rows, batch)))
	}
	room := s.free[:0:n]
	s.free = s.free[n:]
	return room
}
