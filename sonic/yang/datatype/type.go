package datatype

import (
	"regexp"
	"sync"

	"github.com/switchlet/switchlet/sonic/yang/xsd"
)

// Base is a built-in type of YANG.
type Base uint8

// The built-in types that values of CONFIG_DB can have.
const (
	_ Base = iota
	Binary
	Bits
	Boolean
	Decimal64
	Empty
	Enumeration
	IdentityRef
	InstanceID
	Int
	LeafRef
	String
	Uint
	Union
)

// Type is a type with all the restrictions that hold for it.
type Type struct {
	Base     Base
	Size     int        // bits of Int and Uint
	Digits   int        // fraction-digits of Decimal64
	Ranges   *Ranges    // of numbers, or nil
	Lengths  *Ranges    // of String and Binary, or nil
	Patterns []*Pattern // of String; all have to match
	Names    []Name     // of Enumeration, Bits and IdentityRef
	Members  []*Type    // of Union, in order
	Form     Form       // what libyang makes of a string beyond YANG
	Ref      any        // of LeafRef: where it leads; the caller's
	Target   *Type      // of LeafRef: the type of what it refers to
	// JSONNumber is set for the types that sonic_yang turns into numbers before
	// libyang sees them.
	JSONNumber bool
}

// Name is a value that a type has by name.
type Name struct {
	Name   string
	Number int64
	// Bases are the identities that an identity is derived from.
	Bases []string
}

// Form is the canonical form that libyang has for some types of RFC 6991.
type Form uint8

// The forms.
const (
	AsIs Form = iota
	Lower
	IPv4
	IPv6
	IPv4Prefix
	IPv6Prefix
)

// Pattern is a pattern of a type. It is compiled when it is first needed.
type Pattern struct {
	Source  *xsd.Pattern
	Invert  bool // modifier invert-match
	Message string
	once    sync.Once
	regexp  *regexp.Regexp
}

// match reports whether a value is as the pattern demands.
func (p *Pattern) match(value string) bool {
	p.once.Do(func() { p.regexp, _ = p.Source.Compile() })
	return p.regexp == nil || p.regexp.MatchString(value) != p.Invert
}

// Plain reports whether values have only one form, the one that they are written
// in: a string that is not an address.
func (t *Type) Plain() bool {
	switch t.Base {
	case String:
		return t.Form == AsIs
	case Enumeration, Boolean:
		return true
	case LeafRef:
		return t.Target == nil || t.Target.Plain()
	case Union:
		for _, m := range t.Members {
			if !m.Plain() {
				return false
			}
		}
		return true
	default:
		return false
	}
}

// HasRef reports whether a type is a leafref or a union with one in it.
func (t *Type) HasRef() bool {
	if t.Base == LeafRef {
		return true
	}
	for _, m := range t.Members {
		if m.HasRef() {
			return true
		}
	}
	return false
}
