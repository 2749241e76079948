package redis

import (
	"bufio"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/switchlet/switchlet/sonic"
)

// says is a connection on which Redis has said something.
func says(text string) *wire {
	return &wire{in: bufio.NewReaderSize(strings.NewReader(text), 128)}
}

// What Redis says of a row becomes the row.
func TestRow(t *testing.T) {
	long := strings.Repeat("x", 300) // longer than what is read at once
	for _, test := range []struct {
		name, text, want, wantErr string
	}{
		{"two fields", "*4\r\n$6\r\nvlanid\r\n$3\r\n100\r\n$3\r\nmtu\r\n$4\r\n9100\r\n", "VLAN|Vlan100 mtu=9100 vlanid=100\n", ""},
		{"no fields", "*2\r\n$4\r\nNULL\r\n$4\r\nNULL\r\n", "VLAN|Vlan100\n", ""},
		{"an empty value", "*2\r\n$3\r\nmtu\r\n$0\r\n\r\n", "VLAN|Vlan100 mtu=\n", ""},
		{"a long value", "*2\r\n$3\r\nmtu\r\n$300\r\n" + long + "\r\n", "VLAN|Vlan100 mtu=" + long + "\n", ""},
		{"no such row", "*0\r\n", "", ""},
		{"no row", "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n", "VLAN|Vlan100\n", ""},
		{"another error", "-LOADING\r\n", "", "LOADING"},
		{"a name without a value", "*1\r\n$3\r\nmtu\r\n", "", "unexpected answer of Redis: 1 names and values"},
		{"a number", ":1\r\n", "", "unexpected answer of Redis: :1 instead of an array"},
		{"too many fields", "*99999999\r\n", "", "unexpected answer of Redis: *99999999 instead of an array"},
		{"too long a value", "*2\r\n$99999999\r\n", "", "unexpected answer of Redis: $99999999 instead of a string"},
		{"a value that is longer than it says", "*2\r\n$3\r\nmtu\r\n$2\r\n9100\r\n", "", "unexpected answer of Redis: a string of 2 bytes goes on"},
		{"a number that is none", "*x\r\n", "", `unexpected answer of Redis: "*x\r\n"`},
		{"half an answer", "*2\r\n$3\r\nmt", "", "EOF"},
		{"nothing", "", "", "EOF"},
	} {
		db := sonic.DB{sonic.VLANKey(101): nil}
		err := says(test.text).row(db, sonic.VLANKey(100), &store{})
		if text := message(err); text != test.wantErr {
			t.Errorf("%s: error is %q, want %q", test.name, text, test.wantErr)
		}
		if diff := cmp.Diff(test.want+"VLAN|Vlan101\n", db.String()); diff != "" {
			t.Errorf("%s: rows (-want +got):\n%s", test.name, diff)
		}
	}
}

func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// A transaction has the rows, first those that must not be there, and the words
// of runs of like commands.
func TestTransaction(t *testing.T) {
	w := &wire{}
	w.transaction([]sonic.Command{
		{Op: sonic.Create, Key: sonic.VLANKey(100), Fields: sonic.NewFields("vlanid", "100")},
		{Op: sonic.Create, Key: sonic.Key{Table: "VLAN_INTERFACE", Name: "Vlan100"}},
		{Op: sonic.Set, Key: sonic.VLANKey(101), Fields: sonic.NewFields("mtu", "9100")},
		{Op: sonic.Unset, Key: sonic.VLANKey(102), Fields: sonic.NewFields("mtu", "")},
		{Op: sonic.Delete, Key: sonic.VLANKey(103)},
		{Op: sonic.Delete, Key: sonic.VLANKey(104)},
	})
	w.in = bufio.NewReader(strings.NewReader(string(w.out)))
	n, err := w.array()
	if err != nil {
		t.Fatal(err)
	}
	var sent []string
	for range n {
		word, err := w.bulk()
		if err != nil {
			t.Fatal(err)
		}
		sent = append(sent, string(word))
	}
	want := []string{
		"eval", script, "7", "CONFIG_DB_INITIALIZED",
		"VLAN|Vlan100", "VLAN_INTERFACE|Vlan100", "VLAN|Vlan101", "VLAN|Vlan102", "VLAN|Vlan103", "VLAN|Vlan104", "2",
		"hset", "2", "2", "vlanid", "100", "NULL", "NULL",
		"hset", "1", "2", "mtu", "9100",
		"hdel", "1", "1", "mtu",
		"del", "2", "0",
	}
	if diff := cmp.Diff(want, sent); diff != "" || w.in.Buffered() > 0 {
		t.Errorf("%d bytes too many, words (-want +got):\n%s", w.in.Buffered(), diff)
	}
}

// Words that come again are one string.
func TestVocabulary(t *testing.T) {
	var w vocabulary
	for _, text := range []string{"tagged", "", strings.Repeat("x", 2*longWord), "tagged"} {
		if got := w.of([]byte(text)); got != text {
			t.Errorf("%q became %q", text, got)
		}
	}
	word := []byte("tagged")
	if n := testing.AllocsPerRun(10, func() { w.of(word) }); n > 0 {
		t.Errorf("a known word takes %v objects", n)
	}
}

// Whatever comes over the wire is a row or an error.
func FuzzRow(f *testing.F) {
	f.Add("*4\r\n$6\r\nvlanid\r\n$3\r\n100\r\n$3\r\nmtu\r\n$4\r\n9100\r\n")
	f.Add("*2\r\n$4\r\nNULL\r\n$-1\r\n")
	f.Add("-WRONGTYPE\r\n")
	f.Add("*1048576\r\n$16777216\r\n")
	f.Fuzz(func(t *testing.T, text string) {
		db, key := sonic.DB{}, sonic.VLANKey(100)
		err := says(text).row(db, key, &store{})
		if _, there := db[key]; there && err != nil {
			t.Errorf("error %v and row %v", err, db[key])
		}
		var answer answerError
		if errors.As(err, &answer) && text[0] != '-' && !strings.Contains(text, "\n-") {
			t.Errorf("%q became %v", text, err)
		}
	})
}
