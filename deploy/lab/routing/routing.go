// Package routing runs the real FRR on a switch of the lab, as SONiC's bgp container
// does: mgmtd, if this FRR has it, zebra and bgpd, which begin with what
// /etc/sonic/frr/frr.conf says. Their sockets are where a switch that shares them with
// its bgp container has them.
package routing

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"time"
)

const (
	// programs is where Debian has FRR's daemons.
	programs = "/usr/lib/frr"
	// sockets is the folder of their sockets, which is compiled into them.
	sockets = "/run/frr"
	// settings is SONiC's folder for frr.conf. In the bgp container it is /etc/frr.
	settings = "/etc/sonic/frr"
	// history is the folder of what mgmtd notes of changes.
	history = "/var/lib/frr"
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

// place is where the files of FRR are, as its daemons see them.
type place struct {
	settings string // the folder of frr.conf
	log      string // the file that the daemons write to
	eager    bool   // an frr.conf that says nothing is read all the same: bgpd -K waits for that
}

// onSwitch is FRR on the switch itself, inContainer FRR in a container that has the
// switch's folder as its own, as SONiC's bgp container has it.
func onSwitch() place    { return place{settings: settings, log: log} }
func inContainer() place { return place{settings: "/etc/frr", log: "/dev/stdout", eager: true} }

func (p place) file() string { return filepath.Join(p.settings, "frr.conf") }

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

// Prepare makes on a switch what FRR in a container and vtysh on the switch begin with.
func Prepare(name string) error { return onSwitch().prepare(name) }

// prepare makes the folders and files that FRR begins with. An frr.conf that is
// there is kept: others write to it.
func (p place) prepare(name string) error {
	uid, gid, err := ids()
	if err != nil {
		return err
	}
	for _, dir := range []string{sockets, p.settings, history} {
		if err := errors.Join(os.MkdirAll(dir, 0o755), os.Chown(dir, uid, gid)); err != nil {
			return err
		}
	}
	if err := os.Symlink("sonic/frr", "/etc/frr"); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	for file, text := range map[string]string{
		p.settings + "/vtysh.conf": "service integrated-vtysh-config\n",
		p.settings + "/zebra.conf": "", p.settings + "/bgpd.conf": "", // all is in frr.conf
		p.file(): empty(name),
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
