package persist

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"maps"
	"os"
	"slices"

	"github.com/switchlet/switchlet/sonic"
	"github.com/switchlet/switchlet/sonic/atomicfile"
)

// recordHeader is the first line of the record: the checksum of the rest, which
// is JSON: the key of each row, and the names of the agent's fields.
const recordHeader = "switchlet persisted 1 %08x\n"

var errDamaged = errors.New("damaged")

// checksum is CRC-32C (RFC 3720, appendix B.4).
func checksum(text []byte) uint32 { return crc32.Checksum(text, crc32.MakeTable(crc32.Castagnoli)) }

func encodeRecord(record sonic.Ledger) ([]byte, error) {
	rows := make(map[string][]string, len(record))
	for key, names := range record {
		rows[key.String()] = names
	}
	text, err := json.Marshal(rows)
	if err != nil {
		return nil, err
	}
	return append(fmt.Appendf(nil, recordHeader, checksum(text)), text...), nil
}

func decodeRecord(text []byte) (sonic.Ledger, error) {
	first, rest, _ := bytes.Cut(text, []byte("\n"))
	if string(first)+"\n" != fmt.Sprintf(recordHeader, checksum(rest)) {
		return nil, fmt.Errorf("%w: the checksum is wrong", errDamaged)
	}
	var rows map[string][]string
	if err := json.Unmarshal(rest, &rows); err != nil {
		return nil, fmt.Errorf("%w: %w", errDamaged, err)
	}
	record := make(sonic.Ledger, len(rows))
	for name, fields := range rows {
		key, ok := sonic.ParseKey(name)
		if !ok {
			return nil, fmt.Errorf("%w: %q is no key", errDamaged, name)
		}
		record[key] = fields
	}
	return record, nil
}

func readRecord(name string) (sonic.Ledger, error) {
	text, err := readFile(name)
	if err != nil {
		return nil, err
	}
	return decodeRecord(text)
}

func writeRecord(name string, record sonic.Ledger) error {
	text, err := encodeRecord(record)
	if err != nil {
		return err
	}
	return atomicfile.Write(name, text, 0o600)
}

// setAside renames a damaged record, in place of the one before.
func setAside(name string) (string, error) {
	aside := name + ".damaged"
	err := os.Rename(name, aside)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return aside, err
}

// ledgerOf has the rows with the names of their fields.
func ledgerOf(rows sonic.DB) sonic.Ledger {
	ledger := make(sonic.Ledger, len(rows))
	for key, fields := range rows {
		ledger[key] = fields.Names()
	}
	return ledger
}

// union of names and those of fields, in rising order.
func union(names []string, fields sonic.Fields) []string {
	all := slices.Concat(names, fields.Names())
	slices.Sort(all)
	return slices.Compact(all)
}

func equal(a, b sonic.Ledger) bool { return maps.EqualFunc(a, b, slices.Equal[[]string]) }
