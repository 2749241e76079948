package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	// maxOutput bounds what a program may write: FRR's configuration of a full
	// switch has some MiB.
	maxOutput = 64 << 20
	// lastWords is how long a program may go on after the end of its output, and
	// Docker may take to note that it ended.
	lastWords  = 2 * time.Second
	firstPause = 2 * time.Millisecond
)

// Output is what a program wrote and how it ended.
type Output struct {
	Stdout, Stderr string
	Status         int
}

// Engine is the Docker daemon behind a socket. Several goroutines may use it.
type Engine struct{ socket string }

// New is the daemon behind a socket, such as /var/run/docker.sock. It need not run.
func New(socket string) *Engine { return &Engine{socket: socket} }

// Exec runs a program in a running container, with the given standard input. The
// error says that it could not be run, or that it is not known how it ended; it
// names the program, not its arguments.
//
// When ctx is done the connection is closed, by which the program's input ends.
// Docker has no way to end it, so it may go on.
func (e *Engine) Exec(ctx context.Context, container string, argv []string, stdin string) (Output, error) {
	out, err := e.exec(ctx, container, argv, stdin)
	if err != nil && ctx.Err() != nil {
		err = ctx.Err()
	}
	if err != nil {
		return Output{}, fmt.Errorf("run %s in container %s by way of %s: %w", argv[0], container, e.socket, err)
	}
	return out, nil
}

func (e *Engine) exec(ctx context.Context, container string, argv []string, stdin string) (Output, error) {
	api, err := e.api(ctx)
	if err != nil {
		return Output{}, err
	}
	id, err := e.create(ctx, api+"/containers/"+url.PathEscape(container)+"/exec", argv, stdin != "")
	if err != nil {
		return Output{}, err
	}
	path := api + "/exec/" + url.PathEscape(id)
	out, err := e.start(ctx, path+"/start", stdin)
	if err != nil {
		return Output{}, err
	}
	end, err := e.ended(ctx, path+"/json")
	if err == nil && end.Pid == 0 {
		err = fmt.Errorf("it could not be started: %s", oneLine(out.Stdout+" "+out.Stderr))
	}
	out.Status = end.status()
	return out, err
}

// create makes an exec instance (ContainerExec) and returns its id.
func (e *Engine) create(ctx context.Context, path string, argv []string, input bool) (string, error) {
	type config struct {
		AttachStdin, AttachStdout, AttachStderr, Tty bool
		Cmd                                          []string
	}
	var made struct {
		ID string `json:"Id"`
	}
	err := e.call(ctx, http.MethodPost, path, config{AttachStdin: input, AttachStdout: true, AttachStderr: true, Cmd: argv}, &made)
	if err == nil && made.ID == "" {
		err = errors.New("the daemon gave the exec instance no id")
	}
	return made.ID, err
}

// start starts an exec instance (ExecStart). From the answer on, the connection
// is the program's: its input one way, its output the other.
func (e *Engine) start(ctx context.Context, path, stdin string) (Output, error) {
	c, err := e.dial(ctx)
	if err != nil {
		return Output{}, err
	}
	defer c.end()
	resp, err := c.send(http.MethodPost, path, struct{ Detach, Tty bool }{}, http.Header{"Connection": {"Upgrade"}, "Upgrade": {"tcp"}})
	if err != nil {
		return Output{}, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusSwitchingProtocols {
		return Output{}, refusal(resp)
	}
	c.limit.N = maxStream
	typed := make(chan struct{})
	go func() {
		defer close(typed)
		c.typeIn(stdin)
	}()
	out, err := demultiplex(c.in, maxOutput)
	if err == nil && c.limit.N <= 0 {
		err = errTooMuch
	}
	c.end() // a program need not read all of its input
	<-typed
	return out, err
}

// typeIn writes a program's input and ends it. A program that does not take it
// has ended, or is cut off; either shows in what comes from it.
func (c *connection) typeIn(stdin string) {
	if stdin == "" {
		return // there is none attached
	}
	if _, err := io.Copy(c.conn, strings.NewReader(stdin)); err == nil {
		_ = c.conn.CloseWrite()
	}
}

// ending is how an exec instance stands (ExecInspect).
type ending struct {
	Running  bool
	ExitCode *int
	Pid      int // zero if the program could not be started
}

func (e ending) status() int {
	if e.ExitCode == nil {
		return 0
	}
	return *e.ExitCode
}

// ended waits for the exit code, which Docker may note a moment after the end
// of the output.
func (e *Engine) ended(ctx context.Context, path string) (ending, error) {
	timeout := time.NewTimer(lastWords)
	defer timeout.Stop()
	for pause := firstPause; ; pause *= 2 {
		var now ending
		if err := e.call(ctx, http.MethodGet, path, nil, &now); err != nil {
			return ending{}, err
		}
		if !now.Running && now.ExitCode != nil {
			return now, nil
		}
		select {
		case <-time.After(pause):
		case <-timeout.C:
			return ending{}, fmt.Errorf("it has closed its output and not ended %v later", lastWords)
		case <-ctx.Done():
			return ending{}, ctx.Err()
		}
	}
}
