package frr

import (
	"context"
	"strings"
	"time"
)

// Shell is a way to FRR's daemons.
type Shell interface {
	// Running is the running configuration of all daemons, as text.
	Running(ctx context.Context) (string, error)
	// Configure carries out commands and goes on after one that is refused. It
	// returns what FRR answered. An error means that it is not known
	// which commands were carried out.
	Configure(ctx context.Context, commands []Command) ([]Answer, error)
	// Show is the answer of a daemon to a show command.
	Show(ctx context.Context, daemon, command string) (string, error)
}

// Answer is what FRR said to a command. It says something to those that it
// refuses, and remarks on others.
type Answer struct {
	// Command is its place among the commands.
	Command int
	Text    string
}

// daemons that have statements of Switchlet's. Those that do not run have no
// socket; mgmtd came with FRR 9, others may come.
func daemons() []string { return []string{"mgmtd", "zebra", "bgpd"} }

// Pauses before a command that was refused for a passing reason is sent again.
const (
	firstPause = 20 * time.Millisecond
	lastPause  = time.Second
)

// passing reports whether an answer gives a reason that passes: somebody else is
// changing FRR's configuration at this moment (FRR lib/vty.c, mgmtd), or bgpd has
// not yet heard from zebra that an L3 VNI is gone (bgpd/bgp_vty.c).
func passing(answer string) bool {
	for _, sign := range []string{
		"could not lock", "Lock already taken", "locked by", "failed to create config transaction", "txn in progress",
		"Please unconfigure l3vni",
	} {
		if strings.Contains(answer, sign) {
			return true
		}
	}
	return false
}

// backoff waits ever longer, in all for as long as it may.
type backoff struct {
	pause time.Duration
	left  time.Duration
}

func newBackoff(total time.Duration) *backoff { return &backoff{pause: firstPause, left: total} }

// wait reports whether it waited, as it does until its time is over.
func (b *backoff) wait(ctx context.Context) bool {
	if b.left <= 0 {
		return false
	}
	timer := time.NewTimer(min(b.pause, b.left))
	defer timer.Stop()
	b.left -= b.pause
	b.pause = min(2*b.pause, lastPause)
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
