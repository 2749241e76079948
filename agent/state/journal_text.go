package state

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/switchlet/switchlet/sonic"
)

// The journal file is a log like the ledger's:
//
//	switchlet journal 1
//	31495c78 begin r8 r7 2026-11-20T12:00:00Z uplink/Ethernet0 apiserver
//	6a6a950c + VLAN|Vlan100 description "web,\x20blue" vlanid 100
//	57c12318 - VLAN|Vlan101
//	6554da40 close
//
// A row that was there has a + and its fields, name and value in turn; one that
// was not there has a -. A further begin line names the revision that continues
// the change. A last line without its end was being written when the power went:
// the rows of its change had not been touched yet.
const (
	journalHeader = "switchlet journal 1\n"
	beginWord     = "begin"
	closeWord     = "close"
	thereWord     = "+"
	absentWord    = "-"
)

// sumWidth is the room that a checksum and the space behind it take.
const sumWidth = 9

// appendRecord adds a line of words, with its checksum. It makes one for each of
// the ten thousand rows of a switch that is set up, so it allocates nothing.
func appendRecord(text []byte, words ...string) []byte {
	start := len(text)
	text = append(text, "00000000"...)
	for _, word := range words {
		text = append(append(text, ' '), quote(word)...)
	}
	sum := binary.BigEndian.AppendUint32(nil, checksum(text[start+sumWidth:]))
	hex.Encode(text[start:], sum)
	return append(text, '\n')
}

// parseRecord is the words of a line, without its end.
func parseRecord(line string) ([]string, error) {
	sum, body, _ := strings.Cut(line, " ")
	if sum != fmt.Sprintf("%08x", checksum([]byte(body))) {
		return nil, errors.New("the checksum is wrong")
	}
	words := strings.Split(body, " ")
	for i, word := range words {
		plain, err := unquote(word)
		if err != nil {
			return nil, err
		}
		words[i] = plain
	}
	return words, nil
}

func appendBegin(text []byte, j Journal) []byte {
	words := []string{beginWord, j.Revision, j.Base, j.Begun.Format(time.RFC3339Nano)}
	return appendRecord(text, append(words, j.Baseline...)...)
}

// appendRows adds a line for each of the keys.
func appendRows(text []byte, rows map[sonic.Key]Before, keys []sonic.Key) []byte {
	var buffer [16]string
	for _, key := range keys {
		before := rows[key]
		if !before.There {
			text = appendRecord(text, append(buffer[:0], absentWord, key.String())...)
			continue
		}
		words := append(buffer[:0], thereWord, key.String())
		for _, field := range before.Fields {
			words = append(words, field.Name, field.Value)
		}
		text = appendRecord(text, words...)
	}
	return text
}

// keysOf rows, in rising order, apart from those that others has.
func keysOf(rows, others map[sonic.Key]Before) []sonic.Key {
	keys := make([]sonic.Key, 0, len(rows))
	for key := range rows {
		if _, known := others[key]; !known {
			keys = append(keys, key)
		}
	}
	slices.SortFunc(keys, sonic.Key.Compare)
	return keys
}

// decodeJournal reads the file's text: the journal that is open in the end, nil
// if none is, and how much of the text is whole.
func decodeJournal(text []byte) (open *Journal, size int, err error) {
	rest, ok := bytes.CutPrefix(text, []byte(journalHeader))
	if !ok {
		return nil, 0, fmt.Errorf("%w: the first line is not %q", errDamaged, strings.TrimSpace(journalHeader))
	}
	size = len(journalHeader)
	for number := 2; len(rest) > 0; number++ {
		line, after, whole := bytes.Cut(rest, []byte("\n"))
		if !whole {
			break
		}
		words, err := parseRecord(string(line))
		if err == nil {
			open, err = replay(open, words)
		}
		if err != nil {
			return nil, 0, fmt.Errorf("%w: line %d: %w", errDamaged, number, err)
		}
		size += len(line) + 1
		rest = after
	}
	return open, size, nil
}

// replay is the journal that is open after a line.
func replay(open *Journal, words []string) (*Journal, error) {
	switch {
	case words[0] == beginWord:
		return replayBegin(open, words[1:])
	case open == nil:
		return nil, fmt.Errorf("%q stands before a line that begins a journal", words[0])
	case words[0] == closeWord && len(words) == 1:
		return nil, nil
	case words[0] == thereWord || words[0] == absentWord:
		return open, replayRow(open, words)
	}
	return nil, fmt.Errorf("%q is not known", words[0])
}

func replayBegin(open *Journal, words []string) (*Journal, error) {
	if len(words) < 3 {
		return nil, errors.New("it is too short")
	}
	if open != nil {
		open.Revision = words[0]
		return open, nil
	}
	begun, err := parseTime(words[2])
	if err != nil {
		return nil, err
	}
	return &Journal{
		Revision: words[0], Base: words[1], Begun: begun, Baseline: append([]string(nil), words[3:]...), Rows: map[sonic.Key]Before{},
	}, nil
}

// parseTime takes what this package writes: UTC.
func parseTime(word string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339Nano, word)
	if err == nil && t.Location() != time.UTC {
		err = fmt.Errorf("the time %s is not in UTC", word)
	}
	return t, err
}

// replayRow takes a row over unless an older value of it is known.
func replayRow(open *Journal, words []string) error {
	there := words[0] == thereWord
	if len(words)%2 != 0 || !there && len(words) != 2 {
		return errors.New("a field has no value")
	}
	key, ok := sonic.ParseKey(words[1])
	if !ok {
		return fmt.Errorf("%q is no key", words[1])
	}
	if _, known := open.Rows[key]; !known {
		before := Before{There: there}
		if there {
			before.Fields = sonic.NewFields(words[2:]...)
		}
		open.Rows[key] = before
	}
	return nil
}
