package yang

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/openconfig/goyang/pkg/yang"

	"github.com/switchlet/switchlet/sonic/yang/datatype"
	"github.com/switchlet/switchlet/sonic/yang/xsd"
)

// maxTypes bounds how deep typedefs may be derived from each other.
const maxTypes = 32

// leaf compiles the type and the defaults of a leaf or leaf-list.
func (c *compiler) leaf(n *node, s *yang.Statement, at *scope) error {
	t := first(s, "type")
	if t == nil {
		return fmt.Errorf("it has no type")
	}
	typ, inherited, err := c.typeOf(n, t, at, 0)
	if err != nil {
		return fmt.Errorf("type %s: %w", t.Argument, err)
	}
	n.typ = typ
	for _, sub := range s.SubStatements() {
		if sub.Keyword == "default" {
			n.defaults = append(n.defaults, c.text(sub.Argument))
		}
	}
	if n.defaults == nil && inherited != nil && !n.mandatory && n.min == 0 {
		n.defaults = []string{*inherited}
	}
	return nil
}

// typeOf compiles a type statement, and finds the default that a typedef brings.
func (c *compiler) typeOf(n *node, s *yang.Statement, at *scope, depth int) (*datatype.Type, *string, error) {
	if depth > maxTypes {
		return nil, nil, fmt.Errorf("derived more than %d times", maxTypes)
	}
	var standard *string
	typ := builtin(s.Argument)
	if typ == nil {
		base, def, err := c.typedef(n, s.Argument, at, depth)
		if err != nil {
			return nil, nil, err
		}
		standard = def
		if !restricted(s) {
			return base, standard, nil
		}
		derived := *base
		typ = &derived
	}
	if err := c.restrict(n, typ, s, at, depth); err != nil {
		return nil, nil, err
	}
	typ.JSONNumber = typ.Base == datatype.Uint
	return typ, standard, nil
}

// typedef compiles a typedef. One that refers to nodes differs by where it is
// used; all others are compiled once.
func (c *compiler) typedef(n *node, name string, at *scope, depth int) (*datatype.Type, *string, error) {
	def, where := at.find("typedef", name)
	if def == nil {
		return nil, nil, fmt.Errorf("there is no such type")
	}
	base := first(def, "type")
	if base == nil {
		return nil, nil, fmt.Errorf("the typedef has no type")
	}
	typ, standard := c.types[def], (*string)(nil)
	var err error
	if typ == nil {
		typ, standard, err = c.typeOf(n, base, where, depth+1)
		if err != nil {
			return nil, nil, err
		}
		if form := formOf(where.module.name, def.Argument); form != datatype.AsIs {
			formed := *typ
			formed.Form = form
			typ = &formed
		}
		if !typ.HasRef() {
			c.types[def] = typ
		}
	}
	if d := first(def, "default"); d != nil {
		text := c.text(d.Argument)
		standard = &text
	}
	return typ, standard, nil
}

// formOf is the form that libyang gives the types of RFC 6991.
func formOf(module, typedef string) datatype.Form {
	switch module + ":" + typedef {
	case "ietf-inet-types:ipv4-address", "ietf-inet-types:ipv4-address-no-zone":
		return datatype.IPv4
	case "ietf-inet-types:ipv6-address", "ietf-inet-types:ipv6-address-no-zone":
		return datatype.IPv6
	case "ietf-inet-types:ipv4-prefix":
		return datatype.IPv4Prefix
	case "ietf-inet-types:ipv6-prefix":
		return datatype.IPv6Prefix
	case "ietf-yang-types:hex-string", "ietf-yang-types:mac-address", "ietf-yang-types:phys-address", "ietf-yang-types:uuid":
		return datatype.Lower
	}
	return datatype.AsIs
}

// builtin is a built-in type without restrictions, or nil.
func builtin(name string) *datatype.Type {
	switch name {
	case "int8", "int16", "int32", "int64":
		bits, _ := strconv.Atoi(name[3:])
		return &datatype.Type{Base: datatype.Int, Size: bits}
	case "uint8", "uint16", "uint32", "uint64":
		bits, _ := strconv.Atoi(name[4:])
		return &datatype.Type{Base: datatype.Uint, Size: bits}
	}
	bases := map[string]datatype.Base{
		"binary": datatype.Binary, "bits": datatype.Bits, "boolean": datatype.Boolean, "decimal64": datatype.Decimal64,
		"empty": datatype.Empty, "enumeration": datatype.Enumeration, "identityref": datatype.IdentityRef,
		"instance-identifier": datatype.InstanceID, "leafref": datatype.LeafRef, "string": datatype.String, "union": datatype.Union,
	}
	if base, ok := bases[name]; ok {
		return &datatype.Type{Base: base}
	}
	return nil
}

// restricted reports whether a type statement says more than a name.
func restricted(s *yang.Statement) bool {
	return slices.ContainsFunc(s.SubStatements(), func(sub *yang.Statement) bool {
		return sub.Keyword != "description" && sub.Keyword != "reference"
	})
}

// restrict puts what a type statement says beyond the name into a type.
func (c *compiler) restrict(n *node, t *datatype.Type, s *yang.Statement, at *scope, depth int) error {
	if digits := argument(s, "fraction-digits"); digits != "" {
		t.Digits, _ = strconv.Atoi(digits)
	}
	var names []datatype.Name
	for _, sub := range s.SubStatements() {
		var err error
		switch sub.Keyword {
		case "range":
			t.Ranges, err = datatype.ParseRanges(c.text(sub.Argument), t)
			if err == nil {
				t.Ranges.Message = c.text(argument(sub, "error-message"))
			}
		case "length":
			t.Lengths, err = datatype.ParseLengths(c.text(sub.Argument), t)
			if err == nil {
				t.Lengths.Message = c.text(argument(sub, "error-message"))
			}
		case "pattern":
			c.pattern(n, t, sub)
		case "enum", "bit":
			names = c.enum(names, sub)
		case "base":
			names = append(names, c.bases[local(sub.Argument)]...)
		case "path":
			err = c.leafref(n, t, s)
		case "type":
			var member *datatype.Type
			member, _, err = c.typeOf(n, sub, at, depth+1)
			t.Members = append(t.Members, member)
		}
		if err != nil {
			return err
		}
	}
	if names != nil {
		t.Names = names
	}
	return nil
}

// enum appends an enum or bit with its number, which is one more than the
// highest before if it is not given (RFC 7950, 9.6.4.2).
func (c *compiler) enum(names []datatype.Name, s *yang.Statement) []datatype.Name {
	number := int64(0)
	for _, n := range names {
		number = max(number, n.Number+1)
	}
	for _, keyword := range []string{"value", "position"} {
		if given, err := strconv.ParseInt(argument(s, keyword), 10, 64); err == nil {
			number = given
		}
	}
	return append(names, datatype.Name{Name: c.text(s.Argument), Number: number})
}

func (c *compiler) pattern(n *node, t *datatype.Type, s *yang.Statement) {
	invert := argument(s, "modifier") == "invert-match"
	message := c.text(argument(s, "error-message"))
	id := fmt.Sprint(s.Argument, "\x00", invert, message)
	p := c.patterns[id]
	if p == nil {
		source, err := xsd.Parse(c.text(s.Argument))
		if err != nil {
			c.unchecked("%s: %v", n.name, err)
			return
		}
		p = &datatype.Pattern{Source: source, Invert: invert, Message: message}
		c.patterns[id] = p
	}
	t.Patterns = append(slices.Clone(t.Patterns), p)
}
