package state

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/switchlet/switchlet/sonic"
)

// Store is the agent's folder on the switch's disk. One goroutine at a time may
// use it.
type Store struct {
	dir    string
	ledger sonic.Ledger
	lines  int  // in the ledger file, apart from the first
	whole  bool // the ledger file says what ledger does

	journal   journalFile
	bad       []badRevision // the oldest first
	condemned []Condemned
	lent      Lent
}

// Loaded is what was on the disk.
type Loaded struct {
	// LastGood is nil if there is none.
	LastGood *LastGood
	// Damage tells, for people, what was unusable and is set aside.
	Damage []string
}

// Open reads what is on the disk, and makes the folder if there is none. The
// error is one of the disk, such as a missing permission.
func Open(dir string) (*Store, Loaded, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, Loaded{}, fmt.Errorf("open the state on disk: %w", err)
	}
	s := &Store{dir: dir}
	good, damage, err := s.loadLastGood()
	if err != nil {
		return nil, Loaded{}, fmt.Errorf("open the state on disk: %w", err)
	}
	ledger, more, err := s.loadLedger()
	if err != nil {
		return nil, Loaded{}, fmt.Errorf("open the state on disk: %w", err)
	}
	s.ledger = ledger
	damage = append(damage, more...)
	for _, load := range []func() ([]string, error){s.loadJournal, s.loadBad, s.loadCondemned, s.loadLent} {
		notes, err := load()
		if err != nil {
			return nil, Loaded{}, fmt.Errorf("open the state on disk: %w", err)
		}
		damage = append(damage, notes...)
	}
	return s, Loaded{LastGood: good, Damage: damage}, nil
}

// Ledger is the record of the agent's rows. It is nil until there is one: the
// rows on the switch have to be looked at to find out which are the agent's.
func (s *Store) Ledger() sonic.Ledger { return s.ledger }

func (s *Store) lastGood() string    { return filepath.Join(s.dir, "last-good.json") }
func (s *Store) previous() string    { return filepath.Join(s.dir, "last-good.previous.json") }
func (s *Store) ledgerFile() string  { return filepath.Join(s.dir, "ledger") }
func (s *Store) journalName() string { return filepath.Join(s.dir, "journal") }
func (s *Store) badFile() string     { return filepath.Join(s.dir, "bad-revisions") }
