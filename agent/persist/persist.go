package persist

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/switchlet/switchlet/sonic"
)

// ErrBusy says that somebody else is at the file: come back a little later.
var ErrBusy = errors.New("somebody else is at the saved configuration")

// Config says where the files are.
type Config struct {
	// File is SONiC's /etc/sonic/config_db.json.
	File string
	// LockFile is SONiC's /etc/sonic/reload.lock, held by `config reload`.
	LockFile string
	// StateDir is the agent's folder, for the record of what is in the file.
	StateDir string
}

// Persister keeps the agent's rows in SONiC's file. One goroutine at a time may
// use it. It holds nothing in memory between two calls.
type Persister struct{ cfg Config }

// New is a Persister.
func New(cfg Config) *Persister { return &Persister{cfg} }

func (p *Persister) recordFile() string { return filepath.Join(p.cfg.StateDir, "persisted") }

// attempts to write a file that somebody else changes all the time.
const attempts = 3

// Save puts the agent's rows, as Owned gives them, into the file, and takes out
// those that it put there formerly and that are not among them. Call it once for
// each revision that is confirmed.
//
// ErrBusy says that nothing was done and that it is to be tried again in some
// seconds; any other error is for people. A file that is missing or damaged is
// left alone: there is no telling what else should be in it.
func (p *Persister) Save(own sonic.DB) (Outcome, error) {
	formerly, damage, err := p.load()
	if err != nil {
		return Outcome{}, fmt.Errorf("read the record of saved rows: %w", err)
	}
	// Recorded first, so that whatever happens they are known to be the agent's.
	noted := noting(formerly, own)
	if err := p.keep(formerly, noted); err != nil {
		return Outcome{}, fmt.Errorf("record the rows to save: %w", err)
	}
	var changed bool
	for range attempts {
		changed, err = p.save(own, noted)
		if !errors.Is(err, errChanged) {
			break
		}
		err = fmt.Errorf("save the rows in %s: %w: it was changed %d times meanwhile", p.cfg.File, ErrBusy, attempts)
	}
	if err == nil {
		err = p.keep(noted, ledgerOf(own))
	}
	return Outcome{Changed: changed, Damage: damage}, err
}

// Outcome of a Save.
type Outcome struct {
	// Changed: the file had to be changed.
	Changed bool
	// Damage tells, for people, what was unusable and is set aside.
	Damage string
}

// load reads the record of the rows and fields that the agent may have put into
// the file; nil if there is none.
func (p *Persister) load() (record sonic.Ledger, damage string, err error) {
	record, err = readRecord(p.recordFile())
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, "", nil
	case !errors.Is(err, errDamaged):
		return record, "", err
	}
	aside, asideErr := setAside(p.recordFile())
	return nil, fmt.Sprintf("%s was unusable (%v) and is now %s; rows of the agent's that are in %s and not wanted any more stay there", p.recordFile(), err, aside, p.cfg.File), asideErr
}

// noting is a record with rows added to it.
func noting(record sonic.Ledger, own sonic.DB) sonic.Ledger {
	all := make(sonic.Ledger, len(own))
	for key, names := range record {
		all[key] = names
	}
	for key, fields := range own {
		all[key] = union(all[key], fields)
	}
	return all
}

// keep writes the record, unless it says the same already.
func (p *Persister) keep(was, is sonic.Ledger) error {
	if was != nil && equal(was, is) {
		return nil
	}
	return writeRecord(p.recordFile(), is)
}

// save is one attempt.
func (p *Persister) save(own sonic.DB, formerly sonic.Ledger) (changed bool, err error) {
	// Where a link leads to, so that the link stays.
	name, err := filepath.EvalSymlinks(p.cfg.File)
	if err != nil {
		return false, unusable(p.cfg.File, err)
	}
	before, err := readFile(name)
	if err != nil {
		return false, unusable(p.cfg.File, err)
	}
	merged, changed, err := Merge(before, own, formerly)
	if err != nil {
		return false, unusable(p.cfg.File, err)
	}
	if !changed {
		return false, nil
	}
	if !json.Valid(merged) {
		return false, fmt.Errorf("save the rows in %s: the result would be no JSON", p.cfg.File)
	}
	return true, p.replace(name, before, merged)
}

// unusable is an error about a file that was not touched.
func unusable(file string, err error) error {
	return fmt.Errorf("%s is not usable, and was left alone: %w. The agent's rows are in CONFIG_DB only, and after a reboot the agent writes them anew; `config save` makes the file anew from CONFIG_DB", file, err)
}

// replace writes the file if it is still as it was read.
func (p *Persister) replace(name string, before, after []byte) error {
	temporary, err := writeBeside(name, after)
	if err != nil {
		return fmt.Errorf("save the rows in %s: %w", p.cfg.File, err)
	}
	defer temporary.discard()
	unlock, err := lock(p.cfg.LockFile)
	if err != nil {
		return fmt.Errorf("save the rows in %s: %w", p.cfg.File, err)
	}
	defer unlock()
	now, err := readFile(name)
	if err != nil {
		return unusable(p.cfg.File, err)
	}
	if !bytes.Equal(before, now) {
		return errChanged
	}
	if err := temporary.rename(name); err != nil {
		return fmt.Errorf("save the rows in %s: %w", p.cfg.File, err)
	}
	return nil
}

// errChanged says that the file is not as it was read any more.
var errChanged = errors.New("the file was changed meanwhile")
