package configdb

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/switchlet/switchlet/sonic"
)

// maxSize bounds a file; the config_db.json of a full switch has up to 10 MiB.
const maxSize = 64 << 20

// Decode reads a config_db.json.
//
//   - A list becomes the field of that name with "@" at its end, its elements
//     joined with commas, as in Redis.
//   - A number, true, false or null becomes the string that SONiC's loader, which
//     is written in Python, makes of it: 1, 1.5, True, False, None.
//   - Of two equal names in one object the last one counts, with all that it has.
//   - NULL is no field: it marks a row without fields.
//   - A table without rows leaves no trace.
//
// What is no JSON, or JSON of another shape, is an error; if only the shape is
// wrong it is a *ShapeError.
func Decode(r io.Reader) (sonic.DB, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxSize+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxSize {
		return nil, fmt.Errorf("more than %d bytes: this is no config_db.json", maxSize)
	}
	if !utf8.Valid(text) {
		return nil, errors.New("not JSON: the text is not UTF-8")
	}
	d := decoder{json: json.NewDecoder(bytes.NewReader(text))}
	d.json.UseNumber()
	tables, err := d.file()
	if err != nil {
		return nil, err
	}
	db := sonic.DB{}
	for table, rows := range tables {
		for name, fields := range rows {
			db[sonic.Key{Table: table, Name: name}] = sonic.NewFields(pairs(fields)...)
		}
	}
	return db, nil
}

// ShapeError is a place in a JSON text where something else is expected.
type ShapeError struct {
	Path []string // names of the objects on the way: table, key, field
	Want string
	Got  string
}

// Error names the place as a JSON path: $["VLAN"]["Vlan10"].
func (e *ShapeError) Error() string {
	path := "$"
	for _, name := range e.Path {
		path += fmt.Sprintf("[%q]", name)
	}
	return fmt.Sprintf("%s: expected %s, found %s", path, e.Want, e.Got)
}

// pairs are names and values for sonic.NewFields, which sorts them.
func pairs(fields map[string]string) []string {
	out := make([]string, 0, 2*len(fields))
	for name, value := range fields {
		out = append(out, name, value)
	}
	return out
}

// value is a field as Redis has it.
func (d *decoder) value(path []string, name string) (string, string, error) {
	token, err := d.token()
	if err != nil {
		return "", "", err
	}
	if token == json.Delim('[') {
		elements, err := d.elements(path)
		return name + "@", strings.Join(elements, ","), err
	}
	text, ok := scalar(token)
	if !ok {
		return "", "", &ShapeError{Path: path, Want: "a string or a list of strings", Got: describe(token)}
	}
	return name, text, nil
}

func (d *decoder) elements(path []string) ([]string, error) {
	var list []string
	for {
		token, err := d.token()
		if err != nil {
			return nil, err
		}
		if token == json.Delim(']') {
			return list, nil
		}
		text, ok := scalar(token)
		if !ok {
			return nil, &ShapeError{Path: path, Want: "a list of strings", Got: "a list with " + describe(token)}
		}
		list = append(list, text)
	}
}
