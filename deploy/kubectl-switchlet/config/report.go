package config

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/switchlet/switchlet/sonic/yang"
)

// report is what is said of a file.
type report struct {
	File       string      `json:"file"`
	Valid      bool        `json:"valid"`
	Violations []violation `json:"violations"`
	// Unmodelled are the tables that are not checked.
	Unmodelled []string `json:"unmodelled"`
}

// violation is a yang.Violation in JSON.
type violation struct {
	Table   string    `json:"table"`
	Key     string    `json:"key"`
	Field   string    `json:"field"`
	Rule    yang.Rule `json:"rule"`
	Value   string    `json:"value"`
	Message string    `json:"message"`
	Others  []string  `json:"others,omitempty"` // TABLE|KEY
	text    string
}

func newReport(file string, violations []yang.Violation, unmodelled []string) report {
	r := report{File: file, Valid: len(violations) == 0, Violations: []violation{}, Unmodelled: unmodelled}
	if unmodelled == nil {
		r.Unmodelled = []string{}
	}
	for _, v := range violations {
		out := violation{v.Key.Table, v.Key.Name, v.Field, v.Rule, v.Value, v.Message, nil, v.String()}
		for _, other := range v.Others {
			out.Others = append(out.Others, other.String())
		}
		r.Violations = append(r.Violations, out)
	}
	return r
}

// print writes a line for each violation.
func (r report) print(w io.Writer) error {
	for _, v := range r.Violations {
		if _, err := fmt.Fprintf(w, "%s: %s\n", r.File, v.text); err != nil {
			return err
		}
	}
	return nil
}

func printJSON(w io.Writer, reports []report) error {
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false)
	out.SetIndent("", "  ")
	return out.Encode(struct {
		Files []report `json:"files"`
	}{reports})
}
