package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"time"

	"golang.org/x/term"

	"github.com/switchlet/switchlet/deploy/lab/matrix/measure"
	"github.com/switchlet/switchlet/deploy/lab/state"
)

// matrixCommand shows who reaches whom in a lab that forwards.
func matrixCommand(ctx context.Context, a *app, args []string) error {
	if len(args) > 0 || a.output != "table" && a.output != "json" {
		return errors.New("say one of: lab matrix, lab matrix -o json, lab matrix --watch 30s")
	}
	lab, err := state.Load(a.name)
	if err != nil {
		return err
	}
	m, err := measure.Of(lab)
	if err != nil {
		return err
	}
	outcome, err := measureNow(ctx, m, a.watch)
	if err != nil {
		return err
	}
	colour := os.Getenv("NO_COLOR") == "" && term.IsTerminal(int(os.Stdout.Fd()))
	if err := writeOutcome(os.Stdout, &outcome, a.output, colour); err != nil {
		return err
	}
	return outcome.Verdict()
}

// measureNow plugs in the endpoints that there are, asks everyone for everyone, may
// watch for a while, and takes the endpoints away again.
func measureNow(ctx context.Context, m *measure.Measure, watch time.Duration) (outcome measure.Outcome, err error) {
	endpoints, problems, err := m.Endpoints(ctx)
	if err != nil {
		return outcome, err
	}
	rules, err := m.Rules(ctx)
	if err != nil {
		return outcome, err
	}
	defer func() { err = errors.Join(err, m.End(ctx)) }()
	if outcome, err = m.Ask(ctx, endpoints, rules); err != nil {
		return outcome, err
	}
	outcome.Problems = problems
	if watch == 0 {
		return outcome, nil
	}
	return outcome, m.Watch(ctx, &outcome, watch)
}

// writeOutcome shows what was measured, as a table or json.
func writeOutcome(out io.Writer, outcome *measure.Outcome, format string, colour bool) error {
	if format == "json" {
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(outcome)
	}
	_, err := io.WriteString(out, outcome.Text(colour))
	return err
}
