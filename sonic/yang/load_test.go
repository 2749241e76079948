package yang_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/switchlet/switchlet/sonic"
	"github.com/switchlet/switchlet/sonic/yang"
)

// folder makes a folder with files.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const table = `module sonic-a { namespace "urn:a"; prefix a; import other { prefix o; }
	container sonic-a { container T { list T_LIST { key name; leaf name { type o:word; } leaf-list l { type string; } } } } }`

func TestLoadErrors(t *testing.T) {
	module := func(body string) map[string]string {
		return map[string]string{"sonic-a.yang": `module sonic-a { namespace "urn:a"; prefix a; container sonic-a { container T { ` + body + ` } } }`}
	}
	for _, test := range []struct {
		name  string
		files map[string]string
		want  string
	}{
		{"an empty folder", nil, "has no file *.yang"},
		{"no YANG", map[string]string{"a.yang": "hello"}, "parse a YANG model: "},
		{"no module", map[string]string{"a.yang": "container a { }"}, "a.yang: container is no module"},
		{"too large", map[string]string{"a.yang": strings.Repeat(" ", 1<<20+1)}, "is larger than 1048576 bytes"},
		{"a missing import", map[string]string{"sonic-a.yang": table}, "sonic-a.yang: import other: there is no such module in the folder of the models nor in []"},
		{"a missing type", module("leaf a { type b; }"), "container T: leaf a: type b: there is no such type"},
		{"no type", module("leaf a;"), "container T: leaf a: it has no type"},
		{"a type of a missing prefix", module("leaf a { type o:b; }"), "leaf a: type o:b: there is no such type"},
		{"a missing grouping", module("uses g;"), "uses g: there is no such grouping"},
		{"a grouping in itself", module("grouping g { uses g; } uses g;"), "uses g: the grouping uses itself"},
		{"a type from itself", module("typedef a { type a; } leaf l { type a; }"), "derived more than 32 times"},
		{"a missing key", module("list T_LIST { key name; }"), "list T_LIST: the key name is no leaf of it"},
		{"a node twice", module("leaf a { type string; } leaf a { type string; }"), "there are two nodes of this name"},
		{"a wrong range", module("leaf a { type uint8 { range x; } }"), `range "x": "x" is no number`},
		{"a wrong number of elements", module("leaf-list a { type string; max-elements few; }"), "max-elements: "},
		{"a wrong path", module(`leaf a { type leafref { path "1 +"; } }`), `parse XPath "1 +": `},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := yang.Load(folder(t, test.files))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error is %v, want one with %q", err, test.want)
			}
		})
	}
	if _, err := yang.Load("testdata/nowhere"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error is %v, want that the folder does not exist", err)
	}
}

// An import is looked for in the other folders too, the newest revision first.
func TestImportsFromOtherFolders(t *testing.T) {
	word := func(pattern string) string {
		return `module other { namespace "urn:o"; prefix o; typedef word { type string { pattern "` + pattern + `"; } } }`
	}
	dir := folder(t, map[string]string{"sonic-a.yang": table})
	more := folder(t, map[string]string{"other@2020-01-01.yang": word("old"), "other@2024-01-01.yang": word("new"), "broken.yang": "not read"})
	schema, err := yang.Load(dir, filepath.Join(dir, "nowhere"), more)
	if err != nil {
		t.Fatal(err)
	}
	got := lines(yang.NewChecker(schema, sonic.DB{{Table: "T", Name: "old"}: nil, {Table: "T", Name: "new"}: nil}).Violations())
	if want := "T|old name: Pattern: \"old\" does not match new\n"; got != want {
		t.Errorf("violations are %q, want %q", got, want)
	}
}

func TestWhatTheModelsKnow(t *testing.T) {
	schema := load(t)
	for _, test := range []struct {
		row, field string
		want       bool
	}{
		{"VLAN|Vlan10", "vlanid", true},
		{"VLAN|Vlan10", "dhcp_servers@", true},
		{"VLAN|Vlan10", "colour", false},
		{"VLAN_INTERFACE|Vlan10", "static_anycast_gateway", true},
		{"VLAN_INTERFACE|Vlan10|10.0.0.1/24", "static_anycast_gateway", false},
		{"SAG|GLOBAL", "gateway_mac", true},
		{"DEVICE_METADATA|localhost", "hostname", true},
		{"DEVICE_METADATA|elsewhere", "hostname", false},
		{"DSCP_TO_TC_MAP|AZURE", "63", true},
		{"SUPPRESS_VLAN_NEIGH|Vlan10", "suppress", false},
	} {
		key, _ := sonic.ParseKey(test.row)
		if got := schema.Field(key, test.field); got != test.want {
			t.Errorf("Field(%s, %s) = %v, want %v", test.row, test.field, got, test.want)
		}
	}
	if !schema.Table("VLAN") || schema.Table("SUPPRESS_VLAN_NEIGH") {
		t.Error("Table: want VLAN, but not SUPPRESS_VLAN_NEIGH")
	}
	if n := len(schema.Tables()); n < 200 {
		t.Errorf("%d tables, want 200 or more", n)
	}
}
