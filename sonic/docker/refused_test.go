package docker_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/switchlet/switchlet/sonic/docker"
)

// standIn answers as Docker does to a program that says "ok", apart from what a
// test replaces. It is stricter than Docker: it knows one version only, and what
// it does not know of a request it refuses.
func standIn(t *testing.T, replaced map[string]http.HandlerFunc) *docker.Engine {
	t.Helper()
	answer := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			fmt.Fprint(w, body)
		}
	}
	handlers := map[string]http.HandlerFunc{
		"GET /version":                    answer(200, `{"ApiVersion":"1.52","MinAPIVersion":"1.44"}`),
		"POST /v1.44/containers/bgp/exec": answer(201, `{"Id":"e1"}`),
		"POST /v1.44/exec/e1/start":       hijacked("\x01\x00\x00\x00\x00\x00\x00\x02ok"),
		"GET /v1.44/exec/e1/json":         answer(200, `{"Running":false,"ExitCode":0,"Pid":7}`),
	}
	for pattern, handler := range replaced {
		handlers[pattern] = handler
	}
	mux := http.NewServeMux()
	for pattern, handler := range handlers {
		mux.HandleFunc(pattern, handler)
	}
	dir, err := os.MkdirTemp("", "dk")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	socket := filepath.Join(dir, "docker.sock")
	server := httptest.NewUnstartedServer(mux)
	if server.Listener, err = net.Listen("unix", socket); err != nil {
		t.Fatal(err)
	}
	server.Start()
	t.Cleanup(server.Close)
	return docker.New(socket)
}

// hijacked is a connection that becomes a program's.
func hijacked(stream string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") != "tcp" || r.Header.Get("Connection") != "Upgrade" || r.Header.Get("Content-Type") != "application/json" {
			http.Error(w, `{"message":"not an upgrade"}`, http.StatusBadRequest)
			return
		}
		conn, buffer, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		fmt.Fprintf(buffer, "HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.multiplexed-stream\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n%s", stream)
		buffer.Flush()
	}
}

func say(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}
}

// What a daemon may do that Debian's did not do in the tests.
func TestAnswers(t *testing.T) {
	var asked atomic.Int32
	for _, test := range []struct {
		name     string
		replaced map[string]http.HandlerFunc
		want     string // of the error
	}{
		{"Docker 29", nil, ""},
		{"the exit code comes later", map[string]http.HandlerFunc{"GET /v1.44/exec/e1/json": func(w http.ResponseWriter, r *http.Request) {
			if asked.Add(1) < 3 {
				say(200, `{"Running":true,"ExitCode":null,"Pid":7}`)(w, r)
				return
			}
			say(200, `{"Running":false,"ExitCode":0,"Pid":7}`)(w, r)
		}}, ""},
		{"it goes on without output", map[string]http.HandlerFunc{"GET /v1.44/exec/e1/json": say(200, `{"Running":true,"Pid":7}`)}, "not ended 2s later"},
		{"the instance is gone", map[string]http.HandlerFunc{"GET /v1.44/exec/e1/json": say(404, `{"message":"No such exec instance: e1"}`)}, "No such exec instance: e1"},
		{"the container restarts", map[string]http.HandlerFunc{"POST /v1.44/containers/bgp/exec": say(409, `{"message":"Container bgp is restarting, wait until the container is running"}`)}, "is restarting"},
		{"no id", map[string]http.HandlerFunc{"POST /v1.44/containers/bgp/exec": say(201, `{}`)}, "no id"},
		{"it ended before the start", map[string]http.HandlerFunc{"POST /v1.44/exec/e1/start": say(500, `{"message":"cannot exec in a stopped state"}`)}, "stopped state"},
		{"no upgrade", map[string]http.HandlerFunc{"POST /v1.44/exec/e1/start": say(200, "ok")}, "the daemon answers 200 OK"},
		{"no frames", map[string]http.HandlerFunc{"POST /v1.44/exec/e1/start": hijacked("\r\nok\r\n password")}, "not one of frames"},
		{"no Docker", map[string]http.HandlerFunc{"GET /version": say(404, "<html>password")}, "the daemon answers 404 Not Found"},
		{"no JSON", map[string]http.HandlerFunc{"GET /version": say(200, "<html>password")}, "read Docker's answer"},
		{"no end", map[string]http.HandlerFunc{"GET /version": func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, `{"Platform":"`)
			for r := strings.Repeat(" ", 1<<16); ; {
				if _, err := fmt.Fprint(w, r); err != nil {
					return
				}
			}
		}}, "unexpected EOF"},
		{"an endless header", map[string]http.HandlerFunc{"GET /version": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Long", strings.Repeat("x", 2<<20))
		}}, "unexpected EOF"},
	} {
		t.Run(test.name, func(t *testing.T) {
			out, err := standIn(t, test.replaced).Exec(t.Context(), "bgp", []string{"vtysh", "password"}, "")
			switch {
			case test.want == "" && (err != nil || out != docker.Output{Stdout: "ok"}):
				t.Errorf("got %+v, %v", out, err)
			case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), "run vtysh in container bgp") || strings.Contains(err.Error(), "password")):
				t.Errorf("got %+v, %v\nwant %q", out, err, test.want)
			}
		})
	}
}

// A daemon that hangs holds nobody up whose context is done.
func TestHangs(t *testing.T) {
	for _, hangs := range []string{"GET /version", "POST /v1.44/containers/bgp/exec", "POST /v1.44/exec/e1/start", "GET /v1.44/exec/e1/json"} {
		t.Run(hangs, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			engine := standIn(t, map[string]http.HandlerFunc{hangs: func(_ http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body) // only then the server sees that the connection is closed
				cancel()
				<-r.Context().Done()
			}})
			if _, err := engine.Exec(ctx, "bgp", []string{"vtysh"}, "input"); !errors.Is(err, context.Canceled) {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestNoDaemon(t *testing.T) {
	begin := time.Now()
	_, err := docker.New(filepath.Join(t.TempDir(), "docker.sock")).Exec(t.Context(), "bgp", []string{"vtysh"}, "")
	if !errors.Is(err, fs.ErrNotExist) || time.Since(begin) > time.Second {
		t.Errorf("%v after %v", err, time.Since(begin))
	}
}
