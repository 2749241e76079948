package redis

import "hash/maphash"

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
