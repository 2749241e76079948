package dataplane

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/switchlet/switchlet/deploy/lab/labtest/golden"
	"github.com/switchlet/switchlet/deploy/lab/swss"
)

// mac is the address of a switch whose configuration has none.
const mac = "02:00:00:00:00:01"

// A scenario is a switch's life. Its sections are
//
//	boot       rows of CONFIG_DB with which the daemons start
//	NAME       commands: HSET KEY FIELD=VALUE…, DEL KEY, wait, hang KEY, stop, start
//	commands   what the data plane does after the section before it
//	devices    what there is then; only where it says something new
func TestScenarios(t *testing.T) {
	golden.Archives(t, "testdata/*.txtar", func(t *testing.T, archive *txtar.Archive) *txtar.Archive {
		s := newSwitch(t)
		for i, section := range archive.Files {
			switch section.Name {
			case "boot":
				s.boot(string(section.Data))
			case "commands":
				archive.Files[i].Data = []byte(s.follow())
			case "devices":
				archive.Files[i].Data = []byte(s.have.String())
			default:
				s.do(string(section.Data))
			}
		}
		return archive
	})
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
