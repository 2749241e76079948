package datatype_test

import (
	"testing"

	"github.com/switchlet/switchlet/sonic/yang/datatype"
	"github.com/switchlet/switchlet/sonic/yang/xsd"
)

func ranges(t testing.TB, text string, typ datatype.Type) *datatype.Ranges {
	t.Helper()
	r, err := datatype.ParseRanges(text, &typ)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func lengths(t testing.TB, text string) *datatype.Ranges {
	t.Helper()
	r, err := datatype.ParseLengths(text, &datatype.Type{Base: datatype.String})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func pattern(t testing.TB, text, message string, invert bool) []*datatype.Pattern {
	t.Helper()
	source, err := xsd.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return []*datatype.Pattern{{Source: source, Message: message, Invert: invert}}
}

func TestCheck(t *testing.T) {
	uint8T := datatype.Type{Base: datatype.Uint, Size: 8}
	int16T := datatype.Type{Base: datatype.Int, Size: 16}
	uint64T := datatype.Type{Base: datatype.Uint, Size: 64}
	decimal := datatype.Type{Base: datatype.Decimal64, Digits: 2}
	vlan := datatype.Type{Base: datatype.Uint, Size: 16}
	vlan.Ranges = ranges(t, "2 .. 4094", vlan)
	negative := int16T
	negative.Ranges = ranges(t, "min..-5|7|10..max", int16T)
	mode := datatype.Type{Base: datatype.Enumeration, Names: []datatype.Name{{Name: "tagged"}, {Name: "untagged", Number: 1}}}
	flags := datatype.Type{Base: datatype.Bits, Names: []datatype.Name{{Name: "SYN"}, {Name: "ACK", Number: 1}}}
	either := datatype.Type{Base: datatype.Union, Members: []*datatype.Type{&vlan, &mode}}
	text := func(typ datatype.Type) datatype.Type { typ.Base = datatype.String; return typ }
	for _, test := range []struct {
		name, value string
		typ         datatype.Type
		want, fault string // canonical form, or what is wrong
	}{
		{"a number", "255", uint8T, "255", ""},
		{"leading zeros and a sign", "+007", uint8T, "7", ""},
		{"blanks around", " 7 ", uint8T, "7", ""},
		{"too large for its bits", "256", uint8T, "", `"256" is not in 0..255`},
		{"negative and unsigned", "-1", uint8T, "", `"-1" is no number`},
		{"minus zero", "-0", uint8T, "0", ""},
		{"no number", "7a", uint8T, "", `"7a" is no number`},
		{"nothing", "", uint8T, "", `"" is no number`},
		{"the largest", "18446744073709551615", uint64T, "18446744073709551615", ""},
		{"larger than the largest", "18446744073709551616", uint64T, "", `"18446744073709551616" is too large a number`},
		{"the smallest", "-32768", int16T, "-32768", ""},
		{"smaller than the smallest", "-32769", int16T, "", `"-32769" is not in -32768..32767`},
		{"in the range", "2", vlan, "2", ""},
		{"out of the range", "4095", vlan, "", `"4095" is not in 2 .. 4094`},
		{"min", "-32768", negative, "-32768", ""},
		{"between ranges", "8", negative, "", `"8" is not in min..-5|7|10..max`},
		{"a decimal", "1.5", decimal, "1.5", ""},
		{"a whole decimal", "-10", decimal, "-10.0", ""},
		{"zeros behind the point", "1.500", decimal, "1.5", ""},
		{"too many digits", "1.234", decimal, "", `"1.234" has more than 2 digits behind the point`},
		{"a point at the end", "1.", decimal, "", `"1." is no number`},
		{"true", "true", datatype.Type{Base: datatype.Boolean}, "true", ""},
		{"True", "True", datatype.Type{Base: datatype.Boolean}, "", `"True" is not true or false`},
		{"an enum", "tagged", mode, "tagged", ""},
		{"no enum", "Tagged", mode, "", `"Tagged" is not one of tagged, untagged`},
		{"bits", "ACK SYN", flags, "SYN ACK", ""},
		{"a bit twice", "SYN SYN", flags, "", `"SYN SYN" is not made of SYN, ACK, each at most once`},
		{"empty", "", datatype.Type{Base: datatype.Empty}, "", ""},
		{"base64", "YWI=", datatype.Type{Base: datatype.Binary}, "YWI=", ""},
		{"no base64", "?", datatype.Type{Base: datatype.Binary}, "", `"?" is not base64`},
		{"an identity", "x:idref", datatype.Type{Base: datatype.IdentityRef, Names: []datatype.Name{{Name: "idref"}}}, "idref", ""},
		{"characters, not bytes", "éé", text(datatype.Type{Lengths: lengths(t, "1..2")}), "éé", ""},
		{"too long", "abc", text(datatype.Type{Lengths: lengths(t, "1..2")}), "", `"abc" has 3 characters, not 1..2`},
		{"a control character", "a\x01", text(datatype.Type{}), "", `"a\x01" has the character '\x01' in it`},
		{"a pattern", "Vlan1", text(datatype.Type{Patterns: pattern(t, "Vlan[0-9]+", "", false)}), "Vlan1", ""},
		{"no match, in the model's words", "x", text(datatype.Type{Patterns: pattern(t, "Vlan[0-9]+", "Invalid VLAN", false)}), "", `"x" does not match Vlan[0-9]+: Invalid VLAN`},
		{"a pattern that must not match", "xml", text(datatype.Type{Patterns: pattern(t, "xml", "", true)}), "", `"xml" does not match xml`},
		{"IPv6", "2001:DB8:0::1", text(datatype.Type{Form: datatype.IPv6}), "2001:db8::1", ""},
		{"IPv6 with a zone", "FE80::1%eth0", text(datatype.Type{Form: datatype.IPv6}), "fe80::1%eth0", ""},
		{"IPv4 is no IPv6", "10.0.0.1", text(datatype.Type{Form: datatype.IPv6}), "", `"10.0.0.1" is no address`},
		{"a prefix loses its host bits", "10.1.2.3/24", text(datatype.Type{Form: datatype.IPv4Prefix}), "10.1.2.0/24", ""},
		{"an IPv6 prefix", "FC00::1/64", text(datatype.Type{Form: datatype.IPv6Prefix}), "fc00::/64", ""},
		{"a MAC address", "00:AA:BB:CC:DD:EE", text(datatype.Type{Form: datatype.Lower}), "00:aa:bb:cc:dd:ee", ""},
		{"the first member of a union", "0007", either, "7", ""},
		{"the second member of a union", "tagged", either, "tagged", ""},
		{"no member of a union", "x", either, "", `"x" is no number; "x" is not one of tagged, untagged`},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := test.typ.Check(test.value, false, nil)
			fault := ""
			if err != nil {
				fault = err.Text
			}
			if got != test.want || fault != test.fault {
				t.Errorf("Check(%q) = %q, %q, want %q, %q", test.value, got, fault, test.want, test.fault)
			}
			if err == nil && test.typ.Canonical(test.value, false) != got {
				t.Errorf("Canonical(%q) = %q, want %q", test.value, test.typ.Canonical(test.value, false), got)
			}
		})
	}
}

