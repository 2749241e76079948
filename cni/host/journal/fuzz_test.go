package journal

import "testing"

// Whatever the disk has, the agent starts, and what it writes it can read.
func FuzzDecode(f *testing.F) {
	m := newMemory()
	m.apply(record{Add: &Attachment{VNI: 1}})
	text, _ := m.encode()
	f.Add(text)
	f.Add([]byte(header + "00000000 {}\n"))
	f.Add([]byte(header[:5]))
	f.Fuzz(func(t *testing.T, text []byte) {
		m := newMemory()
		decode(text, m.apply)
		once, _ := m.encode()
		again := newMemory()
		damage, whole := decode(once, again.apply)
		if twice, _ := again.encode(); len(damage) > 0 || !whole || string(twice) != string(once) {
			t.Errorf("written\n%s, read and written\n%s, damage %v", once, twice, damage)
		}
	})
}
