// Package box makes one SONiC box as far as an agent can see it: the files
// where SONiC has them, a redis-server with SONiC's databases and a
// configuration of a 32-port switch, and the stand-in for SONiC's daemons of
// package swss, which makes of CONFIG_DB what they would in STATE_DB, APPL_DB
// and ASIC_DB. It forwards nothing unless it is given a data plane.
//
// A box needs neither root nor a network; it lives in a folder, as many side by
// side as one likes:
//
//	b, err := box.Start(ctx, box.Config{Root: dir, Name: "leaf1", Number: 1})
//	…
//	before, err := b.Snapshot(ctx)
//	…                                // write CONFIG_DB
//	err = b.Daemons().Quiet(ctx)     // until they have made of it what they can
//	mistakes := b.Daemons().Mistakes()
package box

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/switchlet/switchlet/deploy/lab/process"
	"github.com/switchlet/switchlet/deploy/lab/swss"
	"github.com/switchlet/switchlet/deploy/lab/swss/live"
)

// Config says what box to make.
type Config struct {
	// Root is the folder that stands for the root of the box's file system.
	// Required. Keep it short: a Unix socket's path has at most 107 bytes.
	Root string
	// Name is the host name. Required.
	Name string
	// Number from 1 to 250, different on each box of a fabric; it makes the
	// MAC address (52:54:00:5c:00:NN), the Loopback0 address (10.0.0.N) and
	// the ASN. Default 1.
	Number int
	// Management is the box's IPv4 address on its management port, as its
	// configuration has it. Default 10.250.0.N/24, of which .254 is the gateway.
	Management netip.Prefix
	// Release of SONiC whose YANG models lie on the box. Default Release202505.
	Release Release
	// TCP makes redis-server listen on 127.0.0.1:6379 too, as SONiC's does.
	// Only for a box in a network namespace of its own.
	TCP bool
	// Log is the file for the output of redis-server. Default
	// Root/var/log/redis.log.
	Log string
	// Daemons is how long the daemons take; Read is not for the caller. By
	// default they act at once, and try again after 20 ms what SONiC's try again
	// after a second.
	Daemons swss.Config
	// NoDaemons leaves them out: what is written to CONFIG_DB stays there and
	// has no further effect.
	NoDaemons bool
	// DaemonsLog, if not nil, is told when they start again.
	DaemonsLog *slog.Logger
	// DaemonsRestarted, if not nil, is called when they start anew, as after
	// `config reload`: SONiC starts its bgp container anew with them. It must not
	// wait for anything.
	DaemonsRestarted func()
	// Plane, if not nil, forwards as the daemons say; package dataplane has one.
	// Its owner closes it after the box.
	Plane live.Plane
}

// startTimeout is generous: a box starts within 100 ms on an idle machine.
const startTimeout = 30 * time.Second

// Box is a running SONiC box.
type Box struct {
	cfg    Config
	redis  *process.Process
	client *redis.Client

	daemons    *live.Service // nil without
	endDaemons func() error  // and waits for it
}

// Start writes the box's files, starts its redis-server and loads its
// CONFIG_DB from /etc/sonic/config_db.json, as SONiC does at boot. A
// config_db.json that is there already is kept.
func Start(ctx context.Context, cfg Config) (*Box, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	if err := cfg.writeFiles(); err != nil {
		return nil, fmt.Errorf("box %s: %w", cfg.Name, err)
	}
	b := &Box{cfg: cfg, endDaemons: func() error { return nil }}
	b.client = redis.NewClient(&redis.Options{
		Network: "unix", Addr: b.Socket(), DB: configDB, Protocol: 2, DisableIdentity: true,
	})
	if err := b.Boot(ctx); err != nil {
		return nil, errors.Join(err, b.endDaemons(), b.client.Close())
	}
	return b, nil
}

func (cfg Config) withDefaults() (Config, error) {
	if cfg.Root == "" || cfg.Name == "" {
		return cfg, fmt.Errorf("box: Root is %q and Name %q: neither may be empty", cfg.Root, cfg.Name)
	}
	if cfg.Number == 0 {
		cfg.Number = 1
	}
	if cfg.Number < 0 || cfg.Number > 250 {
		return cfg, fmt.Errorf("box %s: Number is %d: it must be from 1 to 250", cfg.Name, cfg.Number)
	}
	if !cfg.Management.IsValid() {
		cfg.Management = netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 250, 0, byte(cfg.Number)}), 24)
	}
	if !cfg.Management.Addr().Is4() {
		return cfg, fmt.Errorf("box %s: Management is %s: it must be an IPv4 address", cfg.Name, cfg.Management)
	}
	if cfg.Release == "" {
		cfg.Release = Release202505
	}
	cfg.Daemons.Tick = cmp.Or(cfg.Daemons.Tick, 20*time.Millisecond)
	root, err := filepath.Abs(cfg.Root)
	if err != nil {
		return cfg, fmt.Errorf("box %s: %w", cfg.Name, err)
	}
	cfg.Root = root
	if cfg.Log == "" {
		cfg.Log = filepath.Join(root, "var/log/redis.log")
	}
	if n := len(cfg.socket()); n > 107 {
		return cfg, fmt.Errorf("box %s: the socket %s has a path of %d bytes, the kernel takes 107: choose a shorter Root", cfg.Name, cfg.socket(), n)
	}
	return cfg, nil
}

