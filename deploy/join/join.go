// Package join is the script that makes a SONiC switch a node of a cluster. Its
// parts are the files of script, in the order of their names; on a switch it is one
// file, since that is what people copy and what ZTP downloads.
package join

import (
	"bytes"
	"embed"
	"fmt"
)

//go:embed script
var parts embed.FS

// Script is join.sh.
func Script() ([]byte, error) {
	entries, err := parts.ReadDir("script") // sorted by name
	if err != nil {
		return nil, fmt.Errorf("script of the join: %w", err)
	}
	var whole bytes.Buffer
	for _, entry := range entries {
		part, err := parts.ReadFile("script/" + entry.Name())
		if err != nil {
			return nil, fmt.Errorf("script of the join: %w", err)
		}
		whole.Write(part)
	}
	return whole.Bytes(), nil
}
