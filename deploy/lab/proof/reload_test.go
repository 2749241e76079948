package proof_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/redis/go-redis/v9"
)

// reload empties the CONFIG_DB behind a socket and loads it from the switch's
// config_db.json, as sonic-cfggen does: lists are joined by commas, their fields' names
// get an @, and a row without fields has the field NULL.
func reload(ctx context.Context, socket, root string) error {
	text, err := os.ReadFile(filepath.Join(root, "etc/sonic/config_db.json"))
	if err != nil {
		return err
	}
	var tables map[string]map[string]map[string]any
	if err := json.Unmarshal(text, &tables); err != nil {
		return err
	}
	db := redis.NewClient(&redis.Options{Network: "unix", Addr: socket, DB: 4, Protocol: 2, DisableIdentity: true})
	defer db.Close()
	_, err = db.Pipelined(ctx, func(p redis.Pipeliner) error {
		p.FlushDB(ctx)
		p.Set(ctx, "CONFIG_DB_INITIALIZED", "0", 0)
		for table, rows := range tables {
			for key, fields := range rows {
				p.HSet(ctx, table+"|"+key, hash(fields))
			}
		}
		p.Set(ctx, "CONFIG_DB_INITIALIZED", "1", 0)
		return nil
	})
	return err
}

func hash(fields map[string]any) map[string]string {
	row := map[string]string{}
	for name, value := range fields {
		list, ok := value.([]any)
		if !ok {
			row[name] = fmt.Sprint(value)
			continue
		}
		var parts []string
		for _, v := range list {
			parts = append(parts, fmt.Sprint(v))
		}
		row[name+"@"] = strings.Join(parts, ",")
	}
	if len(row) == 0 {
		row["NULL"] = "NULL"
	}
	return row
}
