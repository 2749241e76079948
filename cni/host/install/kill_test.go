package install_test

import (
	"bufio"
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/switchlet/switchlet/cni/host/install"
)

// childDir tells this program to be the one that is killed, and where.
const childDir = "SWITCHLET_INSTALL_CHILD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		child(dir)
	}
	os.Exit(m.Run())
}

// version is a program which says its name, and is as large as the plugin.
func version(name string) []byte {
	return append([]byte("#!/bin/sh\necho "+name+"\nexit\n"), bytes.Repeat([]byte(name), 2<<20/len(name))...)
}

// child installs two versions in turn, and says so.
func child(dir string) {
	for {
		for _, v := range []string{"one", "another"} {
			changed, err := install.Program(filepath.Join(dir, v, "switchlet"), filepath.Join(dir, "bin"))
			if err != nil {
				panic(err)
			}
			fmt.Println(changed)
		}
	}
}

// begin starts an installer, and returns what it says.
func begin(t *testing.T, dir string) (installer *exec.Cmd, says *bufio.Scanner) {
	t.Helper()
	installer = exec.Command(os.Args[0])
	installer.Env = append(os.Environ(), childDir+"="+dir)
	out, err := installer.StdoutPipe()
	must(t, err)
	must(t, installer.Start())
	return installer, bufio.NewScanner(out)
}

func folders(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, v := range []string{"one", "another"} {
		must(t, os.Mkdir(filepath.Join(dir, v), 0o755))
		must(t, os.WriteFile(filepath.Join(dir, v, "switchlet"), version(v), 0o755))
	}
	return dir
}

// Kill -9 at any moment: one of the two versions is there, whole, and runs.
func TestKill(t *testing.T) {
	dir, seed := folders(t), rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	one, another, found := version("one"), version("another"), map[string]int{}
	for round := range 40 {
		installer, says := begin(t, dir)
		if !says.Scan() {
			t.Fatalf("round %d: the installer ended: %v", round, installer.Wait())
		}
		time.Sleep(time.Duration(random.IntN(8000)) * time.Microsecond) // nothing waits for it: any moment will do
		must(t, installer.Process.Kill())
		_ = installer.Wait() // it was killed
		plugin := filepath.Join(dir, "bin", "switchlet")
		text, err := os.ReadFile(plugin)
		must(t, err)
		if !bytes.Equal(text, one) && !bytes.Equal(text, another) {
			t.Fatalf("round %d: the plugin is neither version: %d octets", round, len(text))
		}
		name, err := exec.Command(plugin).Output()
		must(t, err)
		found[string(bytes.TrimSpace(name))]++
		if _, err := os.Stat(filepath.Join(dir, "bin", ".switchlet.new")); err == nil {
			found["killed while it wrote"]++
		}
	}
	t.Logf("found %v", found)
}

// Pods start while the plugin is exchanged, by two installers at that: each start
// finds a plugin that runs.
func TestPodsStartMeanwhile(t *testing.T) {
	dir := folders(t)
	for range 2 {
		installer, says := begin(t, dir)
		t.Cleanup(func() { _ = installer.Process.Kill(); _ = installer.Wait() })
		if !says.Scan() {
			t.Fatal("the installer ended")
		}
		go func() {
			for says.Scan() { // until it is killed
			}
		}()
	}
	found := map[string]int{}
	for range 200 {
		says, err := exec.Command(filepath.Join(dir, "bin", "switchlet")).CombinedOutput()
		if err != nil {
			t.Fatalf("the plugin does not run: %v: %s", err, says)
		}
		found[string(bytes.TrimSpace(says))]++
	}
	if len(found) != 2 || found["one"]+found["another"] != 200 {
		t.Errorf("what the plugin said: %v", found)
	}
}
