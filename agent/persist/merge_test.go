package persist

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
	"pgregory.net/rapid"

	"github.com/switchlet/switchlet/deploy/lab/labtest"
	"github.com/switchlet/switchlet/sonic"
)

// rows reads lines such as "VLAN|Vlan10 vlanid=10 description=two words": a word
// without = goes on with the value before it.
func rows(t testing.TB, text string) sonic.DB {
	t.Helper()
	db := sonic.DB{}
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		key, ok := sonic.ParseKey(words[0])
		if !ok {
			t.Fatalf("%q is no key", words[0])
		}
		var pairs []string
		for _, word := range words[1:] {
			if name, value, ok := strings.Cut(word, "="); ok {
				pairs = append(pairs, name, value)
			} else {
				pairs[len(pairs)-1] += " " + word
			}
		}
		db[key] = sonic.NewFields(pairs...)
	}
	return db
}

// Each scenario starts from before.json; then, in turn, the agent's rows and
// the file that they give.
func TestMerge(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("scenarios: %q, %v", files, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			text, own, formerly := archive.Files[0].Data, sonic.DB{}, sonic.Ledger{}
			for i, f := range archive.Files[1:] {
				if f.Name == "own" {
					formerly, own = ledgerOf(own), rows(t, string(f.Data))
					continue
				}
				merged, changed, err := Merge(text, own, formerly)
				if err != nil || changed == bytes.Equal(text, merged) {
					t.Fatalf("step %d: changed %t, error %v", i, changed, err)
				}
				if diff := cmp.Diff(string(f.Data), string(merged)); diff != "" {
					t.Fatalf("step %d (-want +got):\n%s", i, diff)
				}
				again, changed, err := Merge(merged, own, formerly)
				if err != nil || changed || !bytes.Equal(again, merged) {
					t.Errorf("step %d, once more: changed %t, error %v", i, changed, err)
				}
				text = merged
			}
		})
	}
}

func TestMergeRefuses(t *testing.T) {
	own := sonic.DB{sonic.VLANKey(100): sonic.NewFields("vlanid", "100")}
	for _, test := range []struct{ name, text, want string }{
		{"an empty file, as config save has it for a moment", "", "unexpected end of JSON input"},
		{"a file that is cut off", "{\n  \"VLAN\": {\n", "line 3: unexpected end of JSON input"},
		{"two values", "{} {}", "invalid character '{' after top-level value"},
		{"something else", "[]", "it is not a JSON object of tables"},
		{"a table that is none", `{"VLAN": "x"}`, "VLAN is not an object of rows"},
		{"a row that is none", `{"VLAN": {"Vlan100": []}}`, "VLAN|Vlan100 is not an object of fields"},
		{"not UTF-8", "{\"\xff\": {}}", "it is not UTF-8"},
		{"too deep", strings.Repeat("[", 100) + strings.Repeat("]", 100), "it is nested more than 64 deep"},
	} {
		merged, changed, err := Merge([]byte(test.text), own, nil)
		if err == nil || !strings.HasSuffix(err.Error(), test.want) || merged != nil || changed {
			t.Errorf("%s: error %v, want %s; merged %q", test.name, err, test.want, merged)
		}
	}
}

// saved are SONiC's own files.
func saved(t testing.TB) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob("../../../shared/sonic/config_db/*.json")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		labtest.Missing(t, "no file in ../shared/sonic/config_db beside the source tree")
	}
	texts := map[string][]byte{}
	for _, file := range files {
		if texts[filepath.Base(file)], err = os.ReadFile(file); err != nil {
			t.Fatal(err)
		}
	}
	return texts
}

// meaning is what SONiC loads from a text.
func meaning(t testing.TB, text []byte) map[string]any {
	t.Helper()
	var tables map[string]any
	if err := json.Unmarshal(text, &tables); err != nil {
		t.Fatal(err)
	}
	return tables
}

// Python, with which SONiC writes the file, lays it out as encode does: a file
// of `config save` that has rows added and taken away is the same to the byte.
func TestLayoutIsThatOfPython(t *testing.T) {
	python := labtest.Program(t, "python3", "python3")
	for name, text := range saved(t) {
		cmd := exec.Command(python, "-c", "import json, sys; print(json.dumps(json.load(sys.stdin), indent=4))")
		cmd.Stdin = bytes.NewReader(text)
		printed, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		tree, err := parse(printed)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(printed), string(tree.encode())); diff != "" {
			t.Errorf("%s (-python +encode):\n%s", name, diff)
		}
		own := sonic.DB{}
		for i := range 50 {
			own[sonic.VLANKey(3000+i)] = sonic.NewFields("vlanid", fmt.Sprint(3000+i))
		}
		own[sonic.Key{Table: "VXLAN_EVPN_NVO", Name: "switchlet"}] = sonic.NewFields("source_vtep", "switchlet")
		merged, _, err := Merge(printed, own, nil)
		if err != nil {
			t.Fatal(err)
		}
		back, changed, err := Merge(merged, nil, ledgerOf(own))
		if err != nil || !changed || !bytes.Equal(back, printed) {
			t.Errorf("%s: with rows added and taken away it is another one, error %v", name, err)
		}
	}
}

