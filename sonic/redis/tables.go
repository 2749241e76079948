package redis

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"
)

// Tables reads the tables of a switch's databases as they are. It connects when
// it is first used and again after every failure. Several goroutines may use it.
type Tables struct {
	databases map[string]tableDB // by name
}

// tableDB is one database. Its separator stands between a table and the name of
// a row: "|" in STATE_DB, ":" in APPL_DB.
type tableDB struct {
	rdb       *redis.Client
	separator string
}

// NewTables reads from the named databases: STATE_DB, APPL_DB, ….
func NewTables(databases Databases, names ...string) (*Tables, error) {
	t := &Tables{databases: map[string]tableDB{}}
	for _, name := range names {
		db, ok := databases[name]
		if !ok || db.Separator == "" {
			return nil, errors.Join(fmt.Errorf("database_config.json has no %s with a separator", name), t.Close())
		}
		t.databases[name] = tableDB{separator: db.Separator, rdb: db.client()}
	}
	return t, nil
}

// Close ends the connections.
func (t *Tables) Close() error {
	var err error
	for _, db := range t.databases {
		err = errors.Join(err, db.rdb.Close())
	}
	return err
}

// Names lists the rows of a table, in rising order and without the table's name.
// What it costs grows with the whole database, so ask once and Read afterwards.
func (t *Tables) Names(ctx context.Context, database, table string) ([]string, error) {
	db, err := t.database(database)
	if err != nil {
		return nil, err
	}
	prefix := table + db.separator
	var names []string
	for cursor := uint64(0); ; {
		keys, next, err := db.rdb.Scan(ctx, cursor, prefix+"*", batch).Result()
		if err != nil {
			return nil, fmt.Errorf("list %s of %s: %w", table, database, err)
		}
		for _, key := range keys {
			names = append(names, strings.TrimPrefix(key, prefix))
		}
		if len(names) > maxRows {
			return nil, fmt.Errorf("list %s of %s: there are more than %d rows", table, database, maxRows)
		}
		if next == 0 {
			slices.Sort(names)
			return slices.Compact(names), nil // SCAN may give a key twice
		}
		cursor = next
	}
}

// Rows reads rows of a table by their names: field and value. A row that is not
// there is not in the answer.
func (t *Tables) Rows(ctx context.Context, database, table string, names []string) (map[string]map[string]string, error) {
	db, err := t.database(database)
	if err != nil {
		return nil, err
	}
	rows := make(map[string]map[string]string, len(names))
	for some := range slices.Chunk(names, batch) {
		if err := db.read(ctx, table, some, rows); err != nil {
			return nil, fmt.Errorf("read %s of %s: %w", table, database, err)
		}
	}
	return rows, nil
}

func (db tableDB) read(ctx context.Context, table string, names []string, rows map[string]map[string]string) error {
	answers := make([]*redis.MapStringStringCmd, len(names))
	_, err := db.rdb.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		for i, name := range names {
			answers[i] = pipe.HGetAll(ctx, table+db.separator+name)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for i, name := range names {
		if row := answers[i].Val(); len(row) > 0 {
			rows[name] = row
		}
	}
	return nil
}

func (t *Tables) database(name string) (tableDB, error) {
	db, ok := t.databases[name]
	if !ok {
		return tableDB{}, fmt.Errorf("database %s is not one of those that are read", name)
	}
	return db, nil
}
