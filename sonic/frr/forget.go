package frr

import (
	"context"
	"fmt"
	"strings"
)

// forget removes VRFs of which FRR knows nothing but the name that Switchlet
// gave it. It never asks for one that the kernel has: FRR 10 may then refuse all
// later changes. So a VRF stays until the first change after the kernel let it go.
func (c *change) forget(ctx context.Context) error {
	names := idle(c.have, c.want, c.owned)
	if len(names) == 0 {
		return nil
	}
	text, err := c.shell.Show(ctx, "zebra", "show vrf")
	if err != nil {
		return fmt.Errorf("list FRR's VRFs: %w", err)
	}
	inactive := inactiveVRFs(text)
	var commands []Command
	for _, name := range names {
		if inactive[name] {
			commands = append(commands, Command{Line: "no vrf " + name})
		}
	}
	if len(commands) == 0 {
		return nil
	}
	if _, err := c.shell.Configure(ctx, commands); err != nil {
		return err
	}
	c.have, err = c.read(ctx)
	return err
}

// idle are Switchlet's VRFs that are not wanted and in which nothing is said.
func idle(have, want, owned Tree) []string {
	wants, owns := want.index(), owned.index()
	var names []string
	for _, node := range have {
		own, ok := owns[node.Line]
		name, isVRF := strings.CutPrefix(node.Line, "vrf ")
		if isVRF && ok && !own.Shared && wants[node.Line] == nil && len(node.Inside) == 0 {
			names = append(names, name)
		}
	}
	return names
}

// inactiveVRFs are those that "show vrf" says the kernel does not have.
func inactiveVRFs(text string) map[string]bool {
	names := map[string]bool{}
	for line := range strings.Lines(text) {
		if words := strings.Fields(line); len(words) > 2 && words[0] == "vrf" && words[2] == "inactive" {
			names[words[1]] = true
		}
	}
	return names
}
