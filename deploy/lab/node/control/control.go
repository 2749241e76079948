// Package control lets those outside of a node do things in it: run a command, start
// and stop programs, kill one. A node answers at a Unix socket of its own; who may use
// that is root there.
package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"
)

// Socket is where a node answers.
const Socket = "/run/node.sock"

// maxBody bounds what is read of a request: a program's arguments and files.
const maxBody = 1 << 20

// Serve answers until ctx is done. A socket that is there is replaced. booted is closed
// when what belongs to the node itself is started.
func Serve(ctx context.Context, socket string, booted <-chan struct{}, log *slog.Logger) error {
	if err := os.Remove(socket); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: newHandler(ctx, booted, log), ReadHeaderTimeout: 10 * time.Second}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("%s: %w", socket, err)
	}
	return nil
}

// handler answers requests.
type handler struct {
	ctx      context.Context // of the node
	booted   <-chan struct{}
	programs *programs
}

func newHandler(ctx context.Context, booted <-chan struct{}, log *slog.Logger) http.Handler {
	h := &handler{ctx: ctx, booted: booted, programs: newPrograms(ctx, log)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /booted", h.waitBooted)
	mux.HandleFunc("PUT /programs/{name}", h.run)
	mux.HandleFunc("DELETE /programs/{name}", h.stop)
	mux.HandleFunc("POST /processes/{name}/{signal}", h.signal)
	mux.HandleFunc("GET /exec", h.exec)
	return mux
}

// waitBooted answers when the node has booted.
func (h *handler) waitBooted(w http.ResponseWriter, r *http.Request) {
	select {
	case <-h.booted:
		w.WriteHeader(http.StatusNoContent)
	case <-r.Context().Done():
	}
}

func (h *handler) run(w http.ResponseWriter, r *http.Request) {
	var p Program
	if err := json.NewDecoder(io.LimitReader(r.Body, maxBody)).Decode(&p); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	reply(w, h.programs.run(r.PathValue("name"), p))
}

func (h *handler) stop(w http.ResponseWriter, r *http.Request) {
	reply(w, h.programs.stop(r.PathValue("name")))
}

func (h *handler) signal(w http.ResponseWriter, r *http.Request) {
	number, err := signal(r.PathValue("signal"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	reply(w, send(r.PathValue("name"), number))
}

// reply says that it is done, or why not.
func reply(w http.ResponseWriter, err error) {
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