func TestQuoteIsThatOfPython(t *testing.T) {
	python := labtest.Program(t, "python3", "python3")
	var all strings.Builder
	for _, r := range slices.Concat(runes(0, 0x180), runes(0xd7f0, 0xd800), runes(0xe000, 0xe010), runes(0xfff0, 0x10010), runes(0x10fff0, 0x110000)) {
		all.WriteRune(r)
	}
	cmd := exec.Command(python, "-c", "import json, sys; sys.stdout.write(json.dumps(sys.stdin.buffer.read().decode()))")
	cmd.Stdin = strings.NewReader(all.String())
	want, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	if got := quote(all.String()); got != string(want) {
		t.Errorf("quoted\n%s, Python\n%s", got, want)
	}
}

func runes(from, to rune) []rune {
	var all []rune
	for r := from; r < to; r++ {
		all = append(all, r)
	}
	return all
}

// Whatever rows come and go, all that is somebody else's means the same, and in
// the end the file means what it did before.
func TestForeignRowsStay(t *testing.T) {
	texts := saved(t)
	names, meanings := slices.Sorted(maps.Keys(texts)), map[string]map[string]any{}
	for name, text := range texts {
		meanings[name] = meaning(t, text)
	}
	rapid.Check(t, func(rt *rapid.T) {
		name := rapid.SampledFrom(names).Draw(rt, "file")
		text, formerly := texts[name], sonic.Ledger{}
		revisions := rapid.IntRange(1, 3).Draw(rt, "revisions")
		for i := range revisions + 1 {
			own := sonic.DB{} // in the end all are gone
			if i < revisions {
				own = drawRows(rt)
			}
			merged, _, err := Merge(text, own, formerly)
			if err != nil {
				rt.Fatal(err)
			}
			got := meaning(t, merged)
			for key, fields := range own {
				takeRow(rt, got, key, fields)
			}
			if !reflect.DeepEqual(meanings[name], got) {
				rt.Fatalf("foreign rows (-before +after):\n%s", cmp.Diff(meanings[name], got))
			}
			text, formerly = merged, ledgerOf(own)
		}
	})
}

// drawRows are rows that no file of SONiC's has.
func drawRows(rt *rapid.T) sonic.DB {
	own := sonic.DB{}
	for range rapid.IntRange(0, 8).Draw(rt, "rows") {
		key := sonic.Key{
			Table: rapid.SampledFrom([]string{"VLAN", "VLAN_MEMBER", "VRF", "SWITCHLET"}).Draw(rt, "table"),
			Name:  "Own" + rapid.StringN(0, 6, -1).Draw(rt, "name"),
		}
		pairs := []string{"a", rapid.String().Draw(rt, "value")}
		if rapid.Bool().Draw(rt, "list") {
			pairs = append(pairs, "list@", strings.Join(rapid.SliceOfN(rapid.StringMatching(`[a-z]{1,3}`), 0, 3).Draw(rt, "items"), ","))
		}
		own[key] = sonic.NewFields(pairs...)
	}
	return own
}

// takeRow takes a row out of what SONiC loads. It has to be there.
func takeRow(rt *rapid.T, tables map[string]any, key sonic.Key, fields sonic.Fields) {
	table, _ := tables[key.Table].(map[string]any)
	want := map[string]any{}
	for _, field := range fields {
		if name, isList := strings.CutSuffix(field.Name, "@"); isList {
			items := []any{}
			for _, item := range strings.FieldsFunc(field.Value, func(r rune) bool { return r == ',' }) {
				items = append(items, item)
			}
			want[name] = items
		} else {
			want[name] = field.Value
		}
	}
	if diff := cmp.Diff(any(want), table[key.Name]); diff != "" {
		rt.Fatalf("%s (-want +got):\n%s", key, diff)
	}
	if delete(table, key.Name); len(table) == 0 {
		delete(tables, key.Table)
	}
}