// Numbers that come as text may be hexadecimal and octal, as for libyang.
func TestNumbersAsText(t *testing.T) {
	typ := datatype.Type{Base: datatype.Uint, Size: 16}
	for value, want := range map[string]string{"0x10": "16", "010": "8", "10": "10"} {
		if got, err := typ.Check(value, true, nil); err != nil || got != want {
			t.Errorf("Check(%q) = %q, %v, want %q", value, got, err, want)
		}
	}
	for _, value := range []string{"0b1", "1_0", "08"} {
		if got, err := typ.Check(value, true, nil); err == nil {
			t.Errorf("Check(%q) = %q, want an error", value, got)
		}
	}
}

// What Python's int takes, as documented with int() and in PEP 515.
func TestPythonInt(t *testing.T) {
	for _, test := range []struct{ value, want string }{
		{"7", "7"}, {"007", "7"}, {" +7\n", "7"}, {"-7", "-7"}, {"1_000", "1000"}, {"0", "0"}, {"-0", "0"},
	} {
		if got, ok := datatype.PythonInt(test.value); !ok || got != test.want {
			t.Errorf("PythonInt(%q) = %q, %v, want %q", test.value, got, ok, test.want)
		}
	}
	for _, value := range []string{"", "+", "_1", "1_", "1__0", "0x10", "1.0", "a"} {
		if got, ok := datatype.PythonInt(value); ok {
			t.Errorf("PythonInt(%q) = %q, want none", value, got)
		}
	}
}

func TestRangesErrors(t *testing.T) {
	if _, err := datatype.ParseRanges("1..x", &datatype.Type{Base: datatype.Uint, Size: 8}); err == nil {
		t.Error("no error for a range up to x")
	}
	if _, err := datatype.ParseLengths("-1..2", &datatype.Type{Base: datatype.String}); err == nil {
		t.Error("no error for a length from -1")
	}
}

// A value in canonical form is of its type and stays as it is.
func FuzzCanonical(f *testing.F) {
	types := []datatype.Type{
		{Base: datatype.Uint, Size: 8}, {Base: datatype.Int, Size: 64}, {Base: datatype.Decimal64, Digits: 2},
		{Base: datatype.String, Form: datatype.IPv6}, {Base: datatype.String, Form: datatype.IPv4Prefix}, {Base: datatype.String, Form: datatype.Lower},
	}
	for _, value := range []string{"7", "-007", "1.50", "fe80::1%eth0", "10.0.0.1/8", "::ffff:1.2.3.4", "00:AA"} {
		f.Add(value)
	}
	f.Fuzz(func(t *testing.T, value string) {
		for _, typ := range types {
			once, err := typ.Check(value, false, nil)
			if err != nil {
				continue
			}
			twice, err := typ.Check(once, false, nil)
			if err != nil || twice != once {
				t.Errorf("type %d: %q becomes %q, which becomes %q, %v", typ.Base, value, once, twice, err)
			}
		}
	})
}
