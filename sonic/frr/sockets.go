package frr

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"
)

// lockWait is how long others may keep FRR's datastores locked. A vtysh -f of a
// whole configuration takes seconds.
const lockWait = 10 * time.Second

// Sockets is a Shell that speaks to the daemons' sockets in a folder, which is
// /var/run/frr in SONiC's bgp container. Each use connects anew, since daemons
// close connections that are idle and come back as other processes.
type Sockets struct {
	Dir string
	// LockWait is how long others may keep the datastores locked; zero is 10 s.
	LockWait time.Duration
}

// open connects to those of the daemons that run.
func (s Sockets) open(ctx context.Context, daemons []string) ([]*vty, error) {
	var open []*vty
	for _, daemon := range daemons {
		v, err := dial(ctx, s.Dir, daemon)
		switch {
		case err == nil:
			open = append(open, v)
		case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
			continue // does not run
		default:
			return nil, errors.Join(err, closeAll(open))
		}
	}
	for _, needed := range []string{"zebra", "bgpd"} {
		if !has(open, needed) {
			return nil, errors.Join(fmt.Errorf("FRR's %s does not answer in %s: %w", needed, s.Dir, fs.ErrNotExist), closeAll(open))
		}
	}
	for _, v := range open {
		if _, _, err := v.run(ctx, "enable"); err != nil {
			return nil, errors.Join(err, closeAll(open))
		}
	}
	return open, nil
}

// all are the daemons that have a socket: others, such as staticd, may have
// statements of somebody else's in Switchlet's contexts.
func (s Sockets) all() ([]string, error) {
	files, err := os.ReadDir(s.Dir)
	if err != nil {
		return nil, fmt.Errorf("list FRR's sockets: %w", err)
	}
	names := daemons()
	for _, file := range files {
		name, ok := strings.CutSuffix(file.Name(), ".vty")
		if ok && name != "watchfrr" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names, nil
}

func has(open []*vty, daemon string) bool {
	for _, v := range open {
		if v.daemon == daemon {
			return true
		}
	}
	return false
}

func closeAll(open []*vty) error {
	var errs []error
	for _, v := range open {
		errs = append(errs, v.close())
	}
	return errors.Join(errs...)
}

// Running is what all daemons say, one after the other; of prefix lists and route maps
// only those that bgpd has, too.
func (s Sockets) Running(ctx context.Context) (text string, err error) {
	names, err := s.all()
	if err != nil {
		return "", err
	}
	open, err := s.open(ctx, names)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, closeAll(open)) }()
	texts := map[string]string{}
	for _, v := range open {
		answer, status, err := v.run(ctx, "show running-config")
		if err == nil && status != statusSuccess {
			err = fmt.Errorf("FRR's %s refused %q: %s", v.daemon, "show running-config", strings.TrimSpace(answer))
		}
		if err != nil {
			return "", err
		}
		texts[v.daemon] = answer
	}
	return together(names, texts), nil
}

// together is what daemons say, in an order. Several have prefix lists and route maps, one
// each; a bgpd that was started anew has none, and filters all away that goes by them.
func together(names []string, texts map[string]string) string {
	filters := map[string]bool{}
	for line := range strings.Lines(texts["bgpd"]) {
		filters[line] = filter(line)
	}
	var b strings.Builder
	for _, name := range names {
		out := false
		for line := range strings.Lines(texts[name]) {
			if !strings.HasPrefix(line, " ") {
				out = filter(line) && !filters[line]
			}
			if !out {
				b.WriteString(line)
			}
		}
		b.WriteString("\n")
	}
	return b.String()
}

// filter reports whether a statement at the top is of a prefix list or route map.
func filter(line string) bool {
	kind := kindOf(line)
	return kind == kindPrefixList || kind == kindRouteMap
}

// Show asks one daemon.
func (s Sockets) Show(ctx context.Context, daemon, command string) (answer string, err error) {
	v, err := dial(ctx, s.Dir, daemon)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, v.close()) }()
	if _, _, err := v.run(ctx, "enable"); err != nil {
		return "", err
	}
	answer, status, err := v.run(ctx, command)
	if err == nil && status != statusSuccess {
		err = fmt.Errorf("FRR's %s refused %q: %s", daemon, command, strings.TrimSpace(answer))
	}
	return answer, err
}

// Configure sends each command to every daemon that knows it.
func (s Sockets) Configure(ctx context.Context, commands []Command) (answers []Answer, err error) {
	open, err := s.open(ctx, daemons())
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, closeAll(open)) }()
	wait := s.LockWait
	if wait == 0 {
		wait = lockWait
	}
	c := configuration{patience: newBackoff(wait)}
	for _, v := range open {
		c.terminals = append(c.terminals, &terminal{vty: v})
	}
	for i, command := range commands {
		text, err := c.run(ctx, command)
		if err != nil {
			return answers, fmt.Errorf("configure FRR: %w", err)
		}
		if text != "" {
			answers = append(answers, Answer{Command: i, Text: text})
		}
	}
	return answers, nil
}
