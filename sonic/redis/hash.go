package redis

import (
	"context"
	"fmt"
)

// Hash reads a key that is no row of a table, such as COUNTERS_PORT_NAME_MAP of
// COUNTERS_DB. One that is not there is empty.
func (t *Tables) Hash(ctx context.Context, database, key string) (map[string]string, error) {
	db, err := t.database(database)
	if err != nil {
		return nil, err
	}
	row, err := db.rdb.HGetAll(ctx, key).Result()
	if err != nil {
		return nil, fmt.Errorf("read %s of %s: %w", key, database, err)
	}
	return row, nil
}
