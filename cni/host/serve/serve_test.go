package serve_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/switchlet/switchlet/cni/host/serve"
	"github.com/switchlet/switchlet/cni/protocol"
	"github.com/switchlet/switchlet/deploy/lab/labtest"
	"github.com/switchlet/switchlet/deploy/lab/nettest"
)

// asSomebody tells this program to be a user that is not root, and what to say to
// which socket.
const asSomebody = "SWITCHLET_SERVE_SOCKET"

func TestMain(m *testing.M) {
	if socket := os.Getenv(asSomebody); socket != "" {
		conn, err := net.Dial("unix", socket)
		if err == nil {
			_, _ = conn.Write(add())
			_, err = protocol.ReadFrame(conn)
		}
		fmt.Println(err)
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func add() []byte {
	return protocol.AppendFrame(nil, protocol.Request{Command: "ADD", ContainerID: "c1", Config: []byte(`{}`)}.Append(nil))
}

// start starts a server that ends with the test.
func start(t *testing.T, handle serve.Handler) string {
	t.Helper()
	if os.Geteuid() != 0 {
		labtest.Missing(t, "the server takes requests from root only")
	}
	dir, err := os.MkdirTemp("", "serve")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	socket := filepath.Join(dir, "s")
	server, err := serve.Listen(socket, handle, slog.New(slog.NewTextHandler(t.Output(), nil)))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	all.Go(func() { server.Run(ctx) })
	t.Cleanup(func() { cancel(); all.Wait() })
	return socket
}

func dial(t *testing.T, socket string) *net.UnixConn {
	t.Helper()
	conn, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: socket, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// echo answers with what it was asked, and whether a namespace came along.
func echo(_ context.Context, r protocol.Request, netns *os.File) protocol.Response {
	return protocol.Response{Body: fmt.Appendf(nil, "%s %s %t", r.Command, r.ContainerID, netns != nil)}
}

func answer(t *testing.T, conn io.Reader) string {
	t.Helper()
	payload, err := protocol.ReadFrame(conn)
	if err != nil {
		return err.Error()
	}
	r, err := protocol.ParseResponse(payload)
	if err != nil {
		t.Fatal(err)
	}
	return string(r.Body)
}

// A request may come in pieces, with a network namespace or without one.
func TestRequests(t *testing.T) {
	socket := start(t, echo)
	slow := dial(t, socket)
	for _, b := range add() {
		if _, err := slow.Write([]byte{b}); err != nil {
			t.Fatal(err)
		}
	}
	if got := answer(t, slow); got != "ADD c1 false" {
		t.Error(got)
	}
	netns, err := os.Open(nettest.Namespace(t))
	if err != nil {
		t.Fatal(err)
	}
	defer netns.Close()
	with := dial(t, socket)
	if _, _, err := with.WriteMsgUnix(add(), unix.UnixRights(int(netns.Fd())), nil); err != nil {
		t.Fatal(err)
	}
	if got := answer(t, with); got != "ADD c1 true" {
		t.Error(got)
	}
}

// What makes no sense is not answered, and is in nobody's way.
func TestNonsense(t *testing.T) {
	socket := start(t, func(context.Context, protocol.Request, *os.File) protocol.Response {
		t.Error("it was taken for a request")
		return protocol.Response{}
	})
	for _, text := range []string{"GET / HTTP/1.1\r\n\r\n", "swl1\xff\xff\xff\xff", string(protocol.AppendFrame(nil, []byte("\x00\x00\x00\x09abc")))} {
		conn := dial(t, socket)
		if _, err := conn.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
		if got := answer(t, conn); !strings.Contains(got, "EOF") && !strings.Contains(got, "reset") {
			t.Errorf("%q: %s", text, got)
		}
	}
	file, err := os.Open("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	conn := dial(t, socket)
	if _, _, err := conn.WriteMsgUnix(add(), unix.UnixRights(int(file.Fd()), int(file.Fd())), nil); err != nil {
		t.Fatal(err)
	}
	if got := answer(t, conn); !strings.Contains(got, "EOF") && !strings.Contains(got, "reset") {
		t.Errorf("files that are no namespace: %s", got)
	}
}

// Somebody who waits, or has gone to sleep, keeps nobody else from being served;
// when a runtime goes away the request ends.
func TestManyAtOnce(t *testing.T) {
	ended := make(chan struct{})
	socket := start(t, func(ctx context.Context, r protocol.Request, netns *os.File) protocol.Response {
		if r.ContainerID == "waits" {
			<-ctx.Done()
			close(ended)
		}
		return echo(ctx, r, netns)
	})
	dial(t, socket) // says nothing
	waits := dial(t, socket)
	if _, err := waits.Write(protocol.AppendFrame(nil, protocol.Request{Command: "ADD", ContainerID: "waits"}.Append(nil))); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 50 {
		conn := dial(t, socket)
		all.Go(func() {
			_, _ = conn.Write(add())
			if got := answer(t, conn); got != "ADD c1 false" {
				t.Error(got)
			}
		})
	}
	all.Wait()
	waits.Close()
	select {
	case <-ended:
	case <-time.After(20 * time.Second):
		t.Error("a request goes on when its runtime has gone away")
	}
}

// Nobody but root is served, even if the socket were open to all.
func TestRootAlone(t *testing.T) {
	socket := start(t, func(context.Context, protocol.Request, *os.File) protocol.Response {
		t.Error("somebody else was served")
		return protocol.Response{}
	})
	if mode := stat(t, socket); mode.Perm() != 0o600 {
		t.Errorf("the socket has mode %v", mode)
	}
	for name, mode := range map[string]os.FileMode{filepath.Dir(socket): 0o755, socket: 0o666} {
		if err := os.Chmod(name, mode); err != nil {
			t.Fatal(err)
		}
	}
	program := filepath.Join(filepath.Dir(socket), "program") // the test's own folder is root's alone
	text, err := os.ReadFile(os.Args[0])
	if err == nil {
		err = os.WriteFile(program, text, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program)
	cmd.Env = append(os.Environ(), asSomebody+"="+socket)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	output, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(output), "EOF") && !strings.Contains(string(output), "reset") {
		t.Errorf("%s, error %v", output, err)
	}
}

func stat(t *testing.T, name string) os.FileMode {
	t.Helper()
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode()
}

// A second run takes the place of the first.
func TestListenAgain(t *testing.T) {
	socket := start(t, echo)
	again, err := serve.Listen(socket, func(context.Context, protocol.Request, *os.File) protocol.Response {
		return protocol.Response{Body: []byte("the second")}
	}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	all.Go(func() { again.Run(ctx) })
	defer func() { cancel(); all.Wait() }()
	conn := dial(t, socket)
	if _, err := conn.Write(add()); err != nil {
		t.Fatal(err)
	}
	if got := answer(t, conn); got != "the second" {
		t.Error(got)
	}
}
