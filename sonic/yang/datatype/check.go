package datatype

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Fault is what is wrong with a value.
type Fault uint8

// The faults.
const (
	_ Fault = iota
	NotOfType
	OutOfRange
	WrongLength
	PatternMismatch
	NotAnEnum
	NoTarget // a leafref that refers to nothing
)

// Error says why a value is not of a type.
type Error struct {
	Fault Fault
	Text  string
}

func (e *Error) Error() string { return e.Text }

func wrong(f Fault, format string, args ...any) *Error {
	return &Error{f, fmt.Sprintf(format, args...)}
}

// Resolver says of a leafref which canonical form a value has and whether the
// node that it refers to is there.
type Resolver func(t *Type, value string) (string, *Error)

// Check returns the canonical form of a value, or what is wrong with it. Text
// says whether it is given as text, where libyang reads numbers of any base.
func (t *Type) Check(value string, text bool, resolve Resolver) (string, *Error) {
	switch t.Base {
	case Int, Uint, Decimal64:
		return t.checkNumber(value, text)
	case String:
		return t.checkString(value)
	case Boolean:
		if value != "true" && value != "false" {
			return "", wrong(NotOfType, "%q is not true or false", value)
		}
	case Enumeration:
		if !slices.ContainsFunc(t.Names, func(n Name) bool { return n.Name == value }) {
			return "", wrong(NotAnEnum, "%q is not one of %s", value, t.someNames())
		}
	case IdentityRef:
		return t.checkIdentity(value)
	case Bits:
		return t.checkBits(value)
	case Binary:
		return t.checkBinary(value)
	case Empty:
		if value != "" {
			return "", wrong(NotOfType, "%q is not empty", value)
		}
	case InstanceID:
		if !strings.HasPrefix(value, "/") {
			return "", wrong(NotOfType, "%q is no instance identifier", value)
		}
	case LeafRef:
		return resolve(t, value)
	case Union:
		return t.checkUnion(value, resolve)
	}
	return value, nil
}

// checkUnion takes the first member that a value is of (RFC 7950, 9.12). To a
// union, values of all kinds come as text.
func (t *Type) checkUnion(value string, resolve Resolver) (string, *Error) {
	var errs []*Error
	for _, m := range t.Members {
		canonical, err := m.Check(value, true, resolve)
		if err == nil {
			return canonical, nil
		}
		errs = append(errs, err)
	}
	if len(errs) == 0 {
		return "", wrong(NotOfType, "%q is of no type of an empty union", value)
	}
	return "", &Error{commonFault(errs), texts(errs)}
}

// commonFault is the fault that all members find. A leafref without a target
// counts more than what keeps a value from being something else.
func commonFault(errs []*Error) Fault {
	if slices.ContainsFunc(errs, func(e *Error) bool { return e.Fault == NoTarget }) {
		return NoTarget
	}
	if slices.ContainsFunc(errs, func(e *Error) bool { return e.Fault != errs[0].Fault }) {
		return NotOfType
	}
	return errs[0].Fault
}

// texts says each thing once.
func texts(errs []*Error) string {
	var list []string
	for _, e := range errs {
		if !slices.Contains(list, e.Text) {
			list = append(list, e.Text)
		}
	}
	return strings.Join(list, "; ")
}

func (t *Type) checkNumber(value string, text bool) (string, *Error) {
	base := 10
	if text {
		base = 0
	}
	n, err := t.parseNumber(value, base)
	switch {
	case errors.Is(err, strconv.ErrRange):
		return "", wrong(OutOfRange, "%q is too large a number", value)
	case errors.Is(err, errFraction):
		return "", wrong(NotOfType, "%q has more than %d digits behind the point", value, t.Digits)
	case err != nil:
		return "", wrong(NotOfType, "%q is no number", value)
	}
	whole := Type{Base: t.Base, Size: t.Size}
	if l := whole.limits(); n < l.low || n > l.high {
		return "", wrong(OutOfRange, "%q is not in %s..%s", value, t.formatNumber(l.low), t.formatNumber(l.high))
	}
	if t.Ranges != nil && !t.Ranges.contain(n) {
		return "", wrong(OutOfRange, "%q is not in %s%s", value, t.Ranges, explain(t.Ranges.Message))
	}
	return t.formatNumber(n), nil
}

