package redis

import (
	"net"
	"path/filepath"
	"strings"
	"testing"

	"github.com/switchlet/switchlet/sonic"
)

// answering is a connection to a Redis that says so much, whatever it is asked.
func answering(t *testing.T, text string) *wire {
	t.Helper()
	listener, err := net.Listen("unix", filepath.Join(t.TempDir(), "redis.sock"))
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("unix", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	server, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close(); conn.Close(); server.Close() })
	if _, err := server.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := server.(*net.UnixConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	return newWire(conn.(*net.UnixConn))
}

// Nothing is taken to be carried out that Redis does not say is.
func TestExtend(t *testing.T) {
	const began, queued = "+OK\r\n$1\r\n1\r\n+OK\r\n", "+QUEUED\r\n"
	for _, test := range []struct{ name, text, want string }{
		{"two rows", began + queued + queued + "*2\r\n:1\r\n:1\r\n", ""},
		{"CONFIG_DB is being loaded", "+OK\r\n$1\r\n0\r\n", ErrNotInitialized.Error()},
		{"CONFIG_DB is empty", "+OK\r\n$-1\r\n", ErrNotInitialized.Error()},
		{"CONFIG_DB was emptied meanwhile", began + queued + queued + "*-1\r\n", ErrNotInitialized.Error()},
		{"a row is something else", began + queued + queued + "*2\r\n:1\r\n-WRONGTYPE\r\n", "hset VLAN_MEMBER|Vlan101|Ethernet0: WRONGTYPE"},
		{"there is no memory", began + "-OOM\r\n" + queued + "-EXECABORT\r\n", "hset VLAN_MEMBER|Vlan100|Ethernet0: OOM"},
		{"too few answers", began + queued + queued + "*1\r\n:1\r\n", "unexpected answer of Redis: *1 instead of 2 answers"},
		{"no answers", began + queued + queued + ":2\r\n", "unexpected answer of Redis: :2 instead of 2 answers"},
		{"it ends", began + queued, "EOF"},
		{"it does not know WATCH", "-ERR unknown command\r\n", "ERR unknown command"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var commands []sonic.Command
			for _, id := range []int{100, 101} {
				row := sonic.VLANMember{VLAN: id, Port: "Ethernet0"}.Row()
				commands = append(commands, sonic.Command{Op: sonic.Extend, Key: row.Key, Fields: row.Fields})
			}
			w := answering(t, test.text)
			if got := message(w.extend(commands)); got != test.want {
				t.Errorf("error is %q, want %q; sent:\n%s", got, test.want, strings.ReplaceAll(string(w.out), "\r\n", " "))
			}
		})
	}
}
