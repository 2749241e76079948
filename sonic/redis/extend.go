package redis

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/switchlet/switchlet/sonic"
)

// many is from how many commands on a transaction without a script is worth its second
// way to Redis and back. A script takes twice as long for a command.
const many = 64

// extend has the commands carried out that need no look at the rows: if they are many, by
// two connections, so that Redis is at work for one while the other hears of its answers.
func (c *Client) extend(ctx context.Context, w *wire, all []sonic.Command) error {
	half := len(all) / 2
	if half < transaction {
		return w.extend(all)
	}
	rest := make(chan error, 1)
	go func() {
		rest <- c.wires.lend(ctx, func(other *wire) error { return other.extend(all[half:]) })
	}()
	err := w.extend(all[:half])
	return errors.Join(err, <-rest)
}

// extend carries out commands that need no look at the rows, as transactions that Redis
// does not carry out if the key that says whether CONFIG_DB is in use has changed since it
// was read (WATCH). While Redis carries out one, the next is on its way. An error leaves
// open how much was carried out, and the connection is of no use any more.
func (w *wire) extend(all []sonic.Command) error {
	if len(all) == 0 {
		return nil
	}
	chunks := slices.Collect(slices.Chunk(all, transaction))
	w.queue(chunks[0])
	if err := w.flush(); err != nil {
		return err
	}
	for i, commands := range chunks {
		if err := w.watched(); err != nil {
			return err
		}
		w.add("exec")
		if err := w.flush(); err != nil { // Redis has something to do while the next is written down
			return err
		}
		if i+1 < len(chunks) {
			w.queue(chunks[i+1])
			if err := w.flush(); err != nil {
				return err
			}
		}
		if err := w.carriedOut(commands); err != nil {
			return err
		}
	}
	return nil
}

// queue adds a transaction, but for its end.
func (w *wire) queue(commands []sonic.Command) {
	w.add("watch", initialized)
	w.add("get", initialized)
	w.add("multi")
	for i := range commands {
		c := &commands[i]
		w.begin(2 + words(c))
		w.word(name(c))
		w.key(c.Key)
		w.fields(c)
	}
}

// watched reads what Redis answers to WATCH and GET.
func (w *wire) watched() error {
	w.awaitAnswers()
	if _, _, err := w.head(); err != nil {
		return err
	}
	return w.initialized()
}

// carriedOut reads what Redis answers to MULTI, to each command, and to EXEC.
func (w *wire) carriedOut(commands []sonic.Command) error {
	if _, _, err := w.head(); err != nil {
		return err
	}
	refused, err := w.each(commands)
	if err != nil {
		return err
	}
	kind, n, err := w.head()
	switch {
	case refused != nil: // and EXEC too, for that reason
		return refused
	case err != nil:
		return err
	case kind == '*' && n == -1:
		return ErrNotInitialized
	case kind != '*' || n != len(commands):
		return fmt.Errorf("%w: %c%d instead of %d answers", errProtocol, kind, n, len(commands))
	}
	refused, err = w.each(commands)
	return errors.Join(refused, err)
}

// each reads an answer to each command. The first that says what is wrong is refused.
func (w *wire) each(commands []sonic.Command) (refused, err error) {
	for i := range commands {
		_, _, err := w.head()
		var answer answerError
		switch {
		case errors.As(err, &answer):
			if refused == nil {
				refused = answerError(name(&commands[i]) + " " + commands[i].Key.String() + ": " + string(answer))
			}
		case err != nil:
			return nil, err
		}
	}
	return refused, nil
}
