package converge_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/switchlet/switchlet/sonic/frr"
)

// fakeFRR is a running configuration that takes commands as FRR does, and is
// stricter: what is not there cannot be taken back, and an instance not before
// its L3 VNI.
type fakeFRR struct {
	mu       sync.Mutex
	tree     frr.Tree
	down     bool
	hangs    chan struct{} // closed when it answers again
	refuse   func(command string) string
	sent     []string
	reads    int
	shows    int
	sessions map[string]string // state by neighbour
	// cut is after how many commands the connection breaks; negative for never.
	cut int
	// kernel reports whether the kernel has a VRF.
	kernel func(name string) bool
	// seen is called with each command before it is carried out.
	seen func(command string)
}

var errDown = errors.New("connect to FRR's zebra: connection refused")

// use has the fake for itself.
func (f *fakeFRR) use(do func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	do()
}

func (f *fakeFRR) text() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.tree.String()
}

// commands are those sent since the last time.
func (f *fakeFRR) commands() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	sent := f.sent
	f.sent = nil
	return sent
}

func (f *fakeFRR) shell() (frr.Shell, string) { return f, "a fake" }

func (f *fakeFRR) Running(ctx context.Context) (string, error) {
	f.mu.Lock()
	hangs := f.hangs
	f.mu.Unlock()
	if hangs != nil {
		select {
		case <-hangs:
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.down {
		return "", errDown
	}
	f.reads++
	return "Current configuration:\n!\n" + f.tree.String() + "end\n", nil
}

func (f *fakeFRR) Configure(_ context.Context, commands []frr.Command) ([]frr.Answer, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.down {
		return nil, errDown
	}
	var answers []frr.Answer
	for i, command := range commands {
		if f.cut == 0 {
			f.down = true
			return nil, errDown
		}
		f.cut--
		if f.seen != nil {
			f.seen(command.String())
		}
		f.sent = append(f.sent, command.String())
		if text := f.one(command); text != "" {
			answers = append(answers, frr.Answer{Command: i, Text: text})
		}
	}
	return answers, nil
}

// one carries out a command, or says why not.
func (f *fakeFRR) one(c frr.Command) string {
	if f.refuse != nil {
		if text := f.refuse(c.String()); text != "" {
			return text
		}
	}
	at := &f.tree
	for _, line := range c.Context {
		at = inside(at, line)
	}
	undone, undo := strings.CutPrefix(c.Line, "no ")
	if !undo || c.Line == "no bgp default ipv4-unicast" || c.Line == "no bgp graceful-restart notification" {
		inside(at, c.Line)
		return ""
	}
	words := strings.Fields(undone)
	if vrf := words[len(words)-1]; words[0] == "router" && words[len(words)-2] == "vrf" && strings.Contains(f.tree.String(), "vrf "+vrf+"\n vni ") {
		return "% unconfigure the l3vni of " + vrf + " first"
	}
	before := len(*at)
	*at = slices.DeleteFunc(*at, func(n frr.Node) bool { return n.Line == undone || strings.HasPrefix(n.Line, undone+" ") })
	if len(*at) == before {
		return "% there is no " + undone
	}
	return ""
}

// inside is what a statement has in it, which is made if it is not there.
func inside(t *frr.Tree, line string) *frr.Tree {
	i := slices.IndexFunc(*t, func(n frr.Node) bool { return n.Line == line })
	if i < 0 {
		*t = append(*t, frr.Node{Line: line})
		i = len(*t) - 1
	}
	return &(*t)[i].Inside
}

func (f *fakeFRR) Show(_ context.Context, _, command string) (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.down {
		return "", errDown
	}
	if command == "show vrf" {
		return f.vrfs(), nil
	}
	f.shows++
	peers := map[string]any{}
	for name, state := range f.sessions {
		peers[name] = map[string]any{"remoteAs": 65100, "state": state}
	}
	text, err := json.Marshal(map[string]any{"default": map[string]any{"ipv4Unicast": map[string]any{"peers": peers}, "l2VpnEvpn": map[string]any{"peers": peers}}})
	if err != nil {
		return "", fmt.Errorf("the fake's sessions: %w", err)
	}
	return string(text), nil
}

// vrfs are those that zebra knows.
func (f *fakeFRR) vrfs() string {
	var b strings.Builder
	for _, node := range f.tree {
		name, ok := strings.CutPrefix(node.Line, "vrf ")
		switch {
		case !ok:
		case f.kernel(name):
			fmt.Fprintf(&b, "vrf %s id 7 table 1001\n", name)
		default:
			fmt.Fprintf(&b, "vrf %s inactive (configured)\n", name)
		}
	}
	return b.String()
}

// lines of a tree, each with those around it, in order of the alphabet.
func lines(tree frr.Tree, around string) []string {
	var all []string
	for _, node := range tree {
		if strings.HasPrefix(node.Line, "vrf ") && len(node.Inside) == 0 {
			continue // FRR shows the VRFs of the kernel too
		}
		all = append(all, around+node.Line)
		all = append(all, lines(node.Inside, around+node.Line+" / ")...)
	}
	slices.Sort(all)
	return all
}
