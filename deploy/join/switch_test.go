package join_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/switchlet/switchlet/deploy/join"
	"github.com/switchlet/switchlet/deploy/lab/labtest"
)

// sonic is a SONiC image on a switch: a root of its own, in which the programs of
// SONiC that the script calls are stand-ins that note each call.
type sonic struct {
	t      *testing.T
	root   string
	host   string // the partition /host, which images share
	bundle string
	sums   string // of the bundle
}

// newSwitch is a switch with an image that has never joined.
func newSwitch(t *testing.T) *sonic {
	t.Helper()
	if testing.Short() {
		t.Skip("needs a root of its own, and seconds for each run, which -short leaves out")
	}
	if os.Geteuid() != 0 {
		labtest.Missing(t, "a root of its own needs root: run the tests as root")
	}
	labtest.Program(t, "unshare", "util-linux")
	s := &sonic{t: t, host: t.TempDir(), bundle: t.TempDir()}
	s.makeBundle()
	return s.image()
}

// image is another image of SONiC on the same switch, fresh from the installer.
func (s *sonic) image() *sonic {
	s.t.Helper()
	n := *s
	n.root = s.t.TempDir()
	for _, dir := range []string{
		"usr", "dev", "proc", "sys/fs/cgroup", "host", "bundle", "run", "tmp", "root", "var/standin/units", "var/lib", "var/log",
		"var/standin/sys/vm", "var/standin/sys/kernel/keys", "var/standin/sys/net/ipv4", "etc/alternatives", "etc/sonic", "etc/systemd/system", "etc/sysctl.d", "etc/config-setup",
	} {
		n.mkdir(dir)
	}
	for _, link := range []string{"bin", "sbin", "lib", "lib64"} {
		n.must(os.Symlink("usr/"+link, n.path(link)))
	}
	for name, text := range map[string]string{
		"etc/sonic/sonic_version.yml":                "build_version: '202511.1'\n",
		"etc/sonic/config_db.json":                   "{}\n",
		"etc/sysctl.d/90-sonic.conf":                 "vm.panic_on_oom=2\n",
		"var/standin/units/ctrmgrd.service":          "",
		"var/standin/systemd/active/ctrmgrd.service": "",
		"var/standin/config_db":                      "DEVICE_METADATA|localhost hostname Leaf1\n",
		"var/standin/meminfo":                        "MemTotal:        4000000 kB\nMemAvailable:    2000000 kB\n",
		"var/standin/sys/vm/panic_on_oom":            "2\n",
		"var/standin/sys/vm/overcommit_memory":       "0\n",
		"var/standin/sys/kernel/panic":               "10\n",
		"var/standin/sys/kernel/panic_on_oops":       "1\n",
		"var/standin/sys/kernel/keys/root_maxkeys":   "1000000\n",
		"var/standin/sys/kernel/keys/root_maxbytes":  "25000000\n",
	} {
		n.write(name, text)
	}
	script, err := join.Script()
	n.must(err)
	n.write("root/join.sh", string(script))
	kill, err := os.ReadFile("testdata/kill.sh")
	n.must(err)
	n.write("var/standin/kill.sh", string(kill))
	n.write("root/settings", n.settings("BUNDLE=/bundle"))
	return &n
}

func (s *sonic) settings(more ...string) string {
	return strings.Join(append([]string{
		"SERVER=https://api.example.net:6443", "CA_DATA=Q0E=", "TOKEN=abcdef.0123456789abcdef", "SUMS=" + s.sums, "DISK=100",
	}, more...), "\n") + "\n"
}

// makeBundle makes programs that do as little as a test needs.
func (s *sonic) makeBundle() {
	var sums strings.Builder
	for _, name := range []string{"containerd", "containerd-shim-runc-v2", "ctr", "kubelet", "pause.tar", "runc"} {
		text := "#!/bin/sh\necho " + name + " $* >>/var/standin/calls\n"
		s.must(os.WriteFile(filepath.Join(s.bundle, name), []byte(text), 0o600))
		fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256([]byte(text)), name)
	}
	s.must(os.WriteFile(filepath.Join(s.bundle, "SHA256SUMS"), []byte(sums.String()), 0o600))
	sum := sha256.Sum256([]byte(sums.String()))
	s.sums = hex.EncodeToString(sum[:])
}

