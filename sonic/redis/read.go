package redis

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/switchlet/switchlet/sonic"
)

// Load reads all rows. It returns ErrNotInitialized while CONFIG_DB is not in
// use.
//
// Keys are listed and asked for while the rows of those before come in.
func (c *Client) Load(ctx context.Context) (sonic.DB, error) {
	var db sonic.DB
	err := c.wires.lend(ctx, func(scan *wire) error {
		n, err := scan.count()
		if err != nil {
			return err
		}
		db = make(sonic.DB, min(n, maxRows))
		return c.fetch(ctx, db, func(ask asker) error { return listRows(scan, ask) })
	})
	if err != nil {
		return nil, fmt.Errorf("read CONFIG_DB: %w", err)
	}
	return db, nil
}

// Read brings the rows with the given keys up to date in db. It returns
// ErrNotInitialized while CONFIG_DB is not in use; some rows may have been
// brought up to date then.
func (c *Client) Read(ctx context.Context, db sonic.DB, keys []sonic.Key) error {
	err := c.fetch(ctx, db, func(ask asker) error {
		if len(keys) == 0 {
			return ask(nil)
		}
		for some := range slices.Chunk(keys, batch) {
			if err := ask(some); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("read CONFIG_DB: %w", err)
	}
	return nil
}

// asker asks for rows.
type asker func([]sonic.Key) error

// fetch reads the rows that list asks for, while it goes on.
func (c *Client) fetch(ctx context.Context, db sonic.DB, list func(asker) error) error {
	return c.wires.lend(ctx, func(w *wire) error {
		ctx, cancel := context.WithCancel(ctx)
		asked, listed := make(chan []sonic.Key, 1), make(chan error, 1)
		go func() {
			defer close(asked)
			listed <- list(func(keys []sonic.Key) error { return w.ask(ctx, keys, asked) })
		}()
		err := w.receive(db, asked)
		if err != nil {
			_ = w.conn.Close() // nothing more can be asked for
		}
		cancel()
		for range asked {
		}
		if end := <-listed; err == nil {
			err = end
		}
		return err
	})
}

// ask asks for rows, and whether CONFIG_DB is in use.
func (w *wire) ask(ctx context.Context, keys []sonic.Key, asked chan<- []sonic.Key) error {
	w.add("get", initialized)
	for _, key := range keys {
		w.begin(2)
		w.word("hgetall")
		w.key(key)
	}
	if err := w.flush(); err != nil {
		return err
	}
	select {
	case asked <- keys:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// receive reads the rows that were asked for.
func (w *wire) receive(db sonic.DB, asked <-chan []sonic.Key) error {
	var kept store
	for keys := range asked {
		w.awaitAnswers()
		if err := w.initialized(); err != nil {
			return err
		}
		kept.rows = len(keys)
		for _, key := range keys {
			kept.rows--
			if err := w.row(db, key, &kept); err != nil {
				return fmt.Errorf("%s: %w", key, err)
			}
		}
		if len(db) > maxRows {
			return fmt.Errorf("there are more than %d rows", maxRows)
		}
	}
	return nil
}

// initialized reads the answer whether CONFIG_DB is in use.
func (w *wire) initialized() error {
	value, err := w.bulk()
	if err == nil && string(value) != inUse {
		err = ErrNotInitialized
	}
	return err
}

// row reads the fields of a row, which are none if there is no such row.
func (w *wire) row(db sonic.DB, key sonic.Key, kept *store) error {
	n, err := w.array()
	switch {
	case err != nil && isWrongType(err):
		db[key] = nil // something of somebody's that is no row
		return nil
	case err != nil:
		return err
	case n == 0:
		delete(db, key)
		return nil
	}
	if n%2 != 0 {
		return fmt.Errorf("%w: %d names and values", errProtocol, n)
	}
	fields := kept.fields(n / 2)
	for range n / 2 {
		name, err := w.bulk()
		if err != nil {
			return err
		}
		field := sonic.Field{Name: kept.of(name)}
		value, err := w.bulk()
		if err != nil {
			return err
		}
		field.Value = kept.of(value)
		fields = append(fields, field)
	}
	db[key] = fields.Tidy()
	return nil
}

func isWrongType(err error) bool {
	var answer answerError
	return errors.As(err, &answer) && strings.HasPrefix(string(answer), "WRONGTYPE")
}

// count asks for the number of keys.
func (w *wire) count() (int, error) {
	w.add("dbsize")
	if err := w.flush(); err != nil {
		return 0, err
	}
	w.awaitAnswers()
	kind, n, err := w.head()
	if err == nil && (kind != ':' || n < 0) {
		err = fmt.Errorf("%w: %c%d instead of a number", errProtocol, kind, n)
	}
	return n, err
}

// listRows asks for all rows. SCAN, unlike KEYS, lets Redis answer others in
// between; it may give a key twice.
func listRows(scan *wire, ask asker) error {
	var tables vocabulary
	err := scan.list("0")
	for more := true; more && err == nil; {
		var keys []sonic.Key
		if keys, more, err = scan.listed(&tables); err == nil {
			err = ask(keys)
		}
	}
	if err != nil {
		return fmt.Errorf("list the rows: %w", err)
	}
	return nil
}

// list asks for the keys of some rows.
func (w *wire) list(cursor string) error {
	w.add("scan", cursor, "count", strconv.Itoa(batch))
	return w.flush()
}

// listed reads the keys. If there are more, it has asked for them before: Redis
// looks for them while these are looked at.
func (w *wire) listed(tables *vocabulary) (keys []sonic.Key, more bool, err error) {
	w.awaitAnswers()
	if n, err := w.array(); err != nil || n != 2 {
		return nil, false, errors.Join(err, errProtocol)
	}
	cursor, err := w.bulk()
	if err != nil {
		return nil, false, err
	}
	if more = string(cursor) != "0"; more {
		if err := w.list(string(cursor)); err != nil {
			return nil, false, err
		}
	}
	n, err := w.array()
	if err != nil {
		return nil, false, err
	}
	return w.keys(tables, n, more)
}

// keys reads so many keys. Their names are one string for all.
func (w *wire) keys(tables *vocabulary, n int, more bool) ([]sonic.Key, bool, error) {
	keys, ends := make([]sonic.Key, 0, min(n, 2*batch)), make([]int, 0, min(n, 2*batch))
	var names []byte
	for range n {
		text, err := w.bulk()
		if err != nil {
			return nil, false, err
		}
		if table, name, ok := sonic.CutKey(text); ok {
			names = append(names, name...)
			keys, ends = append(keys, sonic.Key{Table: tables.of(table)}), append(ends, len(names))
		}
	}
	all, begin := string(names), 0
	for i, end := range ends {
		keys[i].Name, begin = all[begin:end], end
	}
	return keys, more, nil
}
