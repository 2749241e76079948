package sonic

import (
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

// The numbers of rows rise with their keys, whatever these are made of, and each
// key is found by its number; what the databases have goes with it.
func TestNumbersRiseWithKeys(t *testing.T) {
	// Few letters, so that names begin alike and one goes on where another ends.
	names := rapid.StringMatching(`[aV1\x00\x{ff}|]{0,12}`)
	keys := rapid.Custom(func(t *rapid.T) Key {
		return Key{rapid.SampledFrom([]string{"VLAN", "VLAN_MEMBER", "PORT", ""}).Draw(t, "table"), names.Draw(t, "name")}
	})
	rows := rapid.MapOf(keys, rapid.Map(names, func(value string) Fields { return Fields{{"field", value}} }))
	rapid.Check(t, func(t *rapid.T) {
		have, want := DB(rows.Draw(t, "have")), DB(rows.Draw(t, "want"))
		owned := Ledger{}
		for key := range rows.Draw(t, "owned") {
			owned[key] = nil
		}
		here, wanted := &side{db: have}, &side{db: want}
		n := number(here, wanted, owned)

		all := slices.Concat(have.Keys(), want.Keys(), slices.Collect(maps.Keys(owned)))
		slices.SortFunc(all, Key.Compare)
		if diff := cmp.Diff(slices.Compact(all), n.keys, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("keys in order (-), as numbered (+):\n%s", diff)
		}
		for i, key := range n.keys {
			if id := n.id(key); id != int32(i) {
				t.Errorf("%q has the number %d instead of %d", key, id, i)
			}
			for _, s := range []*side{here, wanted} {
				if fields, there := s.db[key]; s.there[i] != there || !slices.Equal(s.fields[i], fields) {
					t.Errorf("%q is %v, %v instead of %v, %v", key, s.fields[i], s.there[i], fields, there)
				}
			}
		}
		if id := n.id(Key{"NONE", "of them"}); id != nowhere {
			t.Errorf("a key of nobody's has the number %d", id)
		}
	})
}
