package swss_test

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/switchlet/switchlet/deploy/lab/labtest/golden"
	"github.com/switchlet/switchlet/deploy/lab/swss"
)

// Each file of testdata is a story. It begins with the leaf of leaf.rows, or
// with rows of its own ("boot"). After the commands of each step stand the
// mistakes and error lines that they brought, the rows of STATE_DB and APPL_DB
// that came (+), changed (~) or went (-), how many objects of the ASIC there
// are of types whose number changed, and what the daemons wait for in vain.
// "wait" lets them come to rest, for a minute at most; commands without it
// between them are one burst.
func TestScenarios(t *testing.T) {
	golden.Archives(t, "testdata/*.txtar", play)
}

// play gives the archive with all outcomes as they are.
func play(t *testing.T, archive *txtar.Archive) *txtar.Archive {
	t.Helper()
	r := newRig(t, swss.Config{Manager: 50 * time.Millisecond, Orchagent: 100 * time.Millisecond})
	played := &txtar.Archive{Comment: archive.Comment}
	if !slices.ContainsFunc(archive.Files, func(f txtar.File) bool { return f.Name == "boot" }) {
		r.boot(file(t, "testdata/leaf.rows"))
	}
	for _, f := range archive.Files {
		if f.Name == "outcome" {
			continue
		}
		played.Files = append(played.Files, f)
		before := take(r)
		if f.Name == "boot" {
			r.boot(string(f.Data))
		} else {
			for line := range strings.Lines(string(f.Data)) {
				if err := r.do(strings.TrimSpace(line)); err != nil {
					t.Fatal(err)
				}
			}
		}
		played.Files = append(played.Files, txtar.File{Name: "outcome", Data: []byte(tell(r, before))})
		r.Forget()
	}
	return played
}

// picture is the daemons' rows at one moment.
type picture struct {
	rows    map[string]string
	objects map[string]int
}

func take(r *rig) picture {
	p := picture{map[string]string{}, map[string]int{}}
	for _, db := range []string{swss.StateDB, swss.ApplDB} {
		for key, row := range r.Rows(db) {
			p.rows[db+" "+key] = " " + row.String()
		}
	}
	for key := range r.Rows(swss.AsicDB) {
		kind, _, _ := strings.Cut(strings.TrimPrefix(key, "ASIC_STATE:SAI_OBJECT_TYPE_"), ":")
		p.objects[kind]++
	}
	return p
}

// tell says what happened since a picture was taken.
func tell(r *rig, before picture) string {
	var b strings.Builder
	for _, m := range r.Mistakes() {
		fmt.Fprintf(&b, "mistake %s\n", m)
	}
	count := map[string]int{}
	for _, line := range r.Errors() {
		if count[line]++; count[line] == 1 {
			fmt.Fprintf(&b, "ERR %s\n", line)
		}
	}
	for line, n := range count {
		if n > 1 {
			text := strings.Replace(b.String(), "ERR "+line+"\n", fmt.Sprintf("ERR %s (again and again)\n", line), 1)
			b.Reset()
			b.WriteString(text)
		}
	}
	after := take(r)
	for _, key := range union(before.rows, after.rows) {
		was, is := before.rows[key], after.rows[key]
		switch {
		case was == "":
			fmt.Fprintf(&b, "+ %s%s\n", key, is)
		case is == "":
			fmt.Fprintf(&b, "- %s\n", key)
		case was != is:
			fmt.Fprintf(&b, "~ %s%s\n", key, is)
		}
	}
	for _, kind := range union(before.objects, after.objects) {
		if before.objects[kind] != after.objects[kind] {
			fmt.Fprintf(&b, "ASIC_DB %s: %d\n", kind, after.objects[kind])
		}
	}
	for _, line := range r.Pending() {
		b.WriteString(line + "\n")
	}
	return b.String()
}

func union[V any](a, b map[string]V) []string {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return slices.Sorted(maps.Keys(all))
}

// Each kind of mistake is shown by a scenario.
func TestScenariosShowEveryKind(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, name := range files {
		all.WriteString(file(t, name))
	}
	for _, kind := range []swss.Kind{
		swss.Needless, swss.Flap, swss.InUse, swss.NotWaited, swss.Mapped, swss.TooSoon, swss.Unheard, swss.Early, swss.Dangling, swss.NoNVO,
		swss.Ignored, swss.NoEffect, swss.Refused, swss.Leak, swss.Conflict, swss.Overlap, swss.BadRow,
	} {
		if !strings.Contains(all.String(), "\nmistake "+string(kind)+" ") {
			t.Errorf("no scenario has the mistake %s", kind)
		}
	}
}
