package state

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"sync"

	"github.com/switchlet/switchlet/sonic/frr"
)

// Statements is the record, in a file of its own, of what the agent said to FRR.
// Several goroutines may use it.
type Statements struct {
	name string

	mu    sync.Mutex
	tree  frr.Tree
	known bool
}

// statementsHeader is the first line of the file: the checksum of the rest.
const statementsHeader = "switchlet frr 1 %08x\n"

// OpenStatements reads the record in the agent's folder. damage tells, for
// people, what was unusable and is set aside.
func OpenStatements(dir string) (s *Statements, damage string, err error) {
	s = &Statements{name: filepath.Join(dir, "frr-statements")}
	text, err := readFile(s.name)
	if errors.Is(err, fs.ErrNotExist) {
		return s, "", nil
	}
	if err == nil {
		s.tree, err = decodeStatements(text)
	}
	if errors.Is(err, errDamaged) {
		aside, asideErr := setAside(s.name)
		if asideErr != nil {
			return nil, "", fmt.Errorf("open the record of FRR's statements: %w", asideErr)
		}
		return s, fmt.Sprintf("%s was unusable (%v) and is now %s; what FRR has exactly as wanted is taken to be the agent's", s.name, err, aside), nil
	}
	if err != nil {
		return nil, "", fmt.Errorf("open the record of FRR's statements: %w", err)
	}
	s.known = true
	return s, "", nil
}

// Get is what the agent said. It is not known until it was recorded once: what
// FRR has must be looked at then.
func (s *Statements) Get() (tree frr.Tree, known bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tree, s.known
}

// Set records what the agent is about to say, or has said. When it returns, the
// record has reached the disk. Nobody may change the tree afterwards.
func (s *Statements) Set(tree frr.Tree) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	text, err := encodeStatements(tree)
	if err == nil {
		err = replace(s.name, text)
	}
	if err != nil {
		return fmt.Errorf("record FRR's statements: %w", err)
	}
	s.tree, s.known = tree, true
	return nil
}

func encodeStatements(tree frr.Tree) ([]byte, error) { return seal(statementsHeader, tree) }

func decodeStatements(text []byte) (tree frr.Tree, err error) {
	err = unseal(statementsHeader, text, &tree)
	return tree, err
}
