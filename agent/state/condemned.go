package state

import (
	"fmt"
	"path/filepath"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/sonic"
)

// Condemned is what an owner wanted in a revision that broke something, and what
// it had before. As long as it wants the same, it keeps what it had.
type Condemned struct {
	Owner v1alpha1.ObjectReference
	// Reason for people.
	Reason string
	// Wanted are the owner's rows in the revision that was taken back, Kept
	// those before it.
	Wanted, Kept sonic.DB
}

// condemnedJSON is Condemned as it is on the disk.
type condemnedJSON struct {
	Owner  v1alpha1.ObjectReference `json:"owner"`
	Reason string                   `json:"reason"`
	Wanted rowsJSON                 `json:"wanted"`
	Kept   rowsJSON                 `json:"kept"`
}

// rowsJSON are rows as CONFIG_DB has them: key, field, value.
type rowsJSON map[string]map[string]string

func toJSON(rows sonic.DB) rowsJSON {
	out := make(rowsJSON, len(rows))
	for key, fields := range rows {
		row := make(map[string]string, len(fields))
		for _, field := range fields {
			row[field.Name] = field.Value
		}
		out[key.String()] = row
	}
	return out
}

func fromJSON(rows rowsJSON) (sonic.DB, error) {
	db := make(sonic.DB, len(rows))
	for name, row := range rows {
		key, ok := sonic.ParseKey(name)
		if !ok {
			return nil, fmt.Errorf("%w: %q is no key", errDamaged, name)
		}
		var pairs []string
		for field, value := range row {
			pairs = append(pairs, field, value)
		}
		db[key] = sonic.NewFields(pairs...)
	}
	return db, nil
}

// condemnedHeader is the first line of the file: the checksum of the rest.
const condemnedHeader = "switchlet condemned 1 %08x\n"

// Condemn replaces the record of what broke something.
func (s *Store) Condemn(all []Condemned) error {
	var out []condemnedJSON
	for _, c := range all {
		out = append(out, condemnedJSON{c.Owner, c.Reason, toJSON(c.Wanted), toJSON(c.Kept)})
	}
	text, err := seal(condemnedHeader, out)
	if err == nil {
		err = replace(s.condemnedFile(), text)
	}
	if err != nil {
		return fmt.Errorf("record what broke something: %w", err)
	}
	s.condemned = all
	return nil
}

// Forgive forgets all that broke something, and the bad revisions.
func (s *Store) Forgive() error {
	s.bad = nil
	if err := replace(s.badFile(), encodeBad(nil)); err != nil {
		return fmt.Errorf("forget the bad revisions: %w", err)
	}
	return s.Condemn(nil)
}

// Condemned is the record of what broke something.
func (s *Store) Condemned() []Condemned { return s.condemned }

func (s *Store) condemnedFile() string { return filepath.Join(s.dir, "condemned.json") }

// loadCondemned reads the file, and says what it had to set aside.
func (s *Store) loadCondemned() (notes []string, err error) {
	return take(s.condemnedFile(), "what was taken back may be tried once more",
		func(text []byte) (err error) { s.condemned, err = decodeCondemned(text); return err })
}

func decodeCondemned(text []byte) ([]Condemned, error) {
	var in []condemnedJSON
	if err := unseal(condemnedHeader, text, &in); err != nil {
		return nil, err
	}
	var all []Condemned
	for _, c := range in {
		wanted, err := fromJSON(c.Wanted)
		if err != nil {
			return nil, err
		}
		kept, err := fromJSON(c.Kept)
		if err != nil {
			return nil, err
		}
		all = append(all, Condemned{c.Owner, c.Reason, wanted, kept})
	}
	return all, nil
}
