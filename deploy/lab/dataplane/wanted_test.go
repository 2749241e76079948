package dataplane

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/switchlet/switchlet/deploy/lab/swss"
)

var update = flag.Bool("update", false, "write what is found into the scenarios")

// mac is the address of a switch whose configuration has none.
const mac = "02:00:00:00:00:01"

// A scenario is a switch's life. Its sections are
//
//	boot       rows of CONFIG_DB with which the daemons start
//	NAME       commands: HSET KEY FIELD=VALUE…, DEL KEY, wait, hang KEY, stop, start
//	commands   what the data plane does after the section before it
//	devices    what there is then; only where it says something new
func TestScenarios(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal(err, files)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) { scenario(t, file) })
	}
}

func scenario(t *testing.T, file string) {
	text, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	s := newSwitch(t)
	for i, section := range text.Files {
		var got string
		switch section.Name {
		case "boot":
			s.boot(string(section.Data))
			continue
		case "commands":
			got = s.follow()
		case "devices":
			got = s.have.String()
		default:
			s.do(string(section.Data))
			continue
		}
		if *update {
			text.Files[i].Data = []byte(got)
		} else if diff := cmp.Diff(string(section.Data), got); diff != "" {
			t.Errorf("%s after %q (-want +got):\n%s", section.Name, before(text.Files, i), diff)
		}
	}
	if *update {
		if err := os.WriteFile(file, txtar.Format(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// before is the name of the section of commands that a section is about.
func before(files []txtar.File, i int) string {
	for i--; i >= 0; i-- {
		if name := files[i].Name; name != "commands" && name != "devices" {
			return name
		}
	}
	return ""
}

// lab is daemons on a CONFIG_DB in memory, and the devices of a kernel that does
// what steps say.
type lab struct {
	testing.TB
	*swss.Memory
	have Devices
}

// newSwitch has cables in Ethernet0, Ethernet4 and Ethernet8.
func newSwitch(t testing.TB) *lab {
	s := &lab{t, swss.NewMemory(swss.Config{}), Devices{}}
	for _, port := range []string{"Ethernet0", "Ethernet4", "Ethernet8"} {
		s.have[port] = Device{Kind: Port, Up: true, MTU: defaultMTU, halfRouted: true}
	}
	return s
}

func (s *lab) boot(text string) {
	for line := range strings.Lines(text) {
		if words := strings.Fields(line); len(words) > 0 {
			s.Set(words[0], fields(words[1:]))
		}
	}
	s.must(s.Boot())
	s.settle()
}

func (s *lab) do(text string) {
	for line := range strings.Lines(text) {
		words := append(strings.Fields(line), "", "")
		switch words[0] {
		case "HSET":
			s.Set(words[1], fields(strings.Fields(line)[2:]))
		case "DEL":
			s.Delete(words[1])
		case "wait":
			s.settle()
		case "hang":
			s.Hang(words[1])
		case "stop":
			s.Stop()
		case "start":
			s.must(s.Boot())
		case "":
		default:
			s.Fatalf("%q is no command", line)
		}
	}
	if s.Running() {
		s.settle()
	}
}

func (s *lab) settle() {
	s.Helper()
	_, err := s.Settle(time.Minute)
	s.must(err)
}

func (s *lab) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// follow makes the devices what the daemons' rows say, and returns the commands.
func (s *lab) follow() string {
	s.Helper()
	want := Wanted(s.Rows(swss.ApplDB), s.Rows(swss.StateDB), mac)
	var text strings.Builder
	for _, step := range Diff(s.have, want) {
		s.must(simulate(s.have, step))
		fmt.Fprintln(&text, step)
	}
	if rest := Diff(s.have, want); len(rest) > 0 {
		s.Errorf("not done: %v", rest)
	}
	return text.String()
}

func fields(words []string) swss.Row {
	row := swss.Row{}
	for _, word := range words {
		name, value, _ := strings.Cut(word, "=")
		row[name] = value
	}
	if len(row) == 0 {
		row["NULL"] = "NULL"
	}
	return row
}
