package frr

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Output is what a program wrote and how it ended.
type Output struct {
	Stdout, Stderr string
	Status         int
}

// Exec runs a program where FRR's vtysh is, with the given standard input. The
// error says that it could not be run at all.
type Exec func(ctx context.Context, argv []string, stdin string) (Output, error)

// Vtysh is a Shell that runs FRR's own, inside of the bgp container if need be:
// Exec may put "docker exec -i bgp" in front of what it is given.
type Vtysh struct {
	Exec Exec
	// Options of vtysh, such as --vty_socket; none in SONiC's bgp container.
	Options []string
}

// Running is the running configuration as vtysh puts it together.
func (v Vtysh) Running(ctx context.Context) (string, error) {
	return v.command(ctx, "show running-config")
}

// Show asks one daemon.
func (v Vtysh) Show(ctx context.Context, daemon, command string) (string, error) {
	return v.command(ctx, command, "-d", daemon)
}

// argv leaves the history alone that an operator has of what he typed.
func (v Vtysh) argv(options ...string) []string {
	return slices.Concat([]string{"vtysh", "--histfile", "/dev/null"}, v.Options, options)
}

func (v Vtysh) command(ctx context.Context, command string, options ...string) (string, error) {
	out, err := v.Exec(ctx, v.argv(append(options, "-c", command)...), "")
	if err == nil && out.Status != 0 {
		err = fmt.Errorf("vtysh ended with status %d: %s", out.Status, oneLine(out.Stderr+" "+out.Stdout))
	}
	if err == nil && strings.TrimSpace(out.Stdout) == "" {
		err = errors.New("vtysh answered nothing: do FRR's daemons run?")
	}
	if err != nil {
		return "", fmt.Errorf("FRR: %q: %w", command, err)
	}
	return out.Stdout, nil
}

// Configure types all commands into one vtysh. A file (vtysh -f) would be no
// good: mgmtd (FRR 10) commits that as a whole, and when it refuses one line it
// refuses from then on everything, until FRR is restarted.
func (v Vtysh) Configure(ctx context.Context, commands []Command) ([]Answer, error) {
	patience := newBackoff(lockWait)
	var found []Answer
	todo := make([]int, len(commands))
	for i := range todo {
		todo[i] = i
	}
	for {
		lines := typed(commands, todo)
		out, err := v.Exec(ctx, v.argv(), text(lines))
		if err != nil {
			return nil, fmt.Errorf("configure FRR: %w", err)
		}
		answers, err := heard(out, lines)
		if err != nil {
			return nil, fmt.Errorf("configure FRR: %w", err)
		}
		todo = todo[:0]
		for _, a := range answers {
			if passing(a.Text) {
				todo = append(todo, a.Command)
			} else {
				found = append(found, a)
			}
		}
		if len(todo) == 0 || !patience.wait(ctx) {
			return append(found, stillPassing(answers)...), ctx.Err()
		}
	}
}

// stillPassing are the answers that were waited for in vain.
func stillPassing(answers []Answer) []Answer {
	return slices.DeleteFunc(answers, func(a Answer) bool { return !passing(a.Text) })
}

// line is what is typed for a command.
type line struct {
	text    string
	command int
}

// typed are the lines for some of the commands. Each context is entered from
// the top, so that one that was refused leaves nothing astray.
func typed(commands []Command, some []int) []line {
	var lines []line
	at := []string{"nowhere"}
	for _, i := range some {
		c := commands[i]
		depth := shared(at, c.Context)
		switch {
		case len(at) == depth: // is there, or around it
		case depth == 1 && len(at) == 2:
			lines = append(lines, line{exit(at[1]), i})
		case depth < 1 || depth < len(at):
			lines = append(lines, line{"end", i}, line{"configure terminal", i})
			depth = 0
		}
		for _, context := range c.Context[depth:] {
			lines = append(lines, line{context, i})
		}
		lines = append(lines, line{c.Line, i})
		at = c.Context
		if exit(c.Line) != "" {
			at = append(slices.Clone(c.Context), c.Line)
		}
	}
	return append(lines, line{"end", -1})
}

func text(lines []line) string {
	var b strings.Builder
	for _, l := range lines {
		b.WriteString(l.text + "\n")
	}
	return b.String()
}

// heard finds what was said to each command. vtysh repeats each line after its
// prompt, and what FRR says to it follows.
func heard(out Output, lines []line) ([]Answer, error) {
	said := map[int]string{}
	next := 0
	for text := range strings.Lines(out.Stdout + out.Stderr) {
		text = strings.TrimRight(text, "\r\n")
		if next < len(lines) && echoes(text, lines[next].text) {
			next++
			continue
		}
		if next > 0 && lines[next-1].command >= 0 {
			said[lines[next-1].command] += " " + text
		}
	}
	if next < len(lines) {
		return nil, fmt.Errorf("vtysh ended with status %d before %q: %s", out.Status, lines[next].text, oneLine(out.Stderr+" "+out.Stdout))
	}
	var answers []Answer
	for _, i := range slices.Sorted(maps.Keys(said)) {
		if text := oneLine(said[i]); text != "" {
			answers = append(answers, Answer{Command: i, Text: text})
		}
	}
	return answers, nil
}

// echoes reports whether a line of the screen is a prompt with what was typed after it.
// Without a terminal, as in a container, vtysh takes the screen for one of 80 columns and
// shows the end only of what is longer.
func echoes(screen, typed string) bool {
	if strings.HasSuffix(screen, "# "+typed) {
		return true
	}
	i := strings.LastIndex(screen, "\r<")
	return i > 0 && i+2 < len(screen) && strings.HasSuffix(typed, screen[i+2:])
}

// oneLine bounds a text and puts it on a line.
func oneLine(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if most := 500; len(text) > most {
		text = text[:most] + "…"
	}
	return text
}
