package yang

import (
	"cmp"
	"slices"
	"strings"

	"github.com/switchlet/switchlet/sonic"
)

// Rule is the kind of thing that a violation violates.
type Rule uint8

// The rules. Mandatory to DuplicateKey are about nodes, the others about values.
const (
	_            Rule = iota
	Type              // the value is not of the type
	Range             // the number is too small or too large
	Length            // the string is too short or too long
	Pattern           // the string does not match a pattern
	Enum              // the value is none of those that there are
	LeafRef           // the value refers to something that is not there
	Mandatory         // something that has to be there is missing
	Must              // a must does not hold
	When              // something is there although its when does not hold
	MinElements       // too few rows or values
	MaxElements       // too many rows or values
	Unique            // two rows have the same values where each needs its own
	DuplicateKey      // two rows are the same row, differently written
	Choice            // fields exclude each other
	UnknownField      // the models do not know the field
	UnknownKey        // the models know no row of that form in the table
)

// String is the rule's name.
func (r Rule) String() string {
	names := [...]string{
		"", "Type", "Range", "Length", "Pattern", "Enum", "LeafRef", "Mandatory", "Must", "When", "MinElements",
		"MaxElements", "Unique", "DuplicateKey", "Choice", "UnknownField", "UnknownKey",
	}
	if int(r) >= len(names) {
		return "Rule"
	}
	return names[r]
}

// MarshalText is the rule's name.
func (r Rule) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// Violation is something in CONFIG_DB that the models do not allow.
type Violation struct {
	// Key of the row. Its Name is empty if the table as a whole is concerned.
	Key sonic.Key
	// Field that is wrong or missing; empty if the row as a whole is concerned.
	// It may be a part of the key, under the name that the model has for it.
	Field string
	Rule  Rule
	// Value that is wrong, as it is in CONFIG_DB.
	Value string
	// Message says what is wrong in a sentence.
	Message string
	// Others are other rows that take part, as far as that is known, in rising
	// order and at most maxOthers of them.
	Others []sonic.Key
}

const maxOthers = 8

// String is the violation on one line:
//
//	VLAN|Vlan4095 vlanid: Range: "4095" is not in 2..4094
func (v Violation) String() string {
	var b strings.Builder
	b.WriteString(v.Key.Table)
	if v.Key.Name != "" {
		b.WriteString(sonic.Separator + v.Key.Name)
	}
	if v.Field != "" {
		b.WriteString(" " + v.Field)
	}
	b.WriteString(": " + v.Rule.String() + ": " + v.Message)
	for i, other := range v.Others {
		if i == 0 {
			b.WriteString("; with ")
		} else {
			b.WriteString(", ")
		}
		b.WriteString(other.String())
	}
	return oneLine(b.String())
}

// oneLine writes what would end a line as Go does in strings.
func oneLine(s string) string {
	return strings.NewReplacer("\n", `\n`, "\r", `\r`).Replace(s)
}

// compare orders violations by row, field, rule and message.
func (v Violation) compare(other Violation) int {
	return cmp.Or(
		v.Key.Compare(other.Key),
		strings.Compare(v.Field, other.Field),
		cmp.Compare(v.Rule, other.Rule),
		strings.Compare(v.Value, other.Value),
		strings.Compare(v.Message, other.Message),
		slices.CompareFunc(v.Others, other.Others, sonic.Key.Compare),
	)
}

// sorted sorts violations and drops those that say the same.
func sorted(list []Violation) []Violation {
	slices.SortFunc(list, Violation.compare)
	return slices.CompactFunc(list, func(a, b Violation) bool { return a.compare(b) == 0 })
}
