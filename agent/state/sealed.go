package state

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
)

// seal is JSON behind a header, which has room for the checksum of what follows it.
func seal(header string, v any) ([]byte, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return append(fmt.Appendf(nil, header, checksum(text)), text...), nil
}

// unseal reads that. What is not what was sealed is errDamaged.
func unseal(header string, text []byte, into any) error {
	first, rest, _ := bytes.Cut(text, []byte("\n"))
	if string(first)+"\n" != fmt.Sprintf(header, checksum(rest)) {
		return fmt.Errorf("%w: the checksum is wrong", errDamaged)
	}
	if err := json.Unmarshal(rest, into); err != nil {
		return fmt.Errorf("%w: %w", errDamaged, err)
	}
	return nil
}

// take reads a file that may be missing. A damaged one is set aside, and lost says
// for people what that means.
func take(file, lost string, decode func([]byte) error) (notes []string, err error) {
	text, err := readFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil {
		err = decode(text)
	}
	if !errors.Is(err, errDamaged) {
		return nil, err
	}
	aside, asideErr := setAside(file)
	if asideErr != nil {
		return nil, asideErr
	}
	return []string{fmt.Sprintf("%s was unusable (%v) and is now %s; %s", file, err, aside, lost)}, nil
}
