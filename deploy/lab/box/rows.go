package box

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"
)

// Rows are rows of CONFIG_DB as Redis has them: key, such as
// "VLAN_MEMBER|Vlan10|Ethernet16", then field and value.
type Rows map[string]map[string]string

// Snapshot reads all rows of CONFIG_DB.
func (b *Box) Snapshot(ctx context.Context) (Rows, error) {
	rows, err := snapshot(ctx, b.client)
	if err != nil {
		return nil, fmt.Errorf("box %s: %w", b.cfg.Name, err)
	}
	return rows, nil
}

// Rows reads rows of CONFIG_DB by their keys, without those that are not there.
func (b *Box) Rows(ctx context.Context, keys ...string) (Rows, error) {
	rows, err := readRows(ctx, b.client, keys)
	if err != nil {
		return nil, fmt.Errorf("box %s: %w", b.cfg.Name, err)
	}
	return rows, nil
}

// Read reads all rows of the CONFIG_DB behind a Unix socket, such as that of a
// box that another process started.
func Read(ctx context.Context, socket string) (Rows, error) {
	client := redis.NewClient(&redis.Options{
		Network: "unix", Addr: socket, DB: configDB, Protocol: 2, DisableIdentity: true,
	})
	defer client.Close()
	rows, err := snapshot(ctx, client)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", socket, err)
	}
	return rows, nil
}

func snapshot(ctx context.Context, client *redis.Client) (Rows, error) {
	var keys []string
	scan := client.ScanType(ctx, 0, "*", 1000, "hash").Iterator()
	for scan.Next(ctx) {
		keys = append(keys, scan.Val())
	}
	if err := scan.Err(); err != nil {
		return nil, fmt.Errorf("list CONFIG_DB: %w", err)
	}
	return readRows(ctx, client, keys)
}

func readRows(ctx context.Context, client *redis.Client, keys []string) (Rows, error) {
	answers := make(map[string]*redis.MapStringStringCmd, len(keys))
	_, err := client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for _, key := range keys {
			answers[key] = p.HGetAll(ctx, key)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read CONFIG_DB: %w", err)
	}
	rows := make(Rows, len(answers))
	for key, answer := range answers {
		if len(answer.Val()) > 0 { // else it is not there, or no longer
			rows[key] = answer.Val()
		}
	}
	return rows, nil
}

// Minus are the rows that other lacks or has with other fields or values.
func (r Rows) Minus(other Rows) Rows {
	rest := Rows{}
	for key, fields := range r {
		if !maps.Equal(fields, other[key]) {
			rest[key] = fields
		}
	}
	return rest
}

// String is one line for each row, sorted, with its fields sorted.
func (r Rows) String() string {
	var text strings.Builder
	for _, key := range slices.Sorted(maps.Keys(r)) {
		text.WriteString(key)
		for _, field := range slices.Sorted(maps.Keys(r[key])) {
			if field != "NULL" {
				fmt.Fprintf(&text, " %s=%q", field, r[key][field])
			}
		}
		text.WriteByte('\n')
	}
	return text.String()
}

// Write sets rows of the CONFIG_DB behind a Unix socket, as an operator does by
// hand, a VLAN before its members: fields that a row has already and that are
// not named stay.
func Write(ctx context.Context, socket string, rows Rows) error {
	client := redis.NewClient(&redis.Options{
		Network: "unix", Addr: socket, DB: configDB, Protocol: 2, DisableIdentity: true,
	})
	defer client.Close()
	_, err := client.TxPipelined(ctx, func(p redis.Pipeliner) error {
		for _, key := range slices.SortedFunc(maps.Keys(rows), byTable) {
			p.HSet(ctx, key, rows[key])
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("%s: write %d rows: %w", socket, len(rows), err)
	}
	return nil
}

// byTable sorts rows by their tables' names, so that a VLAN comes before its
// members, which comparing whole keys would put first.
func byTable(a, b string) int {
	return slices.Compare(strings.Split(a, "|"), strings.Split(b, "|"))
}
