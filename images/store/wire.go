package store

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
)

// fields calls see for each field of a message: text is that of strings and nested
// messages, number that of varints. What is of other types is passed over, as is
// what a newer containerd may add.
func fields(message []byte, see func(field protowire.Number, text []byte, number uint64) error) error {
	for len(message) > 0 {
		field, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return fmt.Errorf("message of containerd: %w", protowire.ParseError(n))
		}
		message = message[n:]
		var text []byte
		var number uint64
		switch kind {
		case protowire.BytesType:
			text, n = protowire.ConsumeBytes(message)
		case protowire.VarintType:
			number, n = protowire.ConsumeVarint(message)
		default:
			n = protowire.ConsumeFieldValue(field, kind, message)
		}
		if n < 0 {
			return fmt.Errorf("message of containerd, field %d: %w", field, protowire.ParseError(n))
		}
		message = message[n:]
		if err := see(field, text, number); err != nil {
			return err
		}
	}
	return nil
}

// nested is a message with one field, a string or a message.
func nested(field protowire.Number, content []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(nil, field, protowire.BytesType), content)
}
