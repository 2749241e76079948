package box

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"
)

// initialized is the key that says whether CONFIG_DB is loaded: "0" while it
// is not, "1" once it is.
const initialized = "CONFIG_DB_INITIALIZED"

// Reload is `config reload`: CONFIG_DB is emptied and loaded again from
// config_db.json while redis-server and its clients go on.
func (b *Box) Reload(ctx context.Context) error {
	if err := b.client.FlushDB(ctx).Err(); err != nil {
		return fmt.Errorf("box %s: empty CONFIG_DB: %w", b.cfg.Name, err)
	}
	if err := b.load(ctx); err != nil {
		return fmt.Errorf("box %s: %w", b.cfg.Name, err)
	}
	return nil
}

// load writes config_db.json to CONFIG_DB as sonic-cfggen does.
func (b *Box) load(ctx context.Context) error {
	text, err := os.ReadFile(b.ConfigFile())
	if err != nil {
		return err
	}
	var config configFile
	if err := json.Unmarshal(text, &config); err != nil {
		return fmt.Errorf("%s: %w", b.ConfigFile(), err)
	}
	rows, err := config.rows()
	if err != nil {
		return fmt.Errorf("%s: %w", b.ConfigFile(), err)
	}
	_, err = b.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		p.Set(ctx, initialized, "0", 0)
		for _, key := range slices.Sorted(maps.Keys(rows)) {
			p.HSet(ctx, key, rows[key])
		}
		p.Set(ctx, initialized, "1", 0)
		return nil
	})
	if err != nil {
		return fmt.Errorf("load %s: %w", b.ConfigFile(), err)
	}
	return nil
}

// rows turns the file's form into that of Redis.
func (c configFile) rows() (Rows, error) {
	rows := Rows{}
	for table, keys := range c {
		for key, fields := range keys {
			hash, err := hash(fields)
			if err != nil {
				return nil, fmt.Errorf("%s|%s: %w", table, key, err)
			}
			rows[table+"|"+key] = hash
		}
	}
	return rows, nil
}

// hash is a row as SONiC's configdb keeps it: a list is joined by commas and
// its field's name gets an @; a row without fields gets the field NULL.
func hash(fields row) (map[string]string, error) {
	if len(fields) == 0 {
		return map[string]string{"NULL": "NULL"}, nil
	}
	hash := make(map[string]string, len(fields))
	for name, value := range fields {
		switch value := value.(type) {
		case string:
			hash[name] = value
		case []any:
			parts := make([]string, len(value))
			for i, part := range value {
				parts[i] = fmt.Sprint(part)
			}
			hash[name+"@"] = strings.Join(parts, ",")
		default:
			return nil, fmt.Errorf("field %s is a %T: it must be a string or a list of strings", name, value)
		}
	}
	return hash, nil
}