func (t *Type) checkString(value string) (string, *Error) {
	for _, r := range value {
		// The characters of YANG's strings, RFC 7950, 9.4.
		if r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == utf8.RuneError {
			return "", wrong(NotOfType, "%q has the character %q in it", value, r)
		}
	}
	if t.Lengths != nil && !t.Lengths.contain(uint64(utf8.RuneCountInString(value))) {
		return "", wrong(WrongLength, "%q has %d characters, not %s%s", value, utf8.RuneCountInString(value), t.Lengths, explain(t.Lengths.Message))
	}
	for _, p := range t.Patterns {
		if !p.match(value) {
			return "", wrong(PatternMismatch, "%q does not match %s%s", value, short(p.Source.String()), explain(p.Message))
		}
	}
	canonical, ok := t.Form.canonical(value)
	if !ok {
		return "", wrong(PatternMismatch, "%q is no address", value)
	}
	return canonical, nil
}

func (t *Type) checkBinary(value string) (string, *Error) {
	bytes, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(value, "\n", ""))
	if err != nil {
		return "", wrong(NotOfType, "%q is not base64", value)
	}
	if t.Lengths != nil && !t.Lengths.contain(uint64(len(bytes))) {
		return "", wrong(WrongLength, "%q has %d bytes, not %s%s", value, len(bytes), t.Lengths, explain(t.Lengths.Message))
	}
	return value, nil
}

func (t *Type) checkIdentity(value string) (string, *Error) {
	local := value[strings.IndexByte(value, ':')+1:]
	if !slices.ContainsFunc(t.Names, func(n Name) bool { return n.Name == local }) {
		return "", wrong(NotAnEnum, "%q is not one of %s", value, t.someNames())
	}
	return local, nil
}

func (t *Type) checkBits(value string) (string, *Error) {
	given := strings.Fields(value)
	var set []string
	for _, n := range t.Names {
		if slices.Contains(given, n.Name) {
			set = append(set, n.Name)
		}
	}
	if len(set) != len(given) {
		return "", wrong(NotOfType, "%q is not made of %s, each at most once", value, t.someNames())
	}
	return strings.Join(set, " "), nil
}

// someNames are the names that a type has, as far as they fit in a message.
func (t *Type) someNames() string {
	const fit = 12
	var list []string
	for i, n := range t.Names {
		if i == fit {
			list = append(list, fmt.Sprintf("… (%d)", len(t.Names)))
			break
		}
		list = append(list, n.Name)
	}
	return strings.Join(list, ", ")
}

// short is as much of a pattern as fits in a message.
func short(pattern string) string {
	const fit = 60
	if len(pattern) <= fit {
		return pattern
	}
	return strings.ToValidUTF8(pattern[:fit], "") + "…"
}

// explain is an error-message behind what is wrong.
func explain(message string) string {
	if message == "" {
		return ""
	}
	return ": " + message
}

// canonical brings a value into its form. It reports false if it is no value of
// that form, which the patterns of RFC 6991 let through in some cases.
func (f Form) canonical(value string) (string, bool) {
	switch f {
	case Lower:
		return strings.ToLower(value), true
	case IPv4, IPv6:
		address, zone, _ := strings.Cut(value, "%")
		a, err := netip.ParseAddr(address)
		if err != nil || a.Is4() != (f == IPv4) {
			return "", false
		}
		if zone != "" {
			return a.String() + "%" + zone, true
		}
		return a.String(), true
	case IPv4Prefix, IPv6Prefix:
		address, length, _ := strings.Cut(value, "/")
		a, err := netip.ParseAddr(address)
		bits, err2 := strconv.Atoi(length)
		if err != nil || err2 != nil || a.Is4() != (f == IPv4Prefix) || bits < 0 || bits > a.BitLen() {
			return "", false
		}
		return netip.PrefixFrom(a, bits).Masked().String(), true
	default:
		return value, true
	}
}

// Canonical is the canonical form of a value. What is not of the type stays as
// it is, and that the node that a leafref refers to is there is not looked at.
func (t *Type) Canonical(value string, text bool) string {
	if t.Plain() || (t.Base == Uint || t.Base == Int) && isPlainNumber(value) {
		return value
	}
	if t.Base == LeafRef {
		return t.Target.Canonical(value, text)
	}
	canonical, err := t.Check(value, text, func(t *Type, value string) (string, *Error) {
		if t.Target == nil {
			return value, nil
		}
		return t.Target.Canonical(value, text), nil
	})
	if err != nil {
		return value
	}
	return canonical
}

// isPlainNumber reports whether a number is in canonical form for sure.
func isPlainNumber(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' || s[i] == '0' && i == 0 && len(s) > 1 {
			return false
		}
	}
	return s != ""
}
