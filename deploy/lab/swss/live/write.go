package live

import (
	"context"
	"slices"

	"github.com/redis/go-redis/v9"

	"github.com/switchlet/switchlet/deploy/lab/swss"
)

// batch is how many commands go in one pipeline.
const batch = 2000

// publish has the plane forward what the daemons wrote, and then lets others see it.
func (se *session) publish(writes []swss.Write) error {
	if len(writes) == 0 {
		return nil
	}
	if err := se.forward(); err != nil {
		return err
	}
	return se.write(writes)
}

// forward has the plane, if there is one, forward what the daemons have.
func (se *session) forward() error {
	if se.s.plane == nil {
		return nil
	}
	return se.s.plane.Set(se.s.daemons.Rows)
}

// write carries out what the daemons wrote, in its order.
func (se *session) write(writes []swss.Write) error {
	for some := range slices.Chunk(writes, batch) {
		if err := se.s.db.pipeline(se.ctx, se.out, some); err != nil {
			return err
		}
	}
	return nil
}

// pipeline sends writes to their databases over one connection, which is left
// in any of them.
func (db databases) pipeline(ctx context.Context, conn *redis.Conn, writes []swss.Write) error {
	_, err := conn.Pipelined(ctx, func(p redis.Pipeliner) error {
		current := ""
		for _, w := range writes {
			if w.DB != current {
				current = w.DB
				p.Do(ctx, "select", db.ids[w.DB])
			}
			if w.Fields == nil {
				p.Del(ctx, w.Key)
				continue
			}
			p.HSet(ctx, w.Key, map[string]string(w.Fields))
		}
		return nil
	})
	return err
}

// clear removes the rows of the daemons' tables, whoever wrote them.
func (se *session) clear() error {
	var writes []swss.Write
	for _, name := range []string{swss.ApplDB, swss.AsicDB, swss.StateDB} {
		keys, err := se.keys(name, swss.Tables(name))
		if err != nil {
			return err
		}
		for _, key := range keys {
			writes = append(writes, swss.Write{DB: name, Key: key})
		}
	}
	return se.write(writes)
}

// keys lists the keys of the hashes of a database, of some tables or, for nil,
// of all.
func (se *session) keys(name string, tables []string) ([]string, error) {
	if err := se.out.Select(se.ctx, se.s.db.ids[name]).Err(); err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	var keys []string
	for cursor := uint64(0); ; {
		some, next, err := se.out.ScanType(se.ctx, cursor, "", batch, "hash").Result()
		if err != nil {
			return nil, err
		}
		for _, key := range some {
			if !seen[key] && (tables == nil || slices.Contains(tables, se.s.db.table(name, key))) {
				seen[key] = true
				keys = append(keys, key)
			}
		}
		if next == 0 {
			return keys, nil
		}
		cursor = next
	}
}
