package configdb

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

// decoder reads a text token by token: the order and repetition of names counts,
// which a map would not show.
type decoder struct{ json *json.Decoder }

func (d *decoder) token() (json.Token, error) {
	token, err := d.json.Token()
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, fmt.Errorf("not JSON: after byte %d: %w", d.json.InputOffset(), err)
	}
	return token, nil
}

// file is the whole text: table → key → field → value.
func (d *decoder) file() (map[string]map[string]map[string]string, error) {
	tables := map[string]map[string]map[string]string{}
	err := d.object(nil, "an object of tables", func(path []string, table string) error {
		rows := map[string]map[string]string{}
		tables[table] = rows
		return d.object(path, "an object of rows", func(path []string, key string) error {
			fields := map[string]string{}
			rows[key] = fields
			return d.object(path, "an object of fields", func(path []string, field string) error {
				name, value, err := d.value(path, field)
				delete(fields, field)
				delete(fields, field+"@")
				fields[name] = value
				return err
			})
		})
	})
	if err != nil {
		return nil, err
	}
	if _, err := d.json.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("not JSON: after byte %d: there is more after the end", d.json.InputOffset())
	}
	return tables, nil
}

// object reads an object and calls member before each of its values.
func (d *decoder) object(path []string, want string, member func(path []string, name string) error) error {
	token, err := d.token()
	if err != nil {
		return err
	}
	if token != json.Delim('{') {
		return &ShapeError{Path: path, Want: want, Got: describe(token)}
	}
	for {
		token, err := d.token()
		if err != nil {
			return err
		}
		name, ok := token.(string)
		if !ok {
			return nil // the decoder lets nothing but the closing brace through
		}
		if err := member(append(path[:len(path):len(path)], name), name); err != nil {
			return err
		}
	}
}

// scalar is what Python's str makes of a value that is no list and no object.
func scalar(token json.Token) (string, bool) {
	switch v := token.(type) {
	case string:
		return v, true
	case bool:
		if v {
			return "True", true
		}
		return "False", true
	case nil:
		return "None", true
	case json.Number:
		return number(v.String()), true
	}
	return "", false
}

// number is what Python's str makes of a JSON number.
func number(text string) string {
	if !strings.ContainsAny(text, ".eE") {
		if text == "-0" {
			return "0"
		}
		return text
	}
	f, err := strconv.ParseFloat(text, 64)
	switch {
	case math.IsInf(f, 1):
		return "inf"
	case math.IsInf(f, -1):
		return "-inf"
	case err != nil:
		return text
	}
	// repr(float) is short: up to 16 digits before the point without exponent.
	if a := math.Abs(f); a != 0 && (a < 1e-4 || a >= 1e16) {
		return strconv.FormatFloat(f, 'e', -1, 64)
	}
	out := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(out, ".") {
		out += ".0"
	}
	return out
}

// describe names what stands in a wrong place.
func describe(token json.Token) string {
	switch v := token.(type) {
	case json.Delim:
		if v == '[' {
			return "a list"
		}
		return "an object"
	case string:
		return fmt.Sprintf("the string %q", v)
	}
	text, _ := scalar(token)
	return text
}
