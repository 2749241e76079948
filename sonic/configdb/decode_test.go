package configdb_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/switchlet/switchlet/sonic/configdb"
)

func TestDecode(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"rows", `{"VLAN": {"Vlan10": {"vlanid": "10"}, "Vlan20": {}}, "PORT": {}}`, "VLAN|Vlan10 vlanid=10\nVLAN|Vlan20\n"},
		{"a list", `{"VLAN": {"Vlan10": {"dhcp_servers": ["10.0.0.1", "10.0.0.2"]}}}`, "VLAN|Vlan10 dhcp_servers@=10.0.0.1,10.0.0.2\n"},
		{"an empty list", `{"VLAN": {"Vlan10": {"dhcp_servers": []}}}`, "VLAN|Vlan10 dhcp_servers@=\n"},
		{"a key of several parts", `{"VLAN_MEMBER": {"Vlan10|Ethernet0": {}}}`, "VLAN_MEMBER|Vlan10|Ethernet0\n"},
		{"a row that says that it is empty", `{"VLAN": {"Vlan10": {"NULL": "NULL"}}}`, "VLAN|Vlan10\n"},
		{"what Python makes of numbers", `{"T": {"k": {"a": 1, "b": -0, "c": 1.50, "d": 1e3, "e": 1e16, "f": 0.00001, "g": 12345678901234567890}}}`,
			"T|k a=1 b=0 c=1.5 d=1000.0 e=1e+16 f=1e-05 g=12345678901234567890\n"},
		{"what Python makes of the rest", `{"T": {"k": {"a": true, "b": false, "c": null, "d": [1, true]}}}`, "T|k a=True b=False c=None d@=1,True\n"},
		{"the last of two equal fields", `{"T": {"k": {"a": "1", "a": "2"}}}`, "T|k a=2\n"},
		{"the last of two equal rows", `{"T": {"k": {"a": "1"}, "k": {"b": "2"}}}`, "T|k b=2\n"},
		{"the last of two equal tables", `{"T": {"k": {}}, "T": {"l": {}}}`, "T|l\n"},
		{"a list after a string", `{"T": {"k": {"a": "1", "a": ["2"]}}}`, "T|k a@=2\n"},
		{"a string after a list", `{"T": {"k": {"a": ["2"], "a": "1"}}}`, "T|k a=1\n"},
		{"nothing", `{}`, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			db, err := configdb.Decode(strings.NewReader(test.text))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, db.String()); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDecodeErrors(t *testing.T) {
	for _, test := range []struct {
		name, text, want string
		shape            bool
	}{
		{"nothing", ``, `not JSON: after byte 0: unexpected EOF`, false},
		{"cut off", `{"VLAN": {"Vlan10"`, `not JSON: after byte 18: unexpected EOF`, false},
		{"not JSON", `VLAN`, `not JSON: after byte 0: invalid character 'V' looking for beginning of value`, false},
		{"more than one text", `{} {}`, `not JSON: after byte 4: there is more after the end`, false},
		{"not UTF-8", "{\"VLAN\xff\": {}}", `not JSON: the text is not UTF-8`, false},
		{"a list of tables", `[]`, `$: expected an object of tables, found a list`, true},
		{"a table that is a string", `{"VLAN": "x"}`, `$["VLAN"]: expected an object of rows, found the string "x"`, true},
		{"a row that is a number", `{"VLAN": {"Vlan10": 10}}`, `$["VLAN"]["Vlan10"]: expected an object of fields, found 10`, true},
		{"a row that is null", `{"VLAN": {"Vlan10": null}}`, `$["VLAN"]["Vlan10"]: expected an object of fields, found None`, true},
		{"a field that is an object", `{"VLAN": {"Vlan10": {"a": {}}}}`, `$["VLAN"]["Vlan10"]["a"]: expected a string or a list of strings, found an object`, true},
		{"a list in a list", `{"VLAN": {"Vlan10": {"a": [[]]}}}`, `$["VLAN"]["Vlan10"]["a"]: expected a list of strings, found a list with a list`, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := configdb.Decode(strings.NewReader(test.text))
			if err == nil {
				t.Fatal("no error")
			}
			if diff := cmp.Diff(test.want, err.Error()); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
			var shape *configdb.ShapeError
			if errors.As(err, &shape) != test.shape {
				t.Errorf("a *ShapeError: %v, want %v", !test.shape, test.shape)
			}
		})
	}
}

// Any text either is rows, which can be printed, or an error.
func FuzzDecode(f *testing.F) {
	f.Add(`{"VLAN": {"Vlan10": {"vlanid": "10", "dhcp_servers": ["10.0.0.1", "10.0.0.2"], "mtu": 9100}}}`)
	f.Add(`{"T": {"k": {"a": 1e400, "b": -0.0, "c": "\ud800", "NULL": "NULL"}, "": {}}}`)
	f.Add(`{"T": {"k": {"a": [[]]}}}`)
	f.Fuzz(func(t *testing.T, text string) {
		db, err := configdb.Decode(strings.NewReader(text))
		if (db == nil) == (err == nil) {
			t.Errorf("rows %v with error %v", db, err)
		}
		_ = db.String()
	})
}
