package sonic

import (
	"cmp"
	"encoding/binary"
	"hash/maphash"
	"maps"
	"math/bits"
	"slices"
	"strings"
)

// numbering numbers rows in rising order of their keys. The work of a Diff then
// counts where it would otherwise compare and hash strings.
type numbering struct {
	keys []Key
	seed maphash.Seed
	// slots find the number of a key: at its hash, or next to it, is the number
	// and one more, and nothing after the last that it can be. A map would have
	// all keys a second time.
	slots []int32
}

// nowhere is the number of a row that none of the numbered databases has.
const nowhere = -1

// number numbers the rows of two databases and a record, and puts what the
// databases have of them in order.
func number(have, want *side, owned Ledger) *numbering {
	most := max(len(have.db), len(want.db), len(owned))
	n := &numbering{
		keys: make([]Key, 0, most+most/8), seed: maphash.MakeSeed(),
		slots: make([]int32, 1<<bits.Len(uint(2*(len(have.db)+len(want.db)+len(owned))))), // half of them stay empty
	}
	for _, s := range []*side{have, want} {
		rows := len(n.keys) + len(s.db)
		s.there, s.fields = make([]bool, 0, rows), make([]Fields, 0, rows)
		for key, fields := range s.db {
			s.put(n.add(key), fields)
		}
	}
	for key := range owned {
		n.add(key)
	}
	order := n.sort()
	have.sort(order)
	want.sort(order)
	return n
}

// add gives a key a number for the time being, if it has none yet.
func (n *numbering) add(key Key) int32 {
	slot := n.slot(key)
	if *slot == 0 {
		n.keys = append(n.keys, key)
		*slot = int32(len(n.keys))
	}
	return *slot - 1
}

// id is the number of a row, or nowhere.
func (n *numbering) id(key Key) int32 { return *n.slot(key) - 1 }

// slot is where the number of a key is or belongs.
func (n *numbering) slot(key Key) *int32 {
	hash := maphash.String(n.seed, key.Name) + uint64(len(key.Table)) // tables of a VLAN differ in length
	for mask := uint64(len(n.slots) - 1); ; hash++ {
		slot := &n.slots[hash&mask]
		if *slot == 0 || n.keys[*slot-1] == key {
			return slot
		}
	}
}

// sort brings the keys into order and gives them their final numbers. It gives
// the numbers that they had, in that order.
func (n *numbering) sort() []place {
	places := order(n.keys)
	keys, final := make([]Key, len(n.keys)), make([]int32, len(n.keys))
	for i, place := range places {
		keys[i], final[place.id] = n.keys[place.id], int32(i)
	}
	n.keys = keys
	for i, number := range n.slots {
		if number != 0 {
			n.slots[i] = final[number-1] + 1
		}
	}
	return places
}

// place is a key to be sorted: its number, and of its name the eight bytes after
// those that all names of its table begin with. They nearly always tell two
// names apart, and are compared at once.
type place struct {
	head uint64
	id   int32
}

// order gives the places of keys in rising order: table by table, of which there
// are few.
func order(keys []Key) []place {
	all := map[string]*table{}
	for i := range keys {
		t, ok := all[keys[i].Table]
		if !ok {
			t = &table{common: keys[i].Name}
			all[keys[i].Table] = t
		}
		t.add(keys[i].Name)
	}
	tables, end := slices.Sorted(maps.Keys(all)), 0
	for _, name := range tables {
		all[name].end, end = end, end+all[name].rows
	}
	places := make([]place, len(keys))
	for i := range keys {
		t := all[keys[i].Table]
		places[t.end] = place{head(keys[i].Name[len(t.common):]), int32(i)}
		t.end++
	}
	for _, name := range tables {
		slices.SortFunc(places[all[name].end-all[name].rows:all[name].end], func(a, b place) int {
			if a.head != b.head {
				return cmp.Compare(a.head, b.head)
			}
			return strings.Compare(keys[a.id].Name, keys[b.id].Name)
		})
	}
	return places
}

// table is the rows of one table.
type table struct {
	common string // what all names begin with
	rows   int
	end    int // after the last that has its place
}

func (t *table) add(name string) {
	t.rows++
	for !strings.HasPrefix(name, t.common) {
		t.common = t.common[:len(t.common)-1]
	}
}

// head is a number that rises with the first eight bytes. Missing ones are as
// low as can be: a name comes before those that go on after it, or they are
// equal here.
func head(name string) uint64 {
	var first [8]byte
	copy(first[:], name)
	return binary.BigEndian.Uint64(first[:])
}
