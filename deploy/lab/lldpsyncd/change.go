package lldpsyncd

import (
	"maps"
	"slices"
)

// change is what is done to one row: it is deleted, fields are set, or first
// one and then the other.
type change struct {
	key    string
	delete bool
	set    map[string]string
}

// changes are what makes want of have, in order of keys, as lldp_syncd does it:
// a row of which anything changed is deleted and written anew. If it is only
// the age, that field is set, unless a neighbour has come or gone elsewhere.
func changes(have, want Rows) []change {
	var list []change
	comeOrGone := !slices.Equal(slices.Sorted(maps.Keys(have)), slices.Sorted(maps.Keys(want)))
	for _, key := range slices.Sorted(maps.Keys(have)) {
		switch row, stays := want[key]; {
		case !stays:
			list = append(list, change{key: key, delete: true})
		case maps.Equal(have[key], row):
		case !comeOrGone && onlyAged(have[key], row):
			list = append(list, change{key: key, set: map[string]string{timeMark: row[timeMark]}})
		default:
			list = append(list, change{key: key, delete: true, set: row})
		}
	}
	for _, key := range slices.Sorted(maps.Keys(want)) {
		if _, there := have[key]; !there {
			list = append(list, change{key: key, set: want[key]})
		}
	}
	return list
}

func onlyAged(have, want map[string]string) bool {
	aged := maps.Clone(have)
	aged[timeMark] = want[timeMark]
	return len(have) == len(want) && maps.Equal(aged, want)
}
