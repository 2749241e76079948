package persist

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// value is a JSON value that forgets nothing: members keep their order and may
// occur twice, numbers and strings keep the way they are written.
type value struct {
	kind    kind
	scalar  string   // as it is written
	members []member // of an object, or the items of a list, without keys
}

type kind uint8

const (
	scalarKind kind = iota
	objectKind
	listKind
)

// member of an object. raw is the key as it is written.
type member struct {
	key, raw string
	value    value
}

// maxDepth of the file: tables, rows, fields and lists are four.
const maxDepth = 64

// parse reads a JSON text.
func parse(text []byte) (value, error) {
	if !utf8.Valid(text) {
		return value{}, errors.New("it is not UTF-8")
	}
	// A decoder says where a fault is; after it the reader may trust the text.
	var sound json.RawMessage
	if err := json.Unmarshal(text, &sound); err != nil {
		return value{}, describe(text, err)
	}
	r := reader{text: string(text)}
	return r.value(0)
}

// describe adds the line to a syntax error.
func describe(text []byte, err error) error {
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) && int(syntax.Offset) <= len(text) {
		return fmt.Errorf("line %d: %w", 1+strings.Count(string(text[:syntax.Offset]), "\n"), err)
	}
	return err
}

// reader goes through a text that is known to be JSON.
type reader struct {
	text string
	at   int
}

func (r *reader) value(depth int) (value, error) {
	if depth > maxDepth {
		return value{}, fmt.Errorf("it is nested more than %d deep", maxDepth)
	}
	switch r.peek() {
	case '{':
		return r.object(depth)
	case '[':
		return r.list(depth)
	}
	return value{scalar: r.scalar()}, nil
}

// peek is the next character that is not white space.
func (r *reader) peek() byte {
	for strings.IndexByte(" \t\r\n", r.text[r.at]) >= 0 {
		r.at++
	}
	return r.text[r.at]
}

func (r *reader) object(depth int) (value, error) {
	v := value{kind: objectKind}
	for r.next('}') {
		r.peek()
		raw := r.scalar()
		key := unquote(raw)
		r.peek()
		r.at++ // the colon
		item, err := r.value(depth + 1)
		if err != nil {
			return v, err
		}
		v.members = append(v.members, member{key, raw, item})
	}
	return v, nil
}

func (r *reader) list(depth int) (value, error) {
	v := value{kind: listKind}
	for r.next(']') {
		item, err := r.value(depth + 1)
		if err != nil {
			return v, err
		}
		v.members = append(v.members, member{value: item})
	}
	return v, nil
}

// next passes an opening bracket or a comma and reports true, or passes the end.
func (r *reader) next(end byte) bool {
	if c := r.peek(); c == end {
		r.at++
		return false
	}
	r.at++
	if r.peek() == end { // an empty object or list
		r.at++
		return false
	}
	return true
}

// scalar passes a string, a number, true, false or null.
func (r *reader) scalar() string {
	start := r.at
	if r.text[r.at] == '"' {
		for r.at++; r.text[r.at] != '"'; r.at++ {
			if r.text[r.at] == '\\' {
				r.at++
			}
		}
		r.at++
		return r.text[start:r.at]
	}
	for r.at < len(r.text) && strings.IndexByte(" \t\r\n,]}", r.text[r.at]) < 0 {
		r.at++
	}
	return r.text[start:r.at]
}

// encode writes the text as `config save` does, that is, sonic-cfggen
// --print-data: Python's json.dumps with an indent of 4.
func (v value) encode() []byte { return append(v.append(nil, "\n"), '\n') }

func (v value) append(text []byte, newline string) []byte {
	deeper := newline + "    "
	switch {
	case v.kind == objectKind && len(v.members) > 0:
		for i, m := range v.members {
			text = append(append(text, "{,"[min(i, 1)]), deeper...)
			text = m.value.append(append(append(text, m.raw...), ": "...), deeper)
		}
		return append(append(text, newline...), '}')
	case v.kind == objectKind:
		return append(text, "{}"...)
	case v.kind == listKind && len(v.members) > 0:
		for i, m := range v.members {
			text = append(append(text, "[,"[min(i, 1)]), deeper...)
			text = m.value.append(text, deeper)
		}
		return append(append(text, newline...), ']')
	case v.kind == listKind:
		return append(text, "[]"...)
	}
	return append(text, v.scalar...)
}

// unquote is what a scalar says. One that is no string is taken as it is written,
// as SONiC does when it writes it to Redis.
func unquote(raw string) string {
	if raw[0] != '"' {
		return raw
	}
	if strings.IndexByte(raw, '\\') < 0 {
		return raw[1 : len(raw)-1] // nearly all, and without a copy
	}
	var s string
	_ = json.Unmarshal([]byte(raw), &s) // it was checked with the whole text
	return s
}

// quote is a string as Python writes it: ASCII only.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, c := range s {
		switch {
		case c == '"' || c == '\\':
			b.WriteString(`\` + string(c))
		case strings.ContainsRune("\b\f\n\r\t", c):
			b.WriteString(`\` + string("bfnrt"[strings.IndexRune("\b\f\n\r\t", c)]))
		case c >= 0x10000:
			fmt.Fprintf(&b, `\u%04x\u%04x`, 0xd800+(c-0x10000)>>10, 0xdc00+(c-0x10000)&0x3ff)
		case c < ' ' || c > '~':
			fmt.Fprintf(&b, `\u%04x`, c)
		default:
			b.WriteRune(c)
		}
	}
	return b.String() + `"`
}
