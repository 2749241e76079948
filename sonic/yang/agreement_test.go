package yang_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/switchlet/switchlet/sonic"
	"github.com/switchlet/switchlet/sonic/configdb"
	"github.com/switchlet/switchlet/sonic/yang"
)

// verdict is a case of SONiC's own YANG test suite.
type verdict struct {
	name  string // file and name
	desc  string
	valid bool   // what SONiC's own validator says
	class string // SONiC's class of error
	db    sonic.DB
}

// shared is a folder of SONiC's own data. A test without it skips, unless
// SWITCHLET_TEST_REQUIRE is "all".
func shared(t testing.TB, folder string) string {
	t.Helper()
	dir := filepath.Join("../../../shared/sonic", folder)
	if _, err := os.Stat(dir); err != nil {
		if os.Getenv("SWITCHLET_TEST_REQUIRE") == "all" {
			t.Fatalf("SONiC's own data: %v", err)
		}
		t.Skipf("SONiC's own data: %v", err)
	}
	return dir
}

// load reads SONiC's models.
func load(t testing.TB) *yang.Schema {
	t.Helper()
	schema, err := yang.Load(shared(t, "yang-models"))
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func cases(t testing.TB) []verdict {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(shared(t, "yang-tests"), "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("SONiC's cases: %d files, %v", len(files), err)
	}
	var out []verdict
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var list map[string]struct {
			Desc, Expect, Error string
			ConfigDB            json.RawMessage `json:"config_db"`
		}
		if err := json.Unmarshal(text, &list); err != nil {
			t.Fatal(err)
		}
		for _, name := range slices.Sorted(maps.Keys(list)) {
			c := list[name]
			db, err := configdb.Decode(bytes.NewReader(c.ConfigDB))
			if err != nil {
				t.Fatalf("%s %s: %v", file, name, err)
			}
			out = append(out, verdict{filepath.Base(file) + " " + name, c.Desc, c.Expect == "valid", c.Error, db})
		}
	}
	return out
}

// disagreements are the cases in which this package and SONiC's own validator
// differ, with the reason. One that has come to agree has to be taken out.
func disagreements() map[string]string { return map[string]string{} }

// Everything that is understood of the models is checked.
func TestNothingIsLeftUnchecked(t *testing.T) {
	for _, line := range load(t).Unchecked() {
		t.Error(line)
	}
}

// What SONiC's own validator says of SONiC's own test cases is what is said here.
func TestAgreement(t *testing.T) {
	schema, known := load(t), disagreements()
	agreed, all := 0, cases(t)
	for _, c := range all {
		violations := yang.NewChecker(schema, c.db).Violations()
		agrees := (len(violations) == 0) == c.valid
		if agrees {
			agreed++
		}
		reason, expected := known[c.name]
		switch {
		case agrees && expected:
			t.Errorf("%s: agrees, although it is on the list: %s", c.name, reason)
		case !agrees && !expected:
			t.Errorf("%s (%s): SONiC says valid: %v, %s; here: %v", c.name, c.desc, c.valid, c.class, violations)
		}
		delete(known, c.name)
	}
	for name := range known {
		t.Errorf("%s: is on the list, but there is no such case", name)
	}
	t.Logf("%d of %d cases agree", agreed, len(all))
}

// classes are the rules that SONiC's classes of errors stand for
// (sonic-yang-models, tests/yang_model_tests/test_yang_model.py).
func classes() map[string][]yang.Rule {
	return map[string][]yang.Rule{
		"InvalidValue":          {yang.Type, yang.Enum, yang.Pattern, yang.Range, yang.Length, yang.LeafRef},
		"Pattern":               {yang.Pattern, yang.Type},
		"Must":                  {yang.Must},
		"LeafRef":               {yang.LeafRef},
		"Range":                 {yang.Range},
		"Mandatory":             {yang.Mandatory},
		"When":                  {yang.When},
		"Bounds":                {yang.Range, yang.Type},
		"Length":                {yang.Length},
		"MinElements":           {yang.MinElements},
		"MaxElements":           {yang.MaxElements},
		"DecimalFractionExceed": {yang.Type},
		"UnknownElement":        {yang.UnknownField, yang.UnknownKey},
	}
}

// Information: where a case is invalid for another reason than SONiC's suite
// expects. SONiC stops at the first error, which need not be the one meant.
func TestClasses(t *testing.T) {
	schema, rules := load(t), classes()
	for _, c := range cases(t) {
		want, ok := rules[c.class]
		if !ok || c.valid {
			continue
		}
		violations := yang.NewChecker(schema, c.db).Violations()
		if !slices.ContainsFunc(violations, func(v yang.Violation) bool { return slices.Contains(want, v.Rule) }) {
			t.Logf("%s (%s): %s, here: %v", c.name, c.desc, c.class, violations)
		}
	}
}
