package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"strings"
)

// header is the first line of the file.
const header = "switchlet attachments 1\n"

// checksum is CRC-32C (RFC 3720, appendix B.4).
func checksum(text []byte) uint32 { return crc32.Checksum(text, crc32.MakeTable(crc32.Castagnoli)) }

func appendRecord(text []byte, r record) []byte {
	line, err := json.Marshal(r)
	if err != nil {
		panic(err) // addresses, numbers and text
	}
	return fmt.Appendf(text, "%08x %s\n", checksum(line), line)
}

// decode hands the records of a file to tell. A last line without its end was
// being written when the power went, and had not been counted on. Other lines that
// make no sense are left out, for the rest is worth having, and returned as
// damage. whole: nothing was left out.
func decode(text []byte, tell func(record)) (damage []error, whole bool) {
	rest, ok := bytes.CutPrefix(text, []byte(header))
	if !ok {
		if strings.HasPrefix(header, string(text)) {
			return nil, false // it was just being made
		}
		damage, rest = append(damage, fmt.Errorf("the first line is not %q", strings.TrimSpace(header))), text
	}
	for n := 2; len(rest) > 0; n++ {
		line, after, ended := bytes.Cut(rest, []byte("\n"))
		if !ended {
			return damage, false
		}
		r, err := decodeLine(line)
		if err != nil {
			damage = append(damage, fmt.Errorf("line %d: %w", n, err))
		} else {
			tell(r)
		}
		rest = after
	}
	return damage, len(damage) == 0
}

func decodeLine(line []byte) (record, error) {
	sum, body, _ := bytes.Cut(line, []byte(" "))
	if string(sum) != fmt.Sprintf("%08x", checksum(body)) {
		return record{}, errors.New("the checksum is wrong")
	}
	var r record
	if err := json.Unmarshal(body, &r); err != nil {
		return record{}, err
	}
	if r.Add == nil && r.Remove == nil && !r.Free.IsValid() {
		return record{}, errors.New("it says nothing")
	}
	return r, nil
}
