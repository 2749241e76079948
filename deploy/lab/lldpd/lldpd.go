package lldpd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/switchlet/switchlet/deploy/lab/lldpcli"
	"github.com/switchlet/switchlet/deploy/lab/process"
)

// What lldpd does by itself, as SONiC's does.
const (
	// DefaultInterval is how often it sends.
	DefaultInterval = 30 * time.Second
	// timeToLive is how long a neighbour believes what it heard.
	timeToLive = 120 * time.Second
)

const (
	// defaultSocket is the one that is compiled into lldpd.
	defaultSocket = "/run/lldpd.socket"
	// startTimeout is generous: lldpd answers within 100 ms.
	startTimeout = 30 * time.Second
	// look is how often ports and CONFIG_DB are looked at; soon is how often
	// for a while after a link came.
	look  = 2 * time.Second
	soon  = 50 * time.Millisecond
	while = time.Second
)

// Config says how lldpd is to run.
type Config struct {
	// ConfigDB reads all rows of CONFIG_DB, and Rows those with certain keys.
	// Required.
	ConfigDB func(context.Context) (Rows, error)
	Rows     func(ctx context.Context, keys ...string) (Rows, error)
	// Description of the system.
	Description string
	// Interval between two frames on a port, in whole seconds; DefaultInterval
	// if 0. The time to live stays SONiC's.
	Interval time.Duration
	// File is where the settings are written, Output lldpd's log. Required.
	File, Output string
	// Socket is lldpd's; empty for its default.
	Socket string
	// Log is told when configuring begins to fail, and when that ends. Required.
	Log *slog.Logger
}

func (cfg Config) interval() time.Duration { return cmp.Or(cfg.Interval, DefaultInterval) }

// hold is by what lldpd multiplies the interval to get the time to live.
func (cfg Config) hold() int { return max(1, int(timeToLive/cfg.interval())) }

func (cfg Config) client() lldpcli.Client { return lldpcli.Client{Socket: cfg.Socket} }

// Daemon is an lldpd and who configures it.
type Daemon struct {
	cfg Config
	// silent says that lldpd was started and not yet told to send.
	silent atomic.Bool
}

// New is an lldpd that does not run yet.
func New(cfg Config) *Daemon { return &Daemon{cfg: cfg} }

// Start starts lldpd with the arguments of docker-lldp: it uses the ports and
// eth0, whose MAC address is the chassis id. It is silent until Manage has
// configured the ports.
func (d *Daemon) Start(ctx context.Context) (*process.Process, error) {
	cfg := d.cfg
	rows, err := cfg.ConfigDB(ctx)
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(cfg.File, []byte(cfg.settings(rows)), 0o644); err != nil {
		return nil, err
	}
	// lldpd sends nothing until it is told to resume, which the lldpcli that it
	// starts would do before the ports are configured.
	args := []string{"-dd", "-I", "Ethernet[0-9]*,eth0", "-C", "eth0", "-L", "/bin/true"}
	if cfg.Socket != "" {
		args = append(args, "-u", cfg.Socket)
	}
	p, err := process.Start(process.Program{Name: "lldpd", Path: "lldpd", Args: args, Log: cfg.Output})
	if err != nil {
		return nil, fmt.Errorf("%w (Debian has it in the package lldpd)", err)
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	// To connect is to be answered, and needs no start of lldpcli for each look.
	err = p.WaitReady(ctx, process.Answers(cmp.Or(cfg.Socket, defaultSocket)))
	if err == nil {
		err = cfg.client().Do(ctx, "-c", cfg.File)
	}
	if err != nil {
		return nil, errors.Join(err, p.Kill())
	}
	d.silent.Store(true)
	return p, nil
}

// Manage does what lldpmgrd does, until ctx is done: it configures ports that
// come or change, and lets lldpd send. links tells that a link may have come.
func (d *Daemon) Manage(ctx context.Context, links <-chan struct{}) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	var busy time.Time // until then a link is expected to appear in lldpd
	failing := false
	for {
		select {
		case <-timer.C:
		case <-links:
			busy = time.Now().Add(while)
		case <-ctx.Done():
			return
		}
		err := d.configure(ctx)
		if failing != (err != nil) && ctx.Err() == nil {
			failing = err != nil
			d.cfg.Log.Info("configuring lldpd", "failing", failing, "error", err)
		}
		next := look
		if time.Now().Before(busy) {
			next = soon
		}
		timer.Reset(next)
	}
}

// configure configures the ports that lldpd has and that say something else
// than CONFIG_DB wants, and lets a new lldpd send.
func (d *Daemon) configure(ctx context.Context) error {
	ports, err := d.cfg.client().Interfaces(ctx)
	if err != nil {
		return err
	}
	var keys []string
	for _, p := range ports {
		keys = append(keys, portKey(p.Name))
	}
	rows, err := d.cfg.Rows(ctx, keys...)
	if err != nil {
		return err
	}
	commands := portCommands(rows, ports)
	silent := d.silent.Load()
	if silent {
		commands = append(commands, "resume")
	}
	if len(commands) == 0 {
		return nil
	}
	if err := d.all(ctx, commands); err != nil {
		return err
	}
	if silent {
		d.silent.Store(false)
	}
	return nil
}

// all carries commands out by one start of lldpcli.
func (d *Daemon) all(ctx context.Context, commands []string) error {
	file := d.cfg.File + ".ports"
	if err := os.WriteFile(file, []byte(strings.Join(commands, "\n")+"\n"), 0o644); err != nil {
		return err
	}
	return d.cfg.client().Do(ctx, "-c", file)
}
