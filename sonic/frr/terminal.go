package frr

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// configuration is the daemons' configuration modes.
type configuration struct {
	terminals []*terminal
	patience  *backoff
}

// run carries a command out and returns what FRR says if it refuses.
func (c *configuration) run(ctx context.Context, command Command) (string, error) {
	known := false
	var refusals []string
	for _, t := range c.terminals {
		text, status, err := t.configure(ctx, command, c.patience)
		if err != nil {
			return "", err
		}
		switch status {
		case statusSuccess:
			known = true
		case statusUnknown:
		default:
			known = true
			refusals = append(refusals, refusal(t.vty.daemon, text, status))
		}
	}
	if !known {
		return "no daemon that runs knows this command", nil
	}
	return strings.Join(refusals, "; "), nil
}

// refusal is never empty. FRR says nothing where nothing had to be done.
func refusal(daemon, text string, status byte) string {
	if text = strings.Join(strings.Fields(text), " "); text == "" {
		text = fmt.Sprintf("status %d", status)
	}
	return daemon + ": " + text
}

// terminal is one daemon's configuration mode, and where in it we are.
type terminal struct {
	vty     *vty
	entered bool
	at      []string
	// unknown is a context that the daemon does not have; refused is one that
	// it has and refused to enter, with what it said.
	unknown, refused []string
	answer           string
	status           byte
}

// configure runs a command in its context. A daemon that does not have the
// context does not know the command.
func (t *terminal) configure(ctx context.Context, c Command, patience *backoff) (string, byte, error) {
	if inside(c.Context, t.refused) {
		return t.answer, t.status, nil
	}
	if inside(c.Context, t.unknown) {
		return "", statusUnknown, nil
	}
	if text, status, err := t.enter(ctx, c.Context, patience); err != nil || status != statusSuccess {
		return text, status, err
	}
	text, status, err := t.send(ctx, c.Line, patience)
	if err == nil && exit(c.Line) != "" {
		t.opened(c, text, status)
	}
	return text, status, err
}

// inside reports whether a context is at or in another one.
func inside(context, other []string) bool {
	return other != nil && shared(context, other) == len(other)
}

// opened notes what became of a command that opens a context.
func (t *terminal) opened(c Command, text string, status byte) {
	t.note(append(slices.Clone(c.Context), c.Line), text, status)
}

func (t *terminal) note(context []string, text string, status byte) {
	switch status {
	case statusSuccess:
		t.at = context
	case statusUnknown:
		t.unknown = context
	default:
		t.refused, t.answer, t.status = context, text, status
	}
}

// enter goes from where the terminal is to a context.
func (t *terminal) enter(ctx context.Context, context []string, patience *backoff) (string, byte, error) {
	if !t.entered {
		if text, status, err := t.send(ctx, "configure terminal", patience); err != nil || status != statusSuccess {
			return text, status, err
		}
		t.entered = true
	}
	for len(t.at) > shared(t.at, context) {
		if text, status, err := t.send(ctx, "exit", patience); err != nil || status != statusSuccess {
			return text, status, err
		}
		t.at = t.at[:len(t.at)-1]
	}
	for len(t.at) < len(context) {
		next := context[:len(t.at)+1]
		text, status, err := t.send(ctx, next[len(t.at)], patience)
		if err != nil {
			return "", 0, err
		}
		t.note(slices.Clone(next), text, status)
		if status != statusSuccess {
			return text, status, nil
		}
	}
	return "", statusSuccess, nil
}

// send sends a line, again and again while what stands in its way passes.
func (t *terminal) send(ctx context.Context, line string, patience *backoff) (string, byte, error) {
	for {
		text, status, err := t.vty.run(ctx, line)
		if err != nil || status == statusSuccess || !passing(text) || !patience.wait(ctx) {
			return text, status, err
		}
	}
}
