package frr

import (
	"context"
	"strings"
)

// change is the work of one Apply.
type change struct {
	*Session
	want, owned, have Tree
	// said is what FRR answered to commands, by their text, and of those that
	// were not tried, because of somebody else's statement, what that is.
	said map[string]string
}

// newChange is the work of carrying out a plan.
func newChange(s *Session, want Tree, plan *Plan) *change {
	c := &change{Session: s, want: want, owned: plan.Own, said: map[string]string{}}
	for _, conflict := range plan.Conflicts {
		c.said[Command{Context: conflict.Context, Line: conflict.Line}.String()] = conflict.Other
	}
	return c
}

// sendAll carries commands out and returns those that did not arrive. What is left of them
// is sent twice: mgmtd (FRR 10.7) refuses one change for the line of a file that it refused
// before, and only then forgets that. At last come those that take routes of other VRFs
// over.
func (c *change) sendAll(ctx context.Context, commands []Command) ([]Command, error) {
	left, err := c.send(ctx, cautious(commands))
	if again := cautious(left); err == nil && len(again) > 0 {
		left, err = c.send(ctx, again)
	}
	if last := permitted(left); err == nil && len(last) > 0 {
		return c.send(ctx, last)
	}
	return left, err
}

// send carries commands out and returns those that did not arrive.
func (c *change) send(ctx context.Context, commands []Command) ([]Command, error) {
	answers, err := c.shell.Configure(ctx, commands)
	if err != nil {
		return nil, err
	}
	for _, command := range commands {
		delete(c.said, command.String())
	}
	for _, a := range answers {
		c.said[commands[a.Command].String()] = told(a.Text)
	}
	return c.left(ctx)
}

// told is an answer without what mgmtd puts around it, in which numbers differ each time.
func told(answer string) string {
	if _, reason, ok := strings.Cut(answer, "reason: '"); ok {
		return strings.TrimSuffix(reason, "'")
	}
	return answer
}

// left are the commands that would still be needed.
func (c *change) left(ctx context.Context) ([]Command, error) {
	have, err := c.read(ctx)
	if err != nil {
		return nil, err
	}
	c.have = have
	c.hidden = unseen(c.want, have, c.said, nil)
	plan := c.delta(have, c.want, c.owned)
	return plan.Commands, nil
}

// unseen has the wanted statements that FRR took without a word and does not
// show, in contexts that are there.
func unseen(want, have Tree, said map[string]string, context []string) Tree {
	var out Tree
	haves := have.index()
	for _, node := range want {
		there := haves[node.Line]
		switch {
		case there != nil:
			inside := unseen(node.Inside, there.Inside, said, append(context[:len(context):len(context)], node.Line))
			if len(inside) > 0 {
				out = append(out, Node{Line: node.Line, Shared: true, Inside: inside})
			}
		case hides(node.Line):
			if _, refused := said[Command{Context: context, Line: node.Line}.String()]; !refused {
				out = append(out, Node{Line: node.Line, Owner: node.Owner})
			}
		}
	}
	return out
}

// within has the statements of a that are in contexts that b has.
func within(a, b Tree) Tree {
	var out Tree
	haves := b.index()
	for _, node := range a {
		there := haves[node.Line]
		switch {
		case len(node.Inside) == 0:
			out = append(out, node)
		case there != nil:
			if node.Inside = within(node.Inside, there.Inside); len(node.Inside) > 0 {
				out = append(out, node)
			}
		}
	}
	return out
}

func refusals(left []Command, said map[string]string) []Refusal {
	var refused []Refusal
	for _, c := range left {
		answer, ok := said[c.String()]
		for depth := len(c.Context); !ok && depth > 0; depth-- {
			around := Command{Context: c.Context[:depth-1], Line: c.Context[depth-1]}
			answer, ok = said[around.String()]
		}
		if !ok {
			answer = "FRR said nothing, and the statement is not in its running configuration"
		}
		refused = append(refused, Refusal{Command: c, Answer: answer})
	}
	return refused
}
