package state

import (
	"fmt"
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
	text, err := seal(lentHeader, l)
	if err == nil {
		err = replace(s.lentFile(), text)
	}
	if err != nil {
		return fmt.Errorf("record which ports are switched off: %w", err)
	}
	s.lent = l
	return nil
}

// loadLent reads the file, and says what it had to set aside.
func (s *Store) loadLent() (notes []string, err error) {
	return take(s.lentFile(), "if the switch was drained, look whether ports of hosts are still switched off (show interfaces status)",
		func(text []byte) (err error) { s.lent, err = decodeLent(text); return err })
}

func decodeLent(text []byte) (l Lent, err error) {
	err = unseal(lentHeader, text, &l)
	return l, err
}
