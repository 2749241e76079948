package daemons

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Counts are numbers of rows by database and by table or, in ASIC_DB, by the
// kind of object.
type Counts map[string]map[string]int

// Since is what the daemons have that they had not before, or had differently.
func (r Report) Since(before Report) Counts {
	counts := Counts{}
	for _, line := range r.Rows {
		db, table := table(line)
		if table == "" || slices.Contains(before.Rows, line) {
			continue
		}
		if counts[db] == nil {
			counts[db] = map[string]int{}
		}
		counts[db][table]++
	}
	return counts
}

// String is one line for each database.
func (c Counts) String() string {
	var text strings.Builder
	for _, db := range []string{"STATE_DB", "APPL_DB", "ASIC_DB"} {
		if len(c[db]) == 0 {
			continue
		}
		text.WriteString(db)
		for i, table := range slices.Sorted(maps.Keys(c[db])) {
			if i > 0 {
				text.WriteByte(',')
			}
			fmt.Fprintf(&text, " %d %s", c[db][table], table)
		}
		text.WriteByte('\n')
	}
	return text.String()
}

// table is the database and table of a row's line; no table for what is pending.
func table(line string) (db, table string) {
	db, rest, _ := strings.Cut(line, " ")
	key, _, _ := strings.Cut(rest, " ")
	switch db {
	case "STATE_DB":
		table, _, _ = strings.Cut(key, "|")
	case "APPL_DB":
		table, _, _ = strings.Cut(key, ":")
	case "ASIC_DB":
		table, _, _ = strings.Cut(strings.TrimPrefix(key, "ASIC_STATE:SAI_OBJECT_TYPE_"), ":")
	}
	return db, table
}

// Verdict says how many mistakes and errors there were, and which.
func (r Report) Verdict() string {
	text := fmt.Sprintf("%d mistakes, %d errors logged", len(r.Mistakes), len(r.Errors))
	for _, line := range slices.Concat(r.Mistakes, r.Errors) {
		text += "\n  " + line
	}
	return text
}

// Clean reports whether the daemons run and nobody made a mistake.
func (r Report) Clean() bool { return r.Running && len(r.Mistakes)+len(r.Errors) == 0 }
