package state

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/switchlet/switchlet/sonic"
)

// Journal is a change of CONFIG_DB that is not confirmed yet, and how to take it
// back: what every row that it touches was before.
type Journal struct {
	// Revision that is being put into force.
	Revision string
	// Base is the revision to go back to, empty if there was none.
	Base string
	// Begun is when the first row was about to be written.
	Begun time.Time
	// Baseline has the names of the probes that worked before.
	Baseline []string
	// Rows are the rows that the change may have touched.
	Rows map[sonic.Key]Before
}

// Before is a row as it was.
type Before struct {
	// There: the row existed.
	There bool
	// Fields of the row, all of them, also those of others.
	Fields sonic.Fields
}

// Journal is the change that is open, nil if there is none. After a restart an
// open one says that the agent was stopped in the middle of it.
func (s *Store) Journal() *Journal { return s.journal.open }

// BeginJournal opens a journal; its Rows are ignored. Nothing is on the disk
// before Remember, so that both take one fsync.
//
// If one is open the change is a continuation of it: the new revision is taken
// over, and everything else stays, because what to go back to is what was there
// before the first of them.
func (s *Store) BeginJournal(j Journal) {
	f := &s.journal
	switch {
	case f.open == nil:
		f.open = &Journal{
			Revision: j.Revision, Base: j.Base, Begun: j.Begun.UTC().Round(0), Baseline: append([]string(nil), j.Baseline...), Rows: map[sonic.Key]Before{},
		}
		f.announced = false
	case f.open.Revision != j.Revision:
		f.open.Revision = j.Revision
		f.announced = false
	}
}

// Remember records what rows are before they are touched for the first time.
// Those that are recorded already keep the value they were recorded with. When
// it returns, the record has reached the disk. Nobody may change the fields that
// it was given.
func (s *Store) Remember(rows map[sonic.Key]Before) error {
	f := &s.journal
	if f.open == nil {
		return errors.New("journal rows: no journal was begun")
	}
	fresh := keysOf(rows, f.open.Rows)
	if len(fresh) == 0 && f.announced {
		return nil
	}
	if err := s.appendJournal(rows, fresh); err != nil {
		return fmt.Errorf("journal %d rows: %w", len(fresh), err)
	}
	for _, key := range fresh {
		f.open.Rows[key] = rows[key]
	}
	f.announced = true
	return nil
}

// CloseJournal says that the change stands, or was taken back entirely: there
// is nothing to go back to any more. Without an open journal it does nothing.
func (s *Store) CloseJournal() error {
	f := &s.journal
	if f.open == nil {
		return nil
	}
	if !f.announced && len(f.open.Rows) == 0 && !f.failed {
		f.open = nil // nothing of it is on the disk
		return nil
	}
	text := appendRecord(nil, closeWord)
	if f.size+len(text) > spareBytes {
		f.whole = false
	}
	if err := s.writeJournal(text, []byte(journalHeader)); err != nil {
		return fmt.Errorf("close the journal: %w", err)
	}
	f.open = nil
	return nil
}

// spareBytes is how large the file may be after a journal is closed before it
// is made anew.
const spareBytes = 1 << 20

// journalFile is what is known of the file.
type journalFile struct {
	open      *Journal
	announced bool // the disk knows of open, and of its revision
	size      int
	whole     bool // the file says what open does, as far as it is announced
	failed    bool // the last attempt to write it: what it says is not known
}

// appendJournal adds rows to the file, and the line that begins the journal if
// that is not there yet.
func (s *Store) appendJournal(rows map[sonic.Key]Before, keys []sonic.Key) error {
	f := &s.journal
	if f.whole {
		var text []byte
		if !f.announced {
			text = appendBegin(text, *f.open)
		}
		return s.writeJournal(appendRows(text, rows, keys), nil)
	}
	all := appendBegin([]byte(journalHeader), *f.open)
	all = appendRows(all, f.open.Rows, keysOf(f.open.Rows, nil))
	return s.writeJournal(nil, appendRows(all, rows, keys))
}

// writeJournal adds text to the file or, when that is not whole, puts all in
// its place.
func (s *Store) writeJournal(text, all []byte) error {
	f := &s.journal
	write, size := appendTo, f.size+len(text)
	if !f.whole {
		write, text, size = replace, all, len(all)
	}
	f.whole, f.failed = false, true
	if err := write(s.journalName(), text); err != nil {
		return err
	}
	f.size, f.whole, f.failed = size, true, false
	return nil
}

// appendTo adds to a file that is there.
func appendTo(name string, text []byte) error {
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	return errors.Join(err, file.Sync(), file.Close())
}

// loadJournal reads the file, and says what it had to set aside. A damaged
// journal is of no use: taking back a part of a change would leave a mix.
func (s *Store) loadJournal() (notes []string, err error) {
	text, err := readFile(s.journalName())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var open *Journal
	var size int
	if err == nil {
		open, size, err = decodeJournal(text)
	}
	if errors.Is(err, errDamaged) {
		aside, asideErr := setAside(s.journalName())
		if asideErr != nil {
			return nil, asideErr
		}
		return []string{fmt.Sprintf("%s was unusable (%v) and is now %s; a change that was not confirmed cannot be taken back", s.journalName(), err, aside)}, nil
	}
	if err != nil {
		return nil, err
	}
	s.journal = journalFile{open: open, announced: open != nil, size: size, whole: size == len(text)}
	return nil, nil
}
