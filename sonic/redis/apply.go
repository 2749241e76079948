package redis

import (
	"context"
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"

	"github.com/switchlet/switchlet/sonic"
)

// Apply carries out a stage as one transaction: all of it or nothing. Nothing
// is written, and the error is ErrNotInitialized or ErrChanged, when CONFIG_DB
// is not in use, or when somebody else made one of the rows to create.
//
// An error that is neither leaves open whether the stage was carried out.
func (c *Client) Apply(ctx context.Context, stage sonic.Stage) error {
	watched := []string{initialized}
	for _, command := range stage {
		if command.Op == sonic.Create {
			watched = append(watched, command.Key.String())
		}
	}
	err := c.rdb.Watch(ctx, func(tx *redis.Tx) error {
		if err := check(ctx, tx, watched[1:]); err != nil {
			return err
		}
		return execute(ctx, tx, stage)
	}, watched...)
	if errors.Is(err, redis.TxFailedErr) {
		return fmt.Errorf("write CONFIG_DB: %w", ErrChanged)
	}
	if err != nil {
		return fmt.Errorf("write CONFIG_DB: %w", err)
	}
	return nil
}

// check reports whether CONFIG_DB is in use and has none of the keys. Both are
// being watched: a later change of either makes the transaction fail.
func check(ctx context.Context, tx *redis.Tx, absent []string) error {
	pipe := tx.Pipeline()
	state := pipe.Get(ctx, initialized)
	var there *redis.IntCmd
	if len(absent) > 0 {
		there = pipe.Exists(ctx, absent...)
	}
	_, _ = pipe.Exec(ctx) // each command has its own error
	if err := checkInitialized(state); err != nil {
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

func execute(ctx context.Context, tx *redis.Tx, stage sonic.Stage) error {
	results, err := tx.TxPipelined(ctx, func(pipe redis.Pipeliner) error {
		for _, command := range stage {
			if err := pipe.Process(ctx, redis.NewCmd(ctx, arguments(command)...)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return describe(stage, results, err)
	}
	return nil
}

// describe adds the command that failed to the error of a transaction.
func describe(stage sonic.Stage, results []redis.Cmder, err error) error {
	if errors.Is(err, redis.TxFailedErr) || len(results) != len(stage) {
		return err
	}
	for i, result := range results {
		var answer redis.Error
		if errors.As(result.Err(), &answer) {
			return fmt.Errorf("%s: %w", stage[i], result.Err())
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
