package yang_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/switchlet/switchlet/sonic"
	"github.com/switchlet/switchlet/sonic/yang"
)

// pool is what random databases and changes are made of: all rows of SONiC's own
// test cases, and their values by field.
type pool struct {
	rows   []sonic.Row
	values map[string][]string
	cases  []sonic.DB
}

func newPool(t testing.TB) *pool {
	p := &pool{values: map[string][]string{}}
	for _, c := range cases(t) {
		p.cases = append(p.cases, c.db)
		for _, key := range c.db.Keys() {
			p.rows = append(p.rows, sonic.Row{Key: key, Fields: c.db[key]})
			for _, f := range c.db[key] {
				p.values[f.Name] = append(p.values[f.Name], f.Value)
			}
		}
	}
	return p
}

// db is the rows of a few cases together: some of them get in each other's way.
func (p *pool) db(t *rapid.T) sonic.DB {
	db := sonic.DB{}
	for _, c := range rapid.SliceOfN(rapid.SampledFrom(p.cases), 1, 4).Draw(t, "cases") {
		maps.Copy(db, c)
	}
	return db
}

// change is a row that is deleted, one that is put in from another case, or one
// with a field of another value or without a field.
func (p *pool) change(t *rapid.T, db sonic.DB) yang.Change {
	keys := db.Keys()
	if len(keys) == 0 || rapid.IntRange(0, 3).Draw(t, "what") == 0 {
		row := rapid.SampledFrom(p.rows).Draw(t, "row")
		return yang.Change{Key: row.Key, Fields: row.Fields}
	}
	key := rapid.SampledFrom(keys).Draw(t, "key")
	fields := db[key]
	switch rapid.IntRange(0, 4).Draw(t, "how") {
	case 0, 1:
		return yang.Change{Key: key, Gone: true}
	case 2: // the same row, differently written
		key.Name += " "
		return yang.Change{Key: key, Fields: fields}
	}
	if len(fields) == 0 {
		return yang.Change{Key: key, Fields: sonic.NewFields("mtu", "9100")}
	}
	at := rapid.IntRange(0, len(fields)-1).Draw(t, "field")
	var pairs []string
	drop := rapid.Bool().Draw(t, "drop")
	for i, f := range fields {
		if i == at && drop {
			continue
		}
		if i == at {
			f.Value = rapid.SampledFrom(p.values[f.Name]).Draw(t, "value")
		}
		pairs = append(pairs, f.Name, f.Value)
	}
	return yang.Change{Key: key, Fields: sonic.NewFields(pairs...)}
}

func apply(db sonic.DB, changes []yang.Change) sonic.DB {
	after := maps.Clone(db)
	for _, c := range changes {
		if c.Gone {
			delete(after, c.Key)
		} else {
			after[c.Key] = c.Fields
		}
	}
	return after
}

// Whatever changes, looking at what is affected finds what looking at everything
// finds, and asking changes nothing.
func TestIncrementalIsFull(t *testing.T) {
	schema, p := load(t), newPool(t)
	rapid.Check(t, func(t *rapid.T) {
		db := p.db(t)
		c := yang.NewChecker(schema, db)
		for range rapid.IntRange(1, 6).Draw(t, "batches") {
			var changes []yang.Change
			for range rapid.IntRange(1, 5).Draw(t, "changes") {
				changes = append(changes, p.change(t, apply(db, changes)))
			}
			before := c.Violations()
			after := yang.NewChecker(schema, apply(db, changes))
			want := caused(before, after.Violations(), changes)
			equal(t, "Check", want, c.Check(changes))
			equal(t, "Violations after Check", before, c.Violations())
			equal(t, "Commit", want, c.Commit(changes))
			equal(t, "Violations after Commit", after.Violations(), c.Violations())
			equal(t, "Unmodelled after Commit", after.Unmodelled(), c.Unmodelled())
			db = apply(db, changes)
		}
	})
}

// caused are the violations of changed rows and those that were not there before.
func caused(before, after []yang.Violation, changes []yang.Change) []yang.Violation {
	var out []yang.Violation
	for _, v := range after {
		changed := slices.ContainsFunc(changes, func(c yang.Change) bool { return c.Key == v.Key })
		if changed || !slices.ContainsFunc(before, func(old yang.Violation) bool { return cmp.Equal(old, v) }) {
			out = append(out, v)
		}
	}
	return out
}

func equal[T any](t *rapid.T, what string, want, got []T) {
	if len(want)+len(got) == 0 {
		return
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("%s (-want +got):\n%s", what, diff)
	}
}
