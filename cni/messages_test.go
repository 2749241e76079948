package main

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/containernetworking/cni/pkg/types"

	"github.com/switchlet/switchlet/deploy/lab/labtest/golden"
)

// messages are what people read in the events of a pod that is not attached
// (`kubectl describe pod`, FailedCreatePodSandBox), by what is wrong: what, whose,
// and what to do about it.
const messages = "testdata/messages.txtar"

const (
	// What runtimes and Multus put before it is long enough.
	maxMessage = 160
	maxDetails = 240
)

// says checks what is said when something is wrong.
func says(t *testing.T, wrong string, err error) {
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
	golden.Section(t, messages, wrong, []byte(got))
}

// What a node says that is not ready for pods, or has lost its agent.
func TestMessagesOfTheNode(t *testing.T) {
	r := newRig(t)
	_, err := r.ask(r.pod("web"), byName)
	says(t, "a node that is not known", err)
	r.set(blue())
	if _, err := r.ask(r.pod("first"), byName); err != nil {
		t.Fatal(err)
	}
	_, err = r.ask(r.pod("second"), byName+`,"mode":"bridge"`)
	says(t, "another mode", err)
	p := r.pod("third")
	p.args.CapabilityArgs = map[string]any{"mac": "0a:58:0a:01:00:02"}
	_, err = r.ask(p, byName)
	says(t, "another's MAC address", err)
	p = r.pod("fourth")
	p.args.IfName = "lo"
	_, err = r.ask(p, byName)
	says(t, "an interface that the pod has", err)
	r.end()
	_, err = r.ask(r.pod("late"), byName)
	var away *types.Error
	if errors.As(err, &away) {
		away.Details = strings.ReplaceAll(away.Details, r.socket(), "/run/switchlet/cni.sock")
	}
	says(t, "an agent that is away", away)
}
