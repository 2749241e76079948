package protocol

// The plugin reads one member of its configuration, and writes a few strings.
// Package encoding/json, with what it stands on, would be a seventh of its time.

// AppendText adds a string of JSON (RFC 8259, section 7).
func AppendText(b []byte, s string) []byte {
	const digits = "0123456789abcdef"
	b = append(b, '"')
	for _, c := range s { // what is no UTF-8 is U+FFFD
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', byte(c))
		case c < ' ':
			b = append(b, '\\', 'u', '0', '0', digits[c>>4], digits[c&0xf])
		default:
			b = append(b, string(c)...)
		}
	}
	return append(b, '"')
}

// member is the string that a member of an object has, empty if there is none. It
// does not check that the text is JSON. Neither name nor string may have escapes.
func member(object []byte, name string) string {
	depth, last, found := 0, "", ""
	named := false // what comes is what the member called last has
	for i := 0; i < len(object); i++ {
		switch object[i] {
		case '{', '[':
			depth, named = depth+1, false
		case '}', ']':
			depth--
		case ',':
			named = false
		case ':':
			named = true
		case '"':
			begin := i + 1
			i = closing(object, begin)
			text := string(object[begin:min(i, len(object))])
			if depth == 1 && named && last == name {
				found = text
			}
			if !named {
				last = text
			}
		}
	}
	return found
}

// closing is where the quotation mark is that ends a string, or the end of the text.
func closing(text []byte, i int) int {
	for ; i < len(text) && text[i] != '"'; i++ {
		if text[i] == '\\' {
			i++
		}
	}
	return i
}
