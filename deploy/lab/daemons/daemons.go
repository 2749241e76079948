// Package daemons lets one process ask how the stand-in for SONiC's daemons is
// that runs in another: what it has made of CONFIG_DB, and what mistakes
// writers made. It has a Unix socket beside that of the switch's Redis; whoever
// connects gets one Report as JSON.
package daemons

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/switchlet/switchlet/deploy/lab/swss/live"
)

// Report says how the daemons of a switch are.
type Report struct {
	// Running is false while they are stopped, or have no Redis.
	Running bool `json:"running"`
	// Rows are theirs, one a line: "STATE_DB VLAN_TABLE|Vlan10 state=ok", and
	// what they wait to do: "pending …".
	Rows []string `json:"rows"`
	// Mistakes of those who wrote CONFIG_DB, and what the daemons logged at
	// priority ERR.
	Mistakes []string `json:"mistakes"`
	Errors   []string `json:"errors"`
}

const (
	// patience is how long an answer may wait for the daemons to come to rest.
	patience = 10 * time.Second
	// ioTimeout bounds the sending of an answer.
	ioTimeout = 10 * time.Second
	// maxReport is the size of an answer that is read: 10,000 rows take 1 MiB.
	maxReport = 64 << 20
)

// Serve answers until ctx is done. A socket that is there is replaced.
func Serve(ctx context.Context, socket string, service *live.Service, log *slog.Logger) error {
	if err := os.Remove(socket); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = listener.Close() })
	defer stop()
	var answers sync.WaitGroup
	defer answers.Wait()
	for {
		connection, err := listener.Accept()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: %w", socket, errors.Join(err, listener.Close()))
		}
		answers.Go(func() {
			if err := answer(ctx, connection, service); err != nil {
				log.Warn("a report on the daemons was not sent", "error", err)
			}
		})
	}
}

// answer sends one report, of daemons at rest if they come to it in time.
func answer(ctx context.Context, connection net.Conn, service *live.Service) error {
	defer connection.Close()
	waiting, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := service.Quiet(waiting); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	if err := connection.SetDeadline(time.Now().Add(ioTimeout)); err != nil {
		return err
	}
	return json.NewEncoder(connection).Encode(look(service))
}

func look(service *live.Service) Report {
	r := Report{Running: service.Running(), Errors: service.Errors()}
	for line := range strings.Lines(service.Dump()) {
		r.Rows = append(r.Rows, strings.TrimSpace(line))
	}
	for _, mistake := range service.Mistakes() {
		r.Mistakes = append(r.Mistakes, mistake.String())
	}
	return r
}

// Ask asks the daemons behind a socket, once they have come to rest.
func Ask(ctx context.Context, socket string) (Report, error) {
	connection, err := new(net.Dialer).DialContext(ctx, "unix", socket)
	if err != nil {
		return Report{}, fmt.Errorf("ask the daemons: %w", err)
	}
	defer connection.Close()
	stop := context.AfterFunc(ctx, func() { _ = connection.Close() }) // ends the Decode below
	defer stop()
	var r Report
	if err := json.NewDecoder(io.LimitReader(connection, maxReport)).Decode(&r); err != nil {
		return Report{}, fmt.Errorf("ask the daemons: %s: %w", socket, errors.Join(ctx.Err(), err))
	}
	return r, nil
}
