package yang_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/switchlet/switchlet/sonic"
	"github.com/switchlet/switchlet/sonic/yang"
)

// Each file of testdata has models, rows as sonic.DB prints them (with _ for a
// blank), and the violations. Changes, if there are any, follow with what they
// lead to: a row that is to be, or - and the key of one that is to go.
func TestScenarios(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d scenarios, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			scenario(t, archive)
		})
	}
}

func scenario(t *testing.T, archive *txtar.Archive) {
	dir := t.TempDir()
	var c *yang.Checker
	var schema *yang.Schema
	var got string
	for _, f := range archive.Files {
		switch {
		case strings.HasSuffix(f.Name, ".yang"):
			if err := os.WriteFile(filepath.Join(dir, f.Name), f.Data, 0o600); err != nil {
				t.Fatal(err)
			}
		case f.Name == "unchecked":
			equalTexts(t, f.Name, f.Data, strings.ReplaceAll(strings.Join(schema.Unchecked(), "\n")+"\n", dir+"/", ""))
		case f.Name == "rows":
			var err error
			if schema, err = yang.Load(dir); err != nil {
				t.Fatal(err)
			}
			db := sonic.DB{}
			for _, change := range parse(t, f.Data) {
				db[change.Key] = change.Fields
			}
			c = yang.NewChecker(schema, db)
			got = lines(c.Violations())
		case f.Name == "changes":
			got = lines(c.Check(parse(t, f.Data)))
			c.Commit(parse(t, f.Data))
		default:
			equalTexts(t, f.Name, f.Data, got)
		}
	}
}

func equalTexts(t *testing.T, name string, want []byte, got string) {
	t.Helper()
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

func lines(violations []yang.Violation) string {
	var b strings.Builder
	for _, v := range violations {
		b.WriteString(v.String() + "\n")
	}
	return b.String()
}

func parse(t *testing.T, text []byte) []yang.Change {
	t.Helper()
	var out []yang.Change
	for line := range strings.Lines(string(text)) {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		gone := words[0] == "-"
		if gone {
			words = words[1:]
		}
		key, ok := sonic.ParseKey(strings.ReplaceAll(words[0], "_", " "))
		if !ok {
			t.Fatalf("%q is no row", line)
		}
		key.Table = strings.ReplaceAll(key.Table, " ", "_")
		var pairs []string
		for _, word := range words[1:] {
			name, value, _ := strings.Cut(word, "=")
			pairs = append(pairs, name, strings.ReplaceAll(value, "_", " "))
		}
		out = append(out, yang.Change{Key: key, Fields: sonic.NewFields(pairs...), Gone: gone})
	}
	return out
}
