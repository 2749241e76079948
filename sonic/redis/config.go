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

// Database says where CONFIG_DB is.
type Database struct {
	// Socket is the path of the Unix socket.
	Socket string
	// ID of the database in its Redis instance.
	ID int
	// Password, empty on community SONiC.
	Password string
}

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

// ReadConfig finds CONFIG_DB by the switch's database_config.json. It returns
// ErrMultiASIC for a switch with several of them.
func ReadConfig(file string) (Database, error) {
	global := filepath.Join(filepath.Dir(file), globalFile)
	text, err := readFile(global)
	if err == nil {
		err = checkGlobal(text)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return Database{}, fmt.Errorf("%s: %w", global, err)
	}
	text, err = readFile(file)
	if err != nil {
		return Database{}, err
	}
	db, passwordFile, err := parseConfig(text)
	if err != nil {
		return Database{}, fmt.Errorf("%s: %w", file, err)
	}
	if passwordFile != "" {
		password, err := readFile(passwordFile)
		if err != nil {
			return Database{}, fmt.Errorf("password_path of %s: %w", file, err)
		}
		db.Password = strings.TrimSpace(string(password))
	}
	return db, nil
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

func parseConfig(text []byte) (db Database, passwordFile string, err error) {
	var config databaseConfig
	if err := json.Unmarshal(text, &config); err != nil {
		return Database{}, "", err
	}
	entry, ok := config.Databases["CONFIG_DB"]
	if !ok || entry.ID == nil || *entry.ID < 0 {
		return Database{}, "", errors.New("DATABASES has no CONFIG_DB with an id")
	}
	if entry.Separator != sonic.Separator {
		return Database{}, "", fmt.Errorf("separator of CONFIG_DB is %q: only %q is known", entry.Separator, sonic.Separator)
	}
	instance, ok := config.Instances[entry.Instance]
	if !ok || !filepath.IsAbs(instance.Socket) {
		return Database{}, "", fmt.Errorf("INSTANCES has no %q with a unix_socket_path, which CONFIG_DB names", entry.Instance)
	}
	return Database{Socket: instance.Socket, ID: *entry.ID}, instance.PasswordPath, nil
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
