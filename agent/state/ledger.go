package state

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/switchlet/switchlet/sonic"
)

// The ledger file is a log: a line for each change, so that recording a change
// costs what the change is worth, however many rows there are:
//
//	switchlet ledger 1
//	92ca4491 + VLAN|Vlan100 description vlanid
//	a5aaa01b - VLAN|Vlan100
//
// Each line begins with the checksum of the rest. A last line without its end
// was being written when the power went, and had not been counted on yet.
const ledgerHeader = "switchlet ledger 1\n"

// spareLines is how many outdated lines the file may have, beyond one for each
// row, before it is written anew.
const spareLines = 1000

func appendLine(text []byte, sign byte, key sonic.Key, fields []string) []byte {
	line := string(sign) + " " + quote(key.String())
	for _, field := range fields {
		line += " " + quote(field)
	}
	return fmt.Appendf(text, "%08x %s\n", checksum([]byte(line)), line)
}

// quote keeps a word in one piece; those of SONiC's tables are already.
func quote(word string) string {
	if word == "" || strings.ContainsAny(word, " \"\\\n\t") || !strconv.CanBackquote(word) {
		return strings.ReplaceAll(strconv.QuoteToASCII(word), " ", `\x20`)
	}
	return word
}

func unquote(word string) (string, error) {
	if strings.HasPrefix(word, `"`) {
		return strconv.Unquote(word)
	}
	return word, nil
}

// encodeLedger has a line for each row, in order.
func encodeLedger(ledger sonic.Ledger) []byte {
	keys := make([]sonic.Key, 0, len(ledger))
	for key := range ledger {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, sonic.Key.Compare)
	text := []byte(ledgerHeader)
	for _, key := range keys {
		text = appendLine(text, '+', key, ledger[key])
	}
	return text
}

// decodeLedger reads the file's text. size is how much of it is whole.
func decodeLedger(text []byte) (ledger sonic.Ledger, lines, size int, err error) {
	rest, ok := bytes.CutPrefix(text, []byte(ledgerHeader))
	if !ok {
		return nil, 0, 0, fmt.Errorf("%w: the first line is not %q", errDamaged, strings.TrimSpace(ledgerHeader))
	}
	ledger, size = sonic.Ledger{}, len(ledgerHeader)
	for len(rest) > 0 {
		line, after, whole := bytes.Cut(rest, []byte("\n"))
		if !whole {
			break
		}
		lines++
		if err := decodeLine(ledger, string(line)); err != nil {
			return nil, 0, 0, fmt.Errorf("%w: line %d: %w", errDamaged, lines+1, err)
		}
		size += len(line) + 1
		rest = after
	}
	return ledger, lines, size, nil
}

func decodeLine(ledger sonic.Ledger, line string) error {
	sum, body, _ := strings.Cut(line, " ")
	if sum != fmt.Sprintf("%08x", checksum([]byte(body))) {
		return errors.New("the checksum is wrong")
	}
	words := strings.Split(body, " ")
	for i, word := range words {
		plain, err := unquote(word)
		if err != nil {
			return err
		}
		words[i] = plain
	}
	if len(words) < 2 {
		return errors.New("it is too short")
	}
	key, ok := sonic.ParseKey(words[1])
	switch {
	case !ok:
		return fmt.Errorf("%q is no key", words[1])
	case words[0] == "+":
		ledger[key] = slices.Clone(words[2:])
	case words[0] == "-":
		delete(ledger, key)
	default:
		return fmt.Errorf("%q is neither + nor -", words[0])
	}
	return nil
}

// loadLedger returns nil if there is no ledger, and what it had to set aside.
func (s *Store) loadLedger() (sonic.Ledger, []string, error) {
	text, err := readFile(s.ledgerFile())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	var ledger sonic.Ledger
	var lines, size int
	if err == nil {
		ledger, lines, size, err = decodeLedger(text)
	}
	if errors.Is(err, errDamaged) {
		aside, asideErr := setAside(s.ledgerFile())
		if asideErr != nil {
			return nil, nil, asideErr
		}
		return nil, []string{fmt.Sprintf("%s was unusable (%v) and is now %s", s.ledgerFile(), err, aside)}, nil
	}
	if err != nil {
		return nil, nil, err
	}
	s.lines, s.whole = lines, size == len(text)
	return ledger, nil, nil
}

// Own records rows before they are written. The names of their fields replace
// those recorded before.
func (s *Store) Own(rows sonic.Ledger) error {
	if len(rows) == 0 {
		return nil
	}
	if s.ledger == nil {
		s.ledger = sonic.Ledger{}
	}
	for key, names := range rows {
		s.ledger[key] = names
	}
	return s.record(encodeLedger(rows)[len(ledgerHeader):], len(rows))
}

// Disown strikes rows from the record after they were deleted.
func (s *Store) Disown(keys []sonic.Key) error {
	if len(keys) == 0 {
		return nil
	}
	var text []byte
	for _, key := range keys {
		delete(s.ledger, key)
		text = appendLine(text, '-', key, nil)
	}
	return s.record(text, len(keys))
}

// SetLedger starts the record anew.
func (s *Store) SetLedger(ledger sonic.Ledger) error {
	s.ledger = ledger
	return s.rewrite()
}

// record adds lines to the file, or writes it anew when it has grown too much
// or is not whole. The ledger in memory is what counts.
func (s *Store) record(text []byte, lines int) error {
	if !s.whole || s.lines+lines > 2*len(s.ledger)+spareLines {
		return s.rewrite()
	}
	s.whole = false
	f, err := os.OpenFile(s.ledgerFile(), os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return fmt.Errorf("record rows: %w", err)
	}
	_, err = f.Write(text)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("record rows: %w", err)
	}
	s.lines += lines
	s.whole = true
	return nil
}

func (s *Store) rewrite() error {
	s.whole = false
	if err := replace(s.ledgerFile(), encodeLedger(s.ledger)); err != nil {
		return fmt.Errorf("record rows: %w", err)
	}
	s.lines, s.whole = len(s.ledger), true
	return nil
}
