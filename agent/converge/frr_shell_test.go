package converge_test

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/switchlet/switchlet/agent/converge"
	"github.com/switchlet/switchlet/sonic/frr"
)

// Ways are tried in order, and each is used only while it is there.
func TestFindShell(t *testing.T) {
	dir, err := os.MkdirTemp("", "ways") // the path of a socket has to be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	path := func(name string) string { return filepath.Join(dir, name) }
	find := converge.FindShell(converge.Ways{
		Sockets: path("frr"), Layers: path("l"), Vtysh: []string{"docker", "exec", "-i", "bgp", "vtysh"}, Docker: path("docker.sock"), Container: "bgp",
	})
	expect := func(when, want string) {
		t.Helper()
		if shell, by := find(); by != want || shell == nil {
			t.Errorf("%s: %T by %q, want %q", when, shell, by, want)
		}
	}
	expect("with the command only", "docker exec -i bgp vtysh")
	close1 := listen(t, path("l/1/merged/run/frr/bgpd.vty"))
	expect("a container has the sockets", "the sockets in "+path("l/1/merged/run/frr"))
	if shell, _ := find(); shell != (frr.Sockets{Dir: path("l/1/merged/run/frr")}) {
		t.Errorf("the shell is %#v", shell)
	}
	close2 := listen(t, path("l/2/merged/run/frr/bgpd.vty"))
	expect("two have: it is not known whose they are", "docker exec -i bgp vtysh")
	close3 := listen(t, path("frr/bgpd.vty"))
	expect("the switch has a folder of its own for them", "the sockets in "+path("frr"))
	close3()
	close1()
	expect("the first container ended", "the sockets in "+path("l/2/merged/run/frr"))
	close2()

	find = converge.FindShell(converge.Ways{Docker: path("docker.sock"), Container: "bgp"})
	if shell, by := find(); shell != nil || by != "" {
		t.Errorf("with none: %T by %q", shell, by)
	}
	listen(t, path("docker.sock"))
	expect("Docker's socket is there", "vtysh in container bgp")
	if shell, by := converge.FindShell(converge.Ways{})(); shell != nil || by != "" {
		t.Errorf("with none to look for: %T by %q", shell, by)
	}
}

// A container's links lead to places in its own root. Seen from the agent they
// would lead to the agent's, and are not followed.
func TestLinksOfContainersAreNotFollowed(t *testing.T) {
	dir, err := os.MkdirTemp("", "ways")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	path := func(name string) string { return filepath.Join(dir, name) }
	listen(t, path("host/frr/bgpd.vty"))
	for link, to := range map[string]string{
		"l/1/merged/run":              path("host"),
		"l/2/merged/run/frr":          path("host/frr"),
		"l/3/merged/run/frr/bgpd.vty": path("host/frr/bgpd.vty"),
	} {
		if err := errors.Join(os.MkdirAll(filepath.Dir(path(link)), 0o755), os.Symlink(to, path(link))); err != nil {
			t.Fatal(err)
		}
		if shell, by := converge.FindShell(converge.Ways{Layers: path("l")})(); shell != nil {
			t.Errorf("%s: %T by %q", link, shell, by)
		}
	}
}

// listen makes a socket, and its folder.
func listen(t *testing.T, path string) (end func()) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	socket, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	end = sync.OnceFunc(func() { _ = socket.Close() })
	t.Cleanup(end)
	return end
}

// The command stands in place of the word vtysh.
func TestCommandForVtysh(t *testing.T) {
	script := filepath.Join(t.TempDir(), "enter")
	if err := os.WriteFile(script, []byte("#!/bin/sh\necho \"$@\"\n[ \"$2\" != fail ]\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	shell, _ := converge.FindShell(converge.Ways{Vtysh: []string{script, "-i", "bgp"}})()
	if got, err := shell.Running(t.Context()); err != nil || strings.TrimSpace(got) != "-i bgp --histfile /dev/null -c show running-config" {
		t.Errorf("%q, %v", got, err)
	}
	failing, _ := converge.FindShell(converge.Ways{Vtysh: []string{script, "-i", "fail"}})()
	if _, err := failing.Running(t.Context()); err == nil || !strings.Contains(err.Error(), "status 1") {
		t.Errorf("a command that fails: %v", err)
	}
	missing, _ := converge.FindShell(converge.Ways{Vtysh: []string{script + ".missing"}})()
	if _, err := missing.Running(t.Context()); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("a command that is missing: %v", err)
	}
}
