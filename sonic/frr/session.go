package frr

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
)

// Session changes and reads the FRR of a switch. Its changes come one after the
// other. Several goroutines may use it.
type Session struct {
	shell Shell
	log   *slog.Logger
	mu    sync.Mutex
	// hidden are statements that FRR took and does not show, because they say
	// what is its default.
	hidden Tree
}

// NewSession is a session by way of a shell.
func NewSession(shell Shell, log *slog.Logger) *Session { return &Session{shell: shell, log: log} }

// Refusal is a command that FRR did not carry out.
type Refusal struct {
	Command
	// Answer is what FRR said.
	Answer string
}

// Result is what became of a change.
type Result struct {
	// Sent is the number of commands that were needed; zero if all was right.
	Sent int
	// Refused are the commands that did not arrive in the running configuration.
	Refused []Refusal
	// Conflicts are changes that were not tried, see Delta.
	Conflicts []Conflict
	// Owned is what is Switchlet's from now on.
	Owned Tree
}

// Read is the running configuration.
func (s *Session) Read(ctx context.Context) (Tree, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.read(ctx)
}

func (s *Session) read(ctx context.Context) (Tree, error) {
	text, err := s.shell.Running(ctx)
	if err != nil {
		return nil, fmt.Errorf("read FRR's running configuration: %w", err)
	}
	return Parse(text)
}

// Apply makes the owned statements of the running configuration those that are
// wanted, and reads back what became of it. What FRR refuses is in the result
// with its owner; the rest is in force.
//
// record gets what to keep as owned before the first command is sent; it is not
// called if there is nothing to do. After an error that record stands.
func (s *Session) Apply(ctx context.Context, want, owned Tree, record func(Tree) error) (Result, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	have, err := s.read(ctx)
	if err != nil {
		return Result{}, err
	}
	plan := s.delta(have, want, owned)
	result := Result{Sent: len(plan.Commands), Conflicts: plan.Conflicts, Owned: common(plan.Own, have)}
	if plan.Empty() {
		return result, nil
	}
	if err := record(plan.Own); err != nil {
		return result, fmt.Errorf("record what is changed in FRR: %w", err)
	}
	change := newChange(s, want, &plan)
	left, err := change.sendAll(ctx, plan.Commands)
	if err != nil {
		return result, err
	}
	if err := change.forget(ctx); err != nil {
		return result, err
	}
	result.Refused = refusals(left, change.said)
	result.Owned = common(plan.Own, change.have)
	s.log.Info("FRR changed", "commands", result.Sent, "refused", len(result.Refused))
	return result, nil
}

// delta takes what is in force without being shown as being there.
func (s *Session) delta(have, want, owned Tree) Plan {
	hidden := within(s.hidden, have)
	return Delta(Merge(have, hidden), want, Merge(owned, hidden))
}
