package live

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/switchlet/switchlet/deploy/lab/swss"
)

// configDB is the name of CONFIG_DB in database_config.json.
const configDB = "CONFIG_DB"

// databases are where SONiC has its databases: one Redis, and in it an id and a
// separator for each.
type databases struct {
	socket     string
	ids        map[string]int
	separators map[string]string
}

// readDatabases reads a database_config.json.
func readDatabases(file string) (databases, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return databases{}, err
	}
	db, err := parseDatabases(text)
	if err != nil {
		return databases{}, fmt.Errorf("%s: %w", file, err)
	}
	return db, nil
}

func parseDatabases(text []byte) (databases, error) {
	var config struct {
		Instances map[string]struct {
			Socket string `json:"unix_socket_path"`
		} `json:"INSTANCES"`
		Databases map[string]struct {
			ID        *int   `json:"id"`
			Separator string `json:"separator"`
			Instance  string `json:"instance"`
		} `json:"DATABASES"`
	}
	if err := json.Unmarshal(text, &config); err != nil {
		return databases{}, err
	}
	db := databases{ids: map[string]int{}, separators: map[string]string{}}
	for _, name := range []string{configDB, swss.StateDB, swss.ApplDB, swss.AsicDB, swss.CountersDB} {
		entry, ok := config.Databases[name]
		socket := config.Instances[entry.Instance].Socket
		switch {
		case !ok || entry.ID == nil || *entry.ID < 0:
			return databases{}, fmt.Errorf("DATABASES has no %s with an id", name)
		case socket == "":
			return databases{}, fmt.Errorf("INSTANCES has no %q with a unix_socket_path, which %s names", entry.Instance, name)
		case db.socket != "" && db.socket != socket:
			return databases{}, errors.New("the databases are in several instances of Redis: only one is known here")
		case entry.Separator != separator(name):
			return databases{}, fmt.Errorf("the separator of %s is %q: only %q is known", name, entry.Separator, separator(name))
		}
		db.socket, db.ids[name], db.separators[name] = socket, *entry.ID, entry.Separator
	}
	return db, nil
}

// separator is what the daemons put after a table's name.
func separator(name string) string {
	if name == configDB || name == swss.StateDB {
		return "|"
	}
	return ":"
}

// table is the table of a key of a database.
func (db databases) table(name, key string) string {
	table, _, _ := strings.Cut(key, db.separators[name])
	return table
}
