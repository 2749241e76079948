package datatype

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// errFraction is that a number has more digits behind the point than its type.
var errFraction = errors.New("too many digits behind the point")

// parseNumber reads a number, in the order of span. With base 0 it may be
// hexadecimal or octal, as libyang has it for numbers that come as strings.
func (t *Type) parseNumber(s string, base int) (uint64, error) {
	s = strings.Trim(s, " \t\n\r\f\v")
	if t.Base == Decimal64 {
		n, err := parseDecimal(s, t.Digits)
		return order(n), err
	}
	if base == 0 && strings.ContainsAny(s, "_bBoO") && !strings.ContainsAny(s, "xX") {
		return 0, fmt.Errorf("%q is no number", s) // Go's own ways to write numbers
	}
	if t.Base == Uint {
		n, err := strconv.ParseUint(strings.TrimPrefix(s, "+"), base, 64)
		if zero := strings.TrimLeft(s, "-0"); err != nil && zero == "" && s != "" && s != "-" {
			return 0, nil // -0
		}
		return n, numberError(s, err)
	}
	n, err := strconv.ParseInt(s, base, 64)
	return order(n), numberError(s, err)
}

func numberError(s string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, strconv.ErrRange):
		return err
	}
	return fmt.Errorf("%q is no number", s)
}

// PythonInt is what Python's int(s, 10) reads: sonic_yang passes the values of
// unsigned numbers through it. Digits may be grouped with underscores.
func PythonInt(s string) (string, bool) {
	s = strings.TrimSpace(s)
	sign, digits := "", s
	if s != "" && (s[0] == '+' || s[0] == '-') {
		sign, digits = strings.TrimPrefix(s[:1], "+"), s[1:]
	}
	if digits == "" || strings.HasPrefix(digits, "_") || strings.HasSuffix(digits, "_") || strings.Contains(digits, "__") {
		return "", false
	}
	if strings.Trim(digits, "0123456789_") != "" {
		return "", false
	}
	digits = strings.TrimLeft(strings.ReplaceAll(digits, "_", ""), "0")
	if digits == "" {
		return "0", true
	}
	return sign + digits, true
}

// parseDecimal reads a decimal64 (RFC 7950, 9.3) as a number of its last digit.
func parseDecimal(s string, digits int) (int64, error) {
	whole, fraction, point := strings.Cut(s, ".")
	fraction = strings.TrimRight(fraction, "0")
	unsigned := strings.TrimLeft(whole, "+-")
	if len(whole)-len(unsigned) > 1 || unsigned == "" || strings.Trim(unsigned+fraction, "0123456789") != "" || point && strings.HasSuffix(s, ".") {
		return 0, fmt.Errorf("%q is no decimal number", s)
	}
	if len(fraction) > digits {
		return 0, errFraction
	}
	n, err := strconv.ParseInt(whole+fraction+strings.Repeat("0", digits-len(fraction)), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%q: %w", s, strconv.ErrRange)
	}
	return n, nil
}

// formatNumber is the canonical form of a number.
func (t *Type) formatNumber(n uint64) string {
	switch t.Base {
	case Uint:
		return strconv.FormatUint(n, 10)
	case Int:
		return strconv.FormatInt(int64(n^1<<63), 10)
	default:
		return formatDecimal(int64(n^1<<63), t.Digits)
	}
}

func formatDecimal(n int64, digits int) string {
	sign := ""
	magnitude := uint64(n)
	if n < 0 {
		sign, magnitude = "-", uint64(-(n+1))+1
	}
	unit := uint64(math.Pow10(digits))
	fraction := fmt.Sprintf("%0*d", digits, magnitude%unit)
	if fraction = strings.TrimRight(fraction, "0"); fraction == "" {
		fraction = "0"
	}
	return sign + strconv.FormatUint(magnitude/unit, 10) + "." + fraction
}
