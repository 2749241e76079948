// Package routing runs the real FRR on a switch of the lab, as SONiC's bgp container
// does: zebra and bgpd, which begin with what /etc/sonic/frr/frr.conf says. Their
// sockets are where a switch that shares them with its bgp container has them.
package routing

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/switchlet/switchlet/deploy/lab/process"
)

const (
	// programs is where Debian has FRR's daemons.
	programs = "/usr/lib/frr"
	// sockets is the folder of their sockets, which is compiled into them.
	sockets = "/run/frr"
	// settings is SONiC's folder for frr.conf. In the bgp container it is /etc/frr.
	settings   = "/etc/sonic/frr"
	configFile = settings + "/frr.conf"
	// log is the file that both write to.
	log = "/var/log/frr.log"
	// startTimeout is generous: a daemon answers within 100 ms, and in User-Mode Linux
	// within seconds.
	startTimeout = 2 * time.Minute
	stopTimeout  = 10 * time.Second
)

// The user that FRR's daemons become, and the group that may speak to them.
const (
	owner    = "frr"
	vtyGroup = "frrvty"
)

// Users are FRR's user and groups, as lines of passwd(5) and group(5). They have to
// be the machine's own: its programs look for them by their names.
func Users() (passwd, group string, err error) {
	u, err := user.Lookup(owner)
	if err != nil {
		return "", "", fmt.Errorf("%w (Debian has it in the package frr)", err)
	}
	vty, err := user.LookupGroup(vtyGroup)
	if err != nil {
		return "", "", fmt.Errorf("%w (Debian has it in the package frr)", err)
	}
	passwd = fmt.Sprintf("%s:x:%s:%s::/nonexistent:/usr/sbin/nologin\n", owner, u.Uid, u.Gid)
	return passwd, fmt.Sprintf("%s:x:%s:\n%s:x:%s:%s\n", owner, u.Gid, vtyGroup, vty.Gid, owner), nil
}

// FRR is FRR on the switch whose file system and network this process has.
type FRR struct {
	name string // of the switch
	log  *slog.Logger

	mu      sync.Mutex
	running map[string]*process.Process // by daemon
}

// New is FRR that does not run yet, on a switch with a name.
func New(name string, log *slog.Logger) *FRR {
	return &FRR{name: name, log: log, running: map[string]*process.Process{}}
}

// Start starts FRR, and keeps it running until ctx is done.
func (f *FRR) Start(ctx context.Context) error {
	if err := prepare(f.name); err != nil {
		return fmt.Errorf("prepare for FRR: %w", err)
	}
	for _, daemon := range []string{"zebra", "bgpd"} {
		start := func(ctx context.Context) (*process.Process, error) { return f.start(ctx, daemon) }
		running, err := start(ctx)
		if err != nil {
			return err
		}
		go process.Keep(ctx, f.log, running, start)
	}
	return nil
}

func (f *FRR) start(ctx context.Context, daemon string) (*process.Process, error) {
	p, err := startDaemon(ctx, daemon, f.name)
	if err == nil {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.running[daemon] = p
	}
	return p, err
}

// Restart ends the daemons, which are then started again with what frr.conf says. It
// does not wait for that. SONiC does so with its bgp container whenever swss starts
// anew: else they would know VRFs that are no longer there.
func (f *FRR) Restart() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for name, p := range f.running {
		delete(f.running, name)
		go func() {
			if err := p.Stop(stopTimeout); err != nil {
				f.log.Warn("restart FRR", "daemon", name, "error", err)
			}
		}()
	}
}

// prepare makes the folders and files that FRR begins with. An frr.conf that is
// there is kept: others write to it.
func prepare(name string) error {
	uid, gid, err := ids()
	if err != nil {
		return err
	}
	for _, dir := range []string{sockets, settings} {
		if err := errors.Join(os.MkdirAll(dir, 0o755), os.Chown(dir, uid, gid)); err != nil {
			return err
		}
	}
	if err := os.Symlink("sonic/frr", "/etc/frr"); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	for file, text := range map[string]string{
		settings + "/vtysh.conf": "service integrated-vtysh-config\n",
		settings + "/zebra.conf": "", settings + "/bgpd.conf": "", // all is in frr.conf
		configFile: empty(name),
		// Whoever may use the sockets may use vtysh.
		"/etc/pam.d/frr": "auth sufficient pam_permit.so\naccount sufficient pam_permit.so\n",
	} {
		if err := create(file, text); err != nil {
			return err
		}
	}
	return nil
}

// empty is an frr.conf that says nothing that the daemons do not know by themselves.
func empty(name string) string { return "hostname " + name + "\n" }

// create writes a file that is not there.
func create(file, text string) error {
	if _, err := os.Stat(file); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, []byte(text), 0o644)
}

func ids() (uid, gid int, err error) {
	u, err := user.Lookup(owner)
	if err != nil {
		return 0, 0, err
	}
	uid, err1 := strconv.Atoi(u.Uid)
	gid, err2 := strconv.Atoi(u.Gid)
	return uid, gid, errors.Join(err1, err2)
}

// startDaemon starts a daemon of a switch and, once it answers, tells it what frr.conf
// says.
func startDaemon(ctx context.Context, name, node string) (*process.Process, error) {
	args := []string{"-P", "0", "--log", "stdout"}
	if name == "zebra" {
		// As SONiC starts it: frr.conf has statements of this module, and a zebra that
		// does not know them fails to start. Nobody listens to it here.
		args = append(args, "-M", "dplane_fpm_nl")
	}
	p, err := process.Start(process.Program{
		Name: name, Path: filepath.Join(programs, name), Args: args, Log: log,
	})
	if err != nil {
		return nil, fmt.Errorf("%w (Debian has it in the package frr)", err)
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	// To connect is to be answered, and needs no start of vtysh for each look.
	err = p.WaitReady(ctx, process.Answers(filepath.Join(sockets, name+".vty")))
	if err == nil {
		err = read(ctx, name, node)
	}
	if err != nil {
		return nil, errors.Join(err, p.Kill())
	}
	return p, nil
}

// read tells a daemon what frr.conf says, if that is anything.
func read(ctx context.Context, daemon, node string) error {
	text, err := os.ReadFile(configFile)
	if err != nil || string(text) == empty(node) {
		return err
	}
	return vtysh(ctx, "-d", daemon, "-b")
}

func vtysh(ctx context.Context, args ...string) error {
	output, err := exec.CommandContext(ctx, "vtysh", args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("vtysh %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(string(output)))
	}
	return nil
}
