package xpath

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

type tokenKind uint8

const (
	_ tokenKind = iota
	end
	symbol // one of ( ) [ ] . .. @ , / // | :: *
	infix  // an operator
	nameToken
	literalToken
	numberToken
)

type token struct {
	kind  tokenKind
	text  string // name without prefix, literal without quotes
	op    operator
	value float64
	at    int
}

// lex splits a text into tokens (XPath 1.0, section 3.7). A name or * is an
// operator where an operand cannot stand.
func lex(text string) ([]token, error) {
	var tokens []token
	for at := 0; ; {
		for at < len(text) && strings.IndexByte(" \t\r\n", text[at]) >= 0 {
			at++
		}
		if at == len(text) {
			return append(tokens, token{kind: end, at: at}), nil
		}
		t, size, err := scan(text[at:], operandEnds(tokens))
		if err != nil {
			return nil, fmt.Errorf("at byte %d: %w", at, err)
		}
		t.at = at
		tokens = append(tokens, t)
		at += size
	}
}

// operandEnds reports whether what comes next has to be an operator if it can be.
func operandEnds(tokens []token) bool {
	if len(tokens) == 0 {
		return false
	}
	switch last := tokens[len(tokens)-1]; last.kind {
	case nameToken, literalToken, numberToken:
		return true
	case symbol:
		return last.text == ")" || last.text == "]" || last.text == "." || last.text == ".." || last.text == "*"
	default:
		return false
	}
}

func scan(rest string, operandBefore bool) (token, int, error) {
	c := rest[0]
	if operandBefore {
		if op, size := operatorAt(rest); size > 0 {
			return token{kind: infix, op: op, text: rest[:size]}, size, nil
		}
	}
	switch {
	case c == '"' || c == '\'':
		length := strings.IndexByte(rest[1:], c)
		if length < 0 {
			return token{}, 0, fmt.Errorf("a string without its end")
		}
		return token{kind: literalToken, text: rest[1 : 1+length]}, length + 2, nil
	case isDigit(c) || c == '.' && len(rest) > 1 && isDigit(rest[1]):
		return scanNumber(rest)
	case isNameStart(c):
		return scanName(rest)
	}
	for _, s := range []string{"..", "::", "//", ".", "(", ")", "[", "]", "@", ",", "/", "*", "-"} {
		if strings.HasPrefix(rest, s) {
			return token{kind: symbol, text: s}, len(s), nil
		}
	}
	r, _ := utf8.DecodeRuneInString(rest)
	return token{}, 0, fmt.Errorf("unexpected %q", r)
}

// operatorAt is the operator that a text starts with, and its length.
func operatorAt(rest string) (operator, int) {
	for _, o := range []struct {
		text string
		op   operator
	}{
		{"!=", unequal}, {"<=", lessEqual}, {">=", greaterEqual}, {"=", equal}, {"<", less}, {">", greater},
		{"+", plus}, {"-", minus}, {"*", times}, {"|", union},
		{"or", or}, {"and", and}, {"div", div}, {"mod", mod},
	} {
		if !strings.HasPrefix(rest, o.text) {
			continue
		}
		if isNameStart(o.text[0]) && len(rest) > len(o.text) && isNamePart(rest[len(o.text)]) {
			continue
		}
		return o.op, len(o.text)
	}
	return 0, 0
}

func scanNumber(rest string) (token, int, error) {
	size := 0
	for size < len(rest) && (isDigit(rest[size]) || rest[size] == '.') {
		size++
	}
	value, err := strconv.ParseFloat(rest[:size], 64)
	if err != nil {
		return token{}, 0, fmt.Errorf("%q is no number", rest[:size])
	}
	return token{kind: numberToken, value: value}, size, nil
}

// scanName reads a name and drops its prefix. A name followed by :: is an axis.
func scanName(rest string) (token, int, error) {
	size := nameLength(rest)
	if size < len(rest)-1 && rest[size] == ':' && rest[size+1] != ':' {
		local := rest[size+1:]
		if local[0] == '*' {
			return token{kind: symbol, text: "*"}, size + 2, nil
		}
		length := 0
		if isNameStart(local[0]) {
			length = nameLength(local)
		}
		if length == 0 {
			return token{}, 0, fmt.Errorf("no name after %q", rest[:size+1])
		}
		return token{kind: nameToken, text: local[:length]}, size + 1 + length, nil
	}
	return token{kind: nameToken, text: rest[:size]}, size, nil
}

func nameLength(s string) int {
	n := 0
	for n < len(s) && isNamePart(s[n]) {
		n++
	}
	return n
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// isNameStart and isNamePart are those of YANG's identifiers (RFC 7950, 6.2).
func isNameStart(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_'
}

func isNamePart(c byte) bool { return isNameStart(c) || isDigit(c) || c == '-' || c == '.' }
