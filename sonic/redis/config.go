package redis

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/switchlet/switchlet/sonic"
)

// DefaultConfigFile is where SONiC's database container writes its
// database_config.json.
const DefaultConfigFile = "/var/run/redis/sonic-db/database_config.json"

// globalFile lies beside database_config.json on a switch with several ASICs.
const globalFile = "database_global.json"

// maxFileSize bounds the files that are read; real ones have a few KiB.
const maxFileSize = 1 << 20

// ErrMultiASIC says that the switch has several ASICs and a CONFIG_DB for each.
var ErrMultiASIC = errors.New("a switch with several ASICs is not supported")

// Database says where one of SONiC's databases is.
type Database struct {
	// Socket is the path of the Unix socket.
	Socket string
	// ID of the database in its Redis instance.
	ID int
	// Separator between the parts of a key.
	Separator string
	// Password, empty on community SONiC.
	Password string
}

// Databases are those of a switch by their names: CONFIG_DB, STATE_DB, ….
type Databases map[string]Database

// ConfigDB is the name of the database with the configuration.
const ConfigDB = "CONFIG_DB"

// databaseConfig is database_config.json, as far as it matters here.
type databaseConfig struct {
	Instances map[string]struct {
		Socket       string `json:"unix_socket_path"`
		PasswordPath string `json:"password_path"`
	} `json:"INSTANCES"`
	Databases map[string]struct {
		ID        *int   `json:"id"`
		Separator string `json:"separator"`
		Instance  string `json:"instance"`
	} `json:"DATABASES"`
}

// ReadConfig finds the databases by the switch's database_config.json. It
// returns ErrMultiASIC for a switch with several CONFIG_DBs.
func ReadConfig(file string) (Databases, error) {
	global := filepath.Join(filepath.Dir(file), globalFile)
	text, err := readFile(global)
	if err == nil {
		err = checkGlobal(text)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w", global, err)
	}
	text, err = readFile(file)
	if err != nil {
		return nil, err
	}
	config, err := parseConfig(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	databases, err := config.databases()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return databases, nil
}

// checkGlobal refuses a database_global.json that names a namespace.
func checkGlobal(text []byte) error {
	var global struct {
		Includes []struct {
			Namespace string `json:"namespace"`
		} `json:"INCLUDES"`
	}
	if err := json.Unmarshal(text, &global); err != nil {
		return err
	}
	for _, include := range global.Includes {
		if include.Namespace != "" {
			return fmt.Errorf("INCLUDES has the namespace %q: %w", include.Namespace, ErrMultiASIC)
		}
	}
	return nil
}

func parseConfig(text []byte) (config databaseConfig, err error) {
	if err := json.Unmarshal(text, &config); err != nil {
		return config, err
	}
	entry, ok := config.Databases[ConfigDB]
	if !ok || entry.ID == nil || *entry.ID < 0 {
		return config, errors.New("DATABASES has no CONFIG_DB with an id")
	}
	if entry.Separator != sonic.Separator {
		return config, fmt.Errorf("separator of CONFIG_DB is %q: only %q is known", entry.Separator, sonic.Separator)
	}
	instance, ok := config.Instances[entry.Instance]
	if !ok || !filepath.IsAbs(instance.Socket) {
		return config, fmt.Errorf("INSTANCES has no %q with a unix_socket_path, which CONFIG_DB names", entry.Instance)
	}
	return config, nil
}

// databases are those with an id and a socket; a switch may list some that it
// does not run.
func (c databaseConfig) databases() (Databases, error) {
	all := Databases{}
	for name, entry := range c.Databases {
		instance, ok := c.Instances[entry.Instance]
		if !ok || entry.ID == nil || *entry.ID < 0 || !filepath.IsAbs(instance.Socket) {
			continue
		}
		db := Database{Socket: instance.Socket, ID: *entry.ID, Separator: entry.Separator}
		if instance.PasswordPath != "" {
			password, err := readFile(instance.PasswordPath)
			if err != nil {
				return nil, fmt.Errorf("password_path of %s: %w", entry.Instance, err)
			}
			db.Password = strings.TrimSpace(string(password))
		}
		all[name] = db
	}
	return all, nil
}

// readFile reads a file of bounded size.
func readFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFileSize+1))
	if err == nil && len(text) > maxFileSize {
		err = fmt.Errorf("%s is larger than %d bytes", name, maxFileSize)
	}
	return text, err
}
