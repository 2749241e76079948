package frr

import "strings"

// Command is one line for FRR's configuration mode.
type Command struct {
	// Context is the statements inside of which the line belongs, the
	// outermost first.
	Context []string
	Line    string
	// Owner is whose statement it makes or takes back.
	Owner string
}

// String is the command on one line.
func (c Command) String() string {
	if len(c.Context) == 0 {
		return c.Line
	}
	return strings.Join(c.Context, " / ") + " / " + c.Line
}

// ConflictKind says why a wanted change is left out of a plan.
type ConflictKind int

// The kinds of conflicts.
const (
	_ ConflictKind = iota
	// Taken: somebody else gave the same thing another value.
	Taken
	// InUse: a statement of Switchlet's would have to go, but one of somebody
	// else's would go with it.
	InUse
)

// Conflict is a wanted statement that is not made, or an unwanted one that is
// not taken back.
type Conflict struct {
	Kind    ConflictKind
	Context []string
	Line    string
	Owner   string
	// Other is the statement of somebody else's.
	Other string
}

// String is the statement and the one in its way.
func (c Conflict) String() string {
	return Command{Context: c.Context, Line: c.Line}.String() + " (" + c.Other + ")"
}

// Plan is how to get from the statements that are there to those that are
// wanted.
type Plan struct {
	// Commands to carry out one after the other.
	Commands  []Command
	Conflicts []Conflict
	// Own is what to record before the first command: the statements that are
	// Switchlet's while and after the commands are carried out.
	Own Tree
}

// Empty reports whether there is nothing to do.
func (p *Plan) Empty() bool { return len(p.Commands) == 0 }

// String has a line for each command, as FRR would write them into a file,
// which can also be given to vtysh.
func (p *Plan) String() string {
	var b strings.Builder
	var at []string
	put := func(depth int, line string) { b.WriteString(strings.Repeat(" ", depth) + line + "\n") }
	leave := func(depth int) {
		for ; len(at) > depth; at = at[:len(at)-1] {
			put(len(at)-1, exit(at[len(at)-1]))
		}
	}
	for _, c := range p.Commands {
		depth := shared(at, c.Context)
		leave(depth)
		for ; depth < len(c.Context); depth++ {
			put(depth, c.Context[depth])
			at = append(at, c.Context[depth])
		}
		put(depth, c.Line)
		if exit(c.Line) != "" {
			at = append(at, c.Line)
		}
	}
	leave(0)
	return b.String()
}

// shared is how many contexts two places have in common.
func shared(a, b []string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}
