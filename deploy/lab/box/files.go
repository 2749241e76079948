package box

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

func (cfg Config) redisDir() string  { return filepath.Join(cfg.Root, "run/redis") }
func (cfg Config) socket() string    { return filepath.Join(cfg.Root, "var/run/redis/redis.sock") }
func (cfg Config) dataDir() string   { return filepath.Join(cfg.Root, "var/lib/redis") }
func (cfg Config) dump() string      { return filepath.Join(cfg.dataDir(), "dump.rdb") }
func (cfg Config) redisConf() string { return filepath.Join(cfg.Root, "etc/redis/redis.conf") }

// writeFiles writes everything that a box has on its disk before it boots.
func (cfg Config) writeFiles() error {
	for _, dir := range []string{"run/redis", "var/lib/redis", "var/log", "var/lib/switchlet"} {
		if err := os.MkdirAll(filepath.Join(cfg.Root, dir), 0o755); err != nil {
			return err
		}
	}
	if err := cfg.linkVarRun(); err != nil {
		return err
	}
	models, err := cfg.Release.models()
	if err != nil {
		return err
	}
	files := map[string]string{
		"etc/redis/redis.conf":                    cfg.redisSettings(),
		"run/redis/sonic-db/database_config.json": cfg.databaseConfig(),
		"etc/sonic/sonic_version.yml":             cfg.Release.versionFile(),
	}
	for name, text := range models {
		files[filepath.Join("usr/local/yang-models", name)] = text
	}
	for name, text := range files {
		if err := write(filepath.Join(cfg.Root, name), text); err != nil {
			return err
		}
	}
	return cfg.writeInitialConfig()
}

// linkVarRun makes /var/run what it is on Debian: a link to /run.
func (cfg Config) linkVarRun() error {
	err := os.Symlink("../run", filepath.Join(cfg.Root, "var/run"))
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	return err
}

// writeInitialConfig keeps a config_db.json that is there: it is the box's
// saved configuration.
func (cfg Config) writeInitialConfig() error {
	file := filepath.Join(cfg.Root, "etc/sonic/config_db.json")
	if _, err := os.Stat(file); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	text, err := json.MarshalIndent(cfg.initialConfig(), "", "    ")
	if err != nil {
		return err
	}
	return write(file, string(text)+"\n")
}

func write(file, text string) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, []byte(text), 0o644)
}

// redisSettings are those of SONiC's database container: nothing is kept on
// disk, every keyspace event is published, a slow subscriber is never cut off.
func (cfg Config) redisSettings() string {
	port := "port 0"
	if cfg.TCP {
		port = "port 6379\nbind 127.0.0.1"
	}
	return strings.Join([]string{
		"unixsocket " + strconv.Quote(cfg.socket()),
		"unixsocketperm 760",
		port,
		"databases 100",
		"dir " + strconv.Quote(cfg.dataDir()),
		`save ""`,
		"hz 1", // nothing expires, and each turn of its clock costs in User-Mode Linux
		"appendonly no",
		"notify-keyspace-events AKE",
		"client-output-buffer-limit pubsub 0 0 0",
		"daemonize no",
	}, "\n") + "\n"
}

// What a box says that it is.
const (
	hardware = "Accton-AS7726-32X"
	debian   = "12.10"
	kernel   = "6.1.0-29-2-amd64"
)

// Description is what the box says of itself by LLDP, in the form of
// docker-lldp's lldpdSysDescr.conf.
func (b *Box) Description() string {
	return fmt.Sprintf("SONiC Software Version: SONiC.%s.0-lab - HwSku: %s - Distribution: Debian %s - Kernel: %s",
		b.cfg.Release, hardware, debian, kernel)
}

// versionFile is sonic_version.yml as SONiC's build writes it.
func (r Release) versionFile() string {
	return fmt.Sprintf(`---
build_version: 'SONiC.%[1]s.0-lab'
debian_version: '%[2]s'
kernel_version: '%[3]s'
asic_type: vs
asic_subtype: 'vs'
commit_id: '0000000000'
branch: '%[1]s'
release: '%[1]s'
build_date: Fri Nov 20 12:00:00 UTC 2026
build_number: 0
built_by: lab
sonic_os_version: 12
`, string(r), debian, kernel)
}
