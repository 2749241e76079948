package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/containernetworking/cni/pkg/types"
	"golang.org/x/tools/txtar"
)

var update = flag.Bool("update", false, "write the golden files anew")

// messages are what people read in the events of a pod that is not attached
// (`kubectl describe pod`, FailedCreatePodSandBox), by what is wrong: what, whose,
// and what to do about it.
type messages struct {
	file    string
	archive *txtar.Archive
}

func newMessages(t *testing.T) *messages {
	t.Helper()
	m := &messages{file: filepath.Join("testdata", "messages.txtar")}
	var err error
	m.archive, err = txtar.ParseFile(m.file)
	must(t, err)
	return m
}

const (
	// What runtimes and Multus put before it is long enough.
	maxMessage = 160
	maxDetails = 240
)

// shows checks that this is said.
func (m *messages) shows(t *testing.T, wrong string, err error) {
	t.Helper()
	var e *types.Error
	if !errors.As(err, &e) {
		t.Errorf("%s: %v is no error of a plugin", wrong, err)
		return
	}
	got := fmt.Sprintf("%d %s\n   %s\n", e.Code, e.Msg, e.Details)
	if len(e.Msg) > maxMessage || len(e.Details) > maxDetails || e.Details == "" || strings.ContainsAny(e.Msg+e.Details, "\n") {
		t.Errorf("%s: a message of %d octets and details of %d:\n%s", wrong, len(e.Msg), len(e.Details), got)
	}
	i := slices.IndexFunc(m.archive.Files, func(f txtar.File) bool { return f.Name == wrong })
	if i < 0 {
		i = len(m.archive.Files)
		m.archive.Files = append(m.archive.Files, txtar.File{Name: wrong})
	}
	if string(m.archive.Files[i].Data) == got {
		return
	}
	if m.archive.Files[i].Data = []byte(got); *update {
		must(t, os.WriteFile(m.file, txtar.Format(m.archive), 0o644))
		return
	}
	t.Errorf("%s: %s says something else:\n%s", wrong, m.file, got)
}

// What a node says that is not ready for pods, or has lost its agent.
func TestMessagesOfTheNode(t *testing.T) {
	r, said := newRig(t), newMessages(t)
	_, err := r.ask(r.pod("web"), byName)
	said.shows(t, "a node that is not known", err)
	r.set(blue())
	if _, err := r.ask(r.pod("first"), byName); err != nil {
		t.Fatal(err)
	}
	_, err = r.ask(r.pod("second"), byName+`,"mode":"bridge"`)
	said.shows(t, "another mode", err)
	p := r.pod("third")
	p.args.CapabilityArgs = map[string]any{"mac": "0a:58:0a:01:00:02"}
	_, err = r.ask(p, byName)
	said.shows(t, "another's MAC address", err)
	p = r.pod("fourth")
	p.args.IfName = "lo"
	_, err = r.ask(p, byName)
	said.shows(t, "an interface that the pod has", err)
	r.end()
	_, err = r.ask(r.pod("late"), byName)
	var away *types.Error
	if errors.As(err, &away) {
		away.Details = strings.ReplaceAll(away.Details, r.socket(), "/run/switchlet/cni.sock")
	}
	said.shows(t, "an agent that is away", away)
}