// run runs a command on the switch, with environment variables before "--".
func (s *sonic) run(args ...string) (string, error) {
	standins, err := filepath.Abs("testdata/standins")
	s.must(err)
	cmd := exec.CommandContext(s.t.Context(), "unshare", append([]string{
		"--mount", "--propagation", "private", "bash", "testdata/enter.sh", s.root}, args...)...)
	cmd.Env = append(os.Environ(), "STANDINS="+standins, "BUNDLE="+s.bundle, "HOST="+s.host)
	output, err := cmd.CombinedOutput()
	return string(output), err
}

// join runs the script, which has to succeed.
func (s *sonic) join(args ...string) string {
	s.t.Helper()
	output, err := s.run(append([]string{"--", "bash", "/root/join.sh"}, args...)...)
	if err != nil {
		s.t.Fatalf("join.sh %s: %v\n%s", strings.Join(args, " "), err, output)
	}
	s.noMistakes()
	return output
}

// refuse runs the script, which has to fail, saying why.
func (s *sonic) refuse(why string, args ...string) {
	s.t.Helper()
	output, err := s.run(append([]string{"--", "bash", "/root/join.sh"}, args...)...)
	if err == nil || !strings.Contains(output, why) {
		s.t.Errorf("join.sh %s: %v, want an error that says %q:\n%s", strings.Join(args, " "), err, why, output)
	}
}

func (s *sonic) noMistakes() {
	s.t.Helper()
	if text := s.read("var/standin/mistakes"); text != "" {
		s.t.Fatalf("what SONiC's programs would not have liked:\n%s", text)
	}
}

// calls are the calls of a stand-in since the last time.
func (s *sonic) calls(program string) []string {
	s.t.Helper()
	var calls []string
	for line := range strings.Lines(s.read("var/standin/calls")) {
		if strings.HasPrefix(line, program+" ") {
			calls = append(calls, strings.TrimSpace(line))
		}
	}
	s.must(os.RemoveAll(s.path("var/standin/calls")))
	return calls
}

// tree is all files of the switch that the script could touch, with their modes and
// contents.
func (s *sonic) tree() map[string]string {
	s.t.Helper()
	tree := map[string]string{}
	for prefix, dir := range map[string]string{"/etc": s.path("etc"), "/host": s.host, "/var/lib": s.path("var/lib"), "/var/log": s.path("var/log"), "/proc/sys": s.path("var/standin/sys"), "/run": s.path("run")} {
		s.must(filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			name := prefix + strings.TrimPrefix(path, dir)
			if name == "/run/switchlet-join.lock" {
				return nil
			}
			tree[name], err = describe(path, d)
			return err
		}))
	}
	return tree
}

func describe(path string, d fs.DirEntry) (string, error) {
	info, err := d.Info()
	if err != nil || d.IsDir() {
		return "folder", err
	}
	if info.Mode()&fs.ModeSymlink != 0 {
		to, err := os.Readlink(path)
		return "-> " + to, err
	}
	text, err := os.ReadFile(path)
	return info.Mode().String() + " " + string(text), err
}

func (s *sonic) path(name string) string { return filepath.Join(s.root, name) }

func (s *sonic) mkdir(name string) { s.must(os.MkdirAll(s.path(name), 0o755)) }

func (s *sonic) write(name, text string) {
	s.t.Helper()
	s.mkdir(filepath.Dir(name))
	s.must(os.WriteFile(s.path(name), []byte(text), 0o644))
}

// read is the content of a file, or nothing if it is not there.
func (s *sonic) read(name string) string {
	text, err := os.ReadFile(s.path(name))
	if err != nil && !os.IsNotExist(err) {
		s.t.Fatal(err)
	}
	return string(text)
}

func (s *sonic) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}