func TestNaturalOrder(t *testing.T) {
	want := []string{"Ethernet0", "Ethernet4", "Ethernet16", "Ethernet100", "Vlan9", "Vlan10", "Vlan10|10.0.0.9/24", "Vlan10|10.0.0.10/24", "Vlan100"}
	got := slices.SortedFunc(slices.Values(slices.Sorted(slices.Values(want))), natural)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("sorted (-want +got):\n%s", diff)
	}
	rapid.Check(t, func(rt *rapid.T) {
		word := rapid.StringMatching(`[ab0-2|]{0,5}`)
		a, b, c := word.Draw(rt, "a"), word.Draw(rt, "b"), word.Draw(rt, "c")
		if natural(a, b) != -natural(b, a) || natural(a, b) == 0 && a != b {
			rt.Fatalf("%q, %q: %d and %d", a, b, natural(a, b), natural(b, a))
		}
		if natural(a, b) < 0 && natural(b, c) < 0 && natural(a, c) >= 0 {
			rt.Fatalf("%q < %q < %q, and the first is not less than the last", a, b, c)
		}
	})
}

func TestOwned(t *testing.T) {
	have := rows(t, "VLAN|Vlan10 vlanid=10 mtu=9000\nVLAN|Vlan11 vlanid=11\nVLAN_INTERFACE|Vlan10")
	ledger := sonic.Ledger{sonic.VLANKey(10): {"vlanid", "description"}, {Table: "VLAN_INTERFACE", Name: "Vlan10"}: nil, sonic.VLANKey(12): {"vlanid"}}
	if diff := cmp.Diff("VLAN|Vlan10 vlanid=10\nVLAN_INTERFACE|Vlan10\n", Owned(have, ledger).String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func FuzzMerge(f *testing.F) {
	f.Add([]byte(`{"VLAN": {"Vlan100": {"vlanid": "100", "a": [1, {"b": null}]}, "Vlan100": {}}, "x": -1.5e3}`))
	f.Add([]byte(" {\n} \n"))
	f.Add([]byte(`{"VLAN":{"":{"\u0000":"\ud83d\ude00\"\\"}}}`))
	own := sonic.DB{sonic.VLANKey(100): sonic.NewFields("vlanid", "100", "l@", "a,b")}
	f.Fuzz(func(t *testing.T, text []byte) {
		merged, _, err := Merge(text, own, sonic.Ledger{sonic.VLANKey(101): {"vlanid"}})
		if err != nil {
			return
		}
		again, changed, err := Merge(merged, own, nil)
		if err != nil || changed || !bytes.Equal(again, merged) {
			t.Errorf("merged once more: changed %t, error %v", changed, err)
		}
		before, after := meaning(t, text), meaning(t, merged)
		delete(before, "VLAN")
		delete(after, "VLAN")
		if !maps.EqualFunc(before, after, func(a, b any) bool { return cmp.Equal(a, b) }) {
			t.Errorf("%s became %s", text, merged)
		}
	})
}

// A leaf with 2,000 VLANs: 10,000 rows that come, stay and go.
func BenchmarkMerge(b *testing.B) {
	own := sonic.DB{}
	for i := range 2000 {
		vlan := fmt.Sprint("Vlan", 100+i)
		own[sonic.Key{Table: "VLAN", Name: vlan}] = sonic.NewFields("vlanid", fmt.Sprint(100+i), "description", "switchlet tenant/blue/web")
		own[sonic.Key{Table: "VLAN_MEMBER", Name: vlan + "|Ethernet0"}] = sonic.NewFields("tagging_mode", "tagged")
		own[sonic.Key{Table: "VLAN_INTERFACE", Name: vlan}] = sonic.NewFields("vrf_name", "Vrf20001")
		own[sonic.Key{Table: "VLAN_INTERFACE", Name: vlan + "|10.1.0.1/24"}] = nil
		own[sonic.Key{Table: "VXLAN_TUNNEL_MAP", Name: "switchlet|map_1_" + vlan}] = sonic.NewFields("vlan", vlan, "vni", "1")
	}
	empty := saved(b)["t0-box.json"]
	full, _, err := Merge(empty, own, nil)
	if err != nil {
		b.Fatal(err)
	}
	for _, step := range []struct {
		name     string
		text     []byte
		own      sonic.DB
		formerly sonic.Ledger
	}{{"come", empty, own, nil}, {"stay", full, own, ledgerOf(own)}, {"go", full, nil, ledgerOf(own)}} {
		b.Run(step.name, func(b *testing.B) {
			for b.Loop() {
				if _, _, err := Merge(step.text, step.own, step.formerly); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
