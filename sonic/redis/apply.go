package redis

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/switchlet/switchlet/sonic"
)

// transaction is how many commands Redis carries out at once: a millisecond of
// its time, in which it answers nobody else.
const transaction = 256

// script carries out a transaction: only a script can look first. KEYS are the
// key that says whether CONFIG_DB is in use, the rows that must not be there, and
// then those that are changed. ARGV has the number of the former, and for each
// run of like commands its command, the number of rows, the number of words
// after the key, and all these words.
const script = `if redis.call('get', KEYS[1]) ~= '` + inUse + `' then return '` + saysLoading + `' end
local created = tonumber(ARGV[1])
if created > 0 and redis.call('exists', unpack(KEYS, 2, 1 + created)) > 0 then return '` + saysChanged + `' end
local pcall, row, at = redis.pcall, 2, 2
while at <= #ARGV do
  local command, last, words = ARGV[at], row + ARGV[at + 1] - 1, tonumber(ARGV[at + 2])
  at = at + 3
  for i = row, last do
    local done = pcall(command, KEYS[i], unpack(ARGV, at, at + words - 1))
    if type(done) == 'table' then return command .. ' ' .. KEYS[i] .. ': ' .. done.err end
    at = at + words
  end
  row = last + 1
end
return '` + saysDone + `'`

// What the script answers, other than what is wrong with a command.
const (
	saysDone    = "done"
	saysLoading = "loading"
	saysChanged = "changed"
)

// Apply carries out the commands of a stage, as one transaction or, if it is large, as several.
// A transaction is not carried out, and the error is ErrNotInitialized or
// ErrChanged, when CONFIG_DB is not in use, or when somebody else made one of
// the rows to create. The rows of a stage do not need each other, so any part of
// it is as good a state as all of it.
//
// An error that is neither leaves open how much was carried out.
func (c *Client) Apply(ctx context.Context, all []sonic.Command) error {
	var refused error
	err := c.wires.lend(ctx, func(w *wire) (err error) {
		guarded, open := split(all)
		if refused, err = w.look(guarded); err != nil || refused != nil {
			return err
		}
		return c.extend(ctx, w, open)
	})
	if err == nil {
		err = refused
	}
	if err != nil {
		return fmt.Errorf("write CONFIG_DB: %w", err)
	}
	return nil
}

// split gives the commands for the script, and those, if they are many, that need none.
func split(all []sonic.Command) (guarded, open []sonic.Command) {
	extends := func(c sonic.Command) bool { return c.Op == sonic.Extend }
	n := 0
	for i := range all {
		if extends(all[i]) {
			n++
		}
	}
	switch {
	case n < many:
		return all, nil
	case n == len(all):
		return nil, all
	}
	return slices.DeleteFunc(slices.Clone(all), extends), slices.DeleteFunc(slices.Clone(all), func(c sonic.Command) bool { return !extends(c) })
}

// look carries out commands by the script. The error refused is what it says.
func (w *wire) look(all []sonic.Command) (refused, err error) {
	sent := 0
	for commands := range slices.Chunk(all, transaction) {
		w.transaction(commands)
		if err := w.flush(); err != nil {
			return nil, err
		}
		sent++
	}
	for range sent {
		outcome, err := w.outcome()
		if err != nil {
			return nil, err
		}
		if refused == nil {
			refused = outcome
		}
	}
	return refused, nil
}

// transaction adds the script with the commands: first those that create rows.
func (w *wire) transaction(commands []sonic.Command) {
	var runs []run
	created, arguments := 0, 1
	add := func(create bool) {
		for i := range commands {
			if c := &commands[i]; (c.Op == sonic.Create) == create {
				runs = join(runs, c)
				arguments += words(c)
			}
		}
	}
	add(true)
	for _, run := range runs {
		created += len(run)
	}
	add(false)
	w.begin(4 + len(commands) + 3*len(runs) + arguments)
	w.word("eval")
	w.word(script)
	w.number(1 + len(commands))
	w.word(initialized)
	for _, run := range runs {
		for _, c := range run {
			w.key(c.Key)
		}
	}
	w.number(created)
	for _, run := range runs {
		w.run(run)
	}
}

// run is commands that differ only in their words.
type run []*sonic.Command

// join adds a command to the last run, or begins a new one.
func join(runs []run, c *sonic.Command) []run {
	if last := len(runs) - 1; last >= 0 && name(runs[last][0]) == name(c) && words(runs[last][0]) == words(c) && (runs[last][0].Op == sonic.Create) == (c.Op == sonic.Create) {
		runs[last] = append(runs[last], c)
		return runs
	}
	return append(runs, run{c})
}

// run adds the words of a run.
func (w *wire) run(run run) {
	w.word(name(run[0]))
	w.number(len(run))
	w.number(words(run[0]))
	for _, c := range run {
		w.fields(c)
	}
}

// outcome reads what the script answers. An error as the first result is one of
// the commands', or that they were not carried out.
func (w *wire) outcome() (refused, err error) {
	w.awaitAnswers()
	text, err := w.bulk()
	var answer answerError
	switch {
	case errors.As(err, &answer):
		return answer, nil
	case err != nil:
		return nil, err
	}
	switch string(text) {
	case saysDone:
		return nil, nil
	case saysLoading:
		return ErrNotInitialized, nil
	case saysChanged:
		return ErrChanged, nil
	}
	return answerError(text), nil
}

// name of the command in Redis.
func name(c *sonic.Command) string {
	switch c.Op {
	case sonic.Delete:
		return "del"
	case sonic.Unset:
		return "hdel"
	case sonic.Create, sonic.Extend, sonic.Set:
	}
	return "hset"
}

// words is the number of words after the key.
func words(c *sonic.Command) int {
	switch c.Op {
	case sonic.Delete:
		return 0
	case sonic.Unset:
		return len(c.Fields)
	case sonic.Create, sonic.Extend, sonic.Set:
	}
	return 2 * max(1, len(c.Fields))
}

// fields adds the words after the key. A row without fields has the field NULL.
func (w *wire) fields(c *sonic.Command) {
	if words(c) > 0 && len(c.Fields) == 0 {
		w.word("NULL")
		w.word("NULL")
	}
	for i := range c.Fields {
		w.word(c.Fields[i].Name)
		if c.Op != sonic.Unset {
			w.word(c.Fields[i].Value)
		}
	}
}
