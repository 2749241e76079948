package converge_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/switchlet/switchlet/agent/converge"
	"github.com/switchlet/switchlet/sonic/frr"
)

// The sockets are used as long as they are there, else the command.
func TestFindShell(t *testing.T) {
	dir := t.TempDir()
	socket := filepath.Join(dir, "bgpd.vty")
	find := converge.FindShell(dir, []string{"docker", "exec", "-i", "bgp", "vtysh"})
	if shell, by := find(); by != "docker exec -i bgp vtysh" {
		t.Errorf("without sockets: %T by %q", shell, by)
	}
	if err := os.WriteFile(socket, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if shell, by := find(); by != "the sockets in "+dir || shell != (frr.Sockets{Dir: dir}) {
		t.Errorf("with sockets: %#v by %q", shell, by)
	}
	if err := os.Remove(socket); err != nil {
		t.Fatal(err)
	}
	if shell, by := converge.FindShell(dir, nil)(); shell != nil || by != "" {
		t.Errorf("with neither: %T by %q", shell, by)
	}
}

// The command stands in place of the word vtysh.
func TestCommandForVtysh(t *testing.T) {
	script := filepath.Join(t.TempDir(), "enter")
	if err := os.WriteFile(script, []byte("#!/bin/sh\necho \"$@\"\n[ \"$2\" != fail ]\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	shell, _ := converge.FindShell("", []string{script, "-i", "bgp"})()
	if got, err := shell.Running(t.Context()); err != nil || strings.TrimSpace(got) != "-i bgp --histfile /dev/null -c show running-config" {
		t.Errorf("%q, %v", got, err)
	}
	failing, _ := converge.FindShell("", []string{script, "-i", "fail"})()
	if _, err := failing.Running(t.Context()); err == nil || !strings.Contains(err.Error(), "status 1") {
		t.Errorf("a command that fails: %v", err)
	}
	missing, _ := converge.FindShell("", []string{script + ".missing"})()
	if _, err := missing.Running(t.Context()); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("a command that is missing: %v", err)
	}
}
