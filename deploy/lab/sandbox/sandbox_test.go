package sandbox_test

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/switchlet/switchlet/deploy/lab/labtest"
	"github.com/switchlet/switchlet/deploy/lab/sandbox"
)

// TestMain makes the test program what every program with sandboxes is: one
// that can be started as the first process of one, and as what runs inside.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case sandbox.InitCommand:
			code, err := sandbox.Init()
			if err != nil {
				fmt.Fprintln(os.Stderr, err)
			}
			os.Exit(code)
		case "look":
			look()
			return
		case "wait":
			fmt.Println("waiting")
			time.Sleep(time.Minute)
			return
		}
	}
	os.Exit(m.Run())
}

// look prints what the sandbox looks like from inside.
func look() {
	host, _ := os.Hostname()
	links, _ := net.Interfaces()
	entries, _ := os.ReadDir("/")
	var names []string
	for _, entry := range entries {
		if !strings.HasPrefix(entry.Name(), "lib") { // see libraries
			names = append(names, entry.Name())
		}
	}
	text, _ := os.ReadFile("/etc/greeting")
	readOnly := os.WriteFile("/etc/new", nil, 0o644) != nil
	fmt.Printf("host %s, parent %d, %d links, root %s, greeting %s, read-only %v\n",
		host, os.Getppid(), len(links), strings.Join(names, " "), text, readOnly)
}

// libraries are the folders that a program needs that is not static, such as a
// test program with the race detector.
func libraries() []sandbox.Mount {
	var mounts []sandbox.Mount
	for _, dir := range []string{"/lib", "/lib64"} {
		if _, err := os.Stat(dir); err == nil {
			mounts = append(mounts, sandbox.Mount{Source: dir, Target: dir, ReadOnly: true})
		}
	}
	return mounts
}

func start(t *testing.T, cfg sandbox.Config) (s *sandbox.Sandbox, output *os.File) {
	t.Helper()
	if os.Geteuid() != 0 {
		labtest.Missing(t, "namespaces need root")
	}
	output, theirs, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cfg.Output, cfg.Log = theirs, filepath.Join(t.TempDir(), "log")
	s, err = sandbox.Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := theirs.Close(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if text, err := os.ReadFile(cfg.Log); t.Failed() && err == nil {
			t.Logf("log: %s", text)
		}
	})
	return s, output
}

func TestSandboxHasItsOwnNameNetworkAndRoot(t *testing.T) {
	etc := t.TempDir()
	if err := os.WriteFile(filepath.Join(etc, "greeting"), []byte("hello"), 0o644); err != nil {
		t.Fatal(err)
	}
	s, output := start(t, sandbox.Config{
		Name: "leaf1", Root: t.TempDir(), Network: true, Args: []string{"look"},
		Mounts: append(libraries(), []sandbox.Mount{
			{Source: etc, Target: "/etc", ReadOnly: true},
			{Type: "proc", Target: "/proc"},
			{Source: filepath.Join(etc, "greeting"), Target: "/proc/sys/no/such/setting", Optional: true},
		}...),
	})
	if err := s.Go(); err != nil {
		t.Fatal(err)
	}
	var got [256]byte
	n, err := output.Read(got[:])
	if err != nil {
		t.Fatal(err)
	}
	want := "host leaf1, parent 1, 1 links, root etc proc, greeting hello, read-only true\n"
	if string(got[:n]) != want {
		t.Errorf("inside: %q, want %q", got[:n], want)
	}
	if err := s.Wait(); err != nil {
		t.Error(err)
	}
}

func TestKillEndsEverythingInside(t *testing.T) {
	s, output := start(t, sandbox.Config{Name: "leaf1", Args: []string{"wait"}, Mounts: []sandbox.Mount{{Type: "proc", Target: "/proc"}}})
	if err := s.Go(); err != nil {
		t.Fatal(err)
	}
	if _, err := output.Read(make([]byte, 64)); err != nil { // it runs
		t.Fatal(err)
	}
	if err := s.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := s.Wait(); err == nil {
		t.Error("Wait() of a killed sandbox is nil")
	}
	// The one inside held the other end of the pipe.
	if err := output.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if n, err := output.Read(make([]byte, 64)); err == nil || os.IsTimeout(err) {
		t.Errorf("Read() = %d, %v, want the end of file: the one inside is dead", n, err)
	}
}
