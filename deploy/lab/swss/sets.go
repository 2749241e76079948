package swss

import (
	"maps"
	"slices"
)

// addTo adds to a set of a family of sets.
func addTo(family map[string]map[string]bool, key, member string) {
	if family[key] == nil {
		family[key] = map[string]bool{}
	}
	family[key][member] = true
}

// removeFrom removes from a set of a family of sets; there are no empty ones.
func removeFrom(family map[string]map[string]bool, key, member string) {
	if delete(family[key], member); len(family[key]) == 0 {
		delete(family, key)
	}
}

// least is the least key of a map, or "": what is told is the same each time.
func least[V any](set map[string]V) string {
	first, found := "", false
	for key := range set {
		if !found || key < first {
			first, found = key, true
		}
	}
	return first
}

// sortedKeys are the keys of a map in rising order.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
