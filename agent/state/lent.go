package state

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
)

// Lent is what admin_status of ports was before the agent switched them off to
// drain the switch, by port: it is others' field, and goes back as it was. An empty
// value says that there was none.
type Lent map[string]string

// lentHeader is the first line of the file: the checksum of the rest.
const lentHeader = "switchlet ports 1 %08x\n"

func (s *Store) lentFile() string { return filepath.Join(s.dir, "ports-down") }

// Lent is the record of the ports that are down by the agent's hand. Nobody may
// change it.
func (s *Store) Lent() Lent { return s.lent }

// SetLent replaces the record.
func (s *Store) SetLent(l Lent) error {
	text, err := json.Marshal(l)
	if err == nil {
		err = replace(s.lentFile(), append(fmt.Appendf(nil, lentHeader, checksum(text)), text...))
	}
	if err != nil {
		return fmt.Errorf("record which ports are switched off: %w", err)
	}
	s.lent = l
	return nil
}

// loadLent reads the file, and says what it had to set aside.
func (s *Store) loadLent() (notes []string, err error) {
	text, err := readFile(s.lentFile())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil {
		s.lent, err = decodeLent(text)
	}
	if !errors.Is(err, errDamaged) {
		return nil, err
	}
	aside, asideErr := setAside(s.lentFile())
	if asideErr != nil {
		return nil, asideErr
	}
	return []string{fmt.Sprintf("%s was unusable (%v) and is now %s; if the switch was drained, look whether ports of hosts are still switched off (show interfaces status)", s.lentFile(), err, aside)}, nil
}

func decodeLent(text []byte) (Lent, error) {
	first, rest, _ := bytes.Cut(text, []byte("\n"))
	if string(first)+"\n" != fmt.Sprintf(lentHeader, checksum(rest)) {
		return nil, fmt.Errorf("%w: the checksum is wrong", errDamaged)
	}
	var l Lent
	if err := json.Unmarshal(rest, &l); err != nil {
		return nil, fmt.Errorf("%w: %w", errDamaged, err)
	}
	return l, nil
}