// Socket is the path of Redis's Unix socket.
func (b *Box) Socket() string { return b.cfg.socket() }

// DatabaseConfig is the path of database_config.json.
func (b *Box) DatabaseConfig() string {
	return filepath.Join(b.cfg.redisDir(), "sonic-db/database_config.json")
}

// YANGDir is the folder of the box's YANG models.
func (b *Box) YANGDir() string { return filepath.Join(b.cfg.Root, "usr/local/yang-models") }

// VersionFile is the path of sonic_version.yml.
func (b *Box) VersionFile() string { return filepath.Join(b.cfg.Root, "etc/sonic/sonic_version.yml") }

// ConfigFile is the path of config_db.json, which Boot and Reload load.
func (b *Box) ConfigFile() string { return filepath.Join(b.cfg.Root, "etc/sonic/config_db.json") }

// StateDir is an empty folder on the box's disk that survives a Boot.
func (b *Box) StateDir() string { return filepath.Join(b.cfg.Root, "var/lib/switchlet") }

// Process is the running redis-server.
func (b *Box) Process() *process.Process { return b.redis }

// Boot starts redis-server, empty, and loads config_db.json into it. It returns
// once the daemons have made of it what they can. The box must be stopped or
// killed.
func (b *Box) Boot(ctx context.Context) error {
	err := b.startRedis(ctx)
	if err != nil {
		return fmt.Errorf("box %s: %w", b.cfg.Name, err)
	}
	err = b.load(ctx)
	if err == nil {
		err = b.startDaemons()
	}
	if err == nil {
		err = b.quiet(ctx)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("box %s: %w", b.cfg.Name, err), b.redis.Kill())
	}
	return nil
}

// Stop ends redis-server, and with it all that the databases hold. The daemons
// have nothing to work on then, and start anew when it is back.
func (b *Box) Stop() error { return b.redis.Stop(10 * time.Second) }

// Kill ends redis-server with SIGKILL.
func (b *Box) Kill() error { return b.redis.Kill() }

// Close stops the box for good; its files stay.
func (b *Box) Close() error { return errors.Join(b.endDaemons(), b.Stop(), b.client.Close()) }

// Restart is a reboot: what was not saved to config_db.json is gone.
func (b *Box) Restart(ctx context.Context) error {
	if err := b.Stop(); err != nil {
		return err
	}
	return b.Boot(ctx)
}

// RestartKeepingData restarts redis-server so that the databases hold the same
// afterwards, as when only SONiC's database container is restarted.
func (b *Box) RestartKeepingData(ctx context.Context) error {
	if err := b.client.Save(ctx).Err(); err != nil {
		return fmt.Errorf("box %s: save the databases: %w", b.cfg.Name, err)
	}
	if err := b.Stop(); err != nil {
		return err
	}
	if err := b.startRedis(ctx); err != nil {
		return fmt.Errorf("box %s: %w", b.cfg.Name, err)
	}
	if err := b.quiet(ctx); err != nil {
		return fmt.Errorf("box %s: %w", b.cfg.Name, err)
	}
	return os.Remove(b.cfg.dump()) // the next Boot is to be an empty one
}

func (b *Box) startRedis(ctx context.Context) (err error) {
	b.redis, err = process.Start(process.Program{
		Name: "redis-server", Path: "redis-server", Args: []string{b.cfg.redisConf()}, Log: b.cfg.Log,
	})
	if err != nil {
		return fmt.Errorf("%w (Debian has it in the package redis-server)", err)
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	err = b.redis.WaitReady(ctx, b.answers)
	if err != nil {
		return errors.Join(err, b.redis.Kill())
	}
	return nil
}

// answers is a probe. It looks at the socket first: the client would log, and
// wait between its own attempts.
func (b *Box) answers(ctx context.Context) error {
	connection, err := new(net.Dialer).DialContext(ctx, "unix", b.Socket())
	if err != nil {
		return err
	}
	return errors.Join(connection.Close(), b.client.Ping(ctx).Err())
}
