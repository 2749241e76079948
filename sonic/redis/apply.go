package redis

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/errgroup"

	"github.com/switchlet/switchlet/sonic"
)

// maxWatched bounds a transaction: Redis compares each key that it is told to
// watch with all those that it watches already.
const maxWatched = 128

// Apply carries out the commands of a stage, as one transaction or, if it is large, as several.
// A transaction is not carried out, and the error is ErrNotInitialized or
// ErrChanged, when CONFIG_DB is not in use, or when somebody else made one of
// the rows to create. The rows of a stage do not need each other, so any part of
// it is as good a state as all of it.
//
// An error that is neither leaves open whether the last transaction was carried
// out.
func (c *Client) Apply(ctx context.Context, all []sonic.Command) error {
	var transactions errgroup.Group
	transactions.SetLimit(connections)
	for commands := range slices.Chunk(all, maxWatched) {
		transactions.Go(func() error { return c.transaction(ctx, commands) })
	}
	if err := transactions.Wait(); errors.Is(err, redis.TxFailedErr) {
		return fmt.Errorf("write CONFIG_DB: %w", ErrChanged)
	} else if err != nil {
		return fmt.Errorf("write CONFIG_DB: %w", err)
	}
	return nil
}

// transaction carries out commands unless a row that they create is there, or
// comes to be there in the meantime.
func (c *Client) transaction(ctx context.Context, commands []sonic.Command) error {
	conn := c.rdb.Conn()
	defer conn.Close()
	var absent []string
	for _, command := range commands {
		if command.Op == sonic.Create {
			absent = append(absent, command.Key.String())
		}
	}
	if err := check(ctx, conn, absent); err != nil {
		// Without this the connection would go on watching.
		return errors.Join(err, conn.Do(ctx, "unwatch").Err())
	}
	return execute(ctx, conn, commands)
}

// check watches the keys, so that a later change of one makes the transaction
// fail, and reports whether CONFIG_DB is in use and has none of them.
func check(ctx context.Context, conn *redis.Conn, absent []string) error {
	pipe := conn.Pipeline()
	watch := redis.NewStatusCmd(ctx, words("watch", append(absent, initialized))...)
	if err := pipe.Process(ctx, watch); err != nil {
		return err
	}
	state := pipe.Get(ctx, initialized)
	var there *redis.IntCmd
	if len(absent) > 0 {
		there = pipe.Exists(ctx, absent...)
	}
	_, _ = pipe.Exec(ctx) // each command has its own error
	if err := errors.Join(watch.Err(), checkInitialized(state)); err != nil {
		return err
	}
	if there == nil {
		return nil
	}
	n, err := there.Result()
	if err == nil && n > 0 {
		err = ErrChanged
	}
	return err
}

func words(command string, args []string) []any {
	out := make([]any, 0, 1+len(args))
	out = append(out, command)
	for _, arg := range args {
		out = append(out, arg)
	}
	return out
}

func execute(ctx context.Context, conn *redis.Conn, commands []sonic.Command) error {
	results, err := conn.TxPipelined(ctx, func(pipe redis.Pipeliner) error {
		for _, command := range commands {
			if err := pipe.Process(ctx, redis.NewCmd(ctx, arguments(command)...)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return describe(commands, results, err)
	}
	return nil
}

// describe adds the command that failed to the error of a transaction.
func describe(commands []sonic.Command, results []redis.Cmder, err error) error {
	if errors.Is(err, redis.TxFailedErr) || len(results) != len(commands) {
		return err
	}
	for i, result := range results {
		var answer redis.Error
		if errors.As(result.Err(), &answer) {
			return fmt.Errorf("%s: %w", commands[i], result.Err())
		}
	}
	return err
}

// arguments of the Redis command. A row without fields has the field NULL.
func arguments(c sonic.Command) []any {
	key := c.Key.String()
	switch c.Op {
	case sonic.Delete:
		return []any{"del", key}
	case sonic.Unset:
		args := []any{"hdel", key}
		for _, field := range c.Fields {
			args = append(args, field.Name)
		}
		return args
	case sonic.Create, sonic.Set:
	}
	if len(c.Fields) == 0 {
		return []any{"hset", key, "NULL", "NULL"}
	}
	args := make([]any, 2, 2+2*len(c.Fields))
	args[0], args[1] = "hset", key
	for _, field := range c.Fields {
		args = append(args, field.Name, field.Value)
	}
	return args
}
