package converge

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/switchlet/switchlet/sonic/docker"
	"github.com/switchlet/switchlet/sonic/frr"
)

// Ways are those to FRR that a switch may have, the first that is there being
// used. What is empty is not looked for.
type Ways struct {
	// Sockets is a folder with the sockets of FRR's daemons.
	Sockets string
	// Layers is the folder of Docker's overlay2. NAME/merged in it is the root of
	// a container that runs, as long as it runs, and so has the same sockets.
	Layers string
	// Vtysh is a command that runs vtysh, such as docker exec -i bgp vtysh.
	Vtysh []string
	// Docker is the socket of Docker's daemon, which can run vtysh in Container.
	Docker, Container string
}

// FindShell says how to find a way to FRR as it is at the moment, with a name for
// people; there may be none.
func FindShell(ways Ways) func() (frr.Shell, string) {
	return func() (frr.Shell, string) {
		if dir := ways.sockets(); dir != "" {
			return frr.Sockets{Dir: dir}, "the sockets in " + dir
		}
		if len(ways.Vtysh) > 0 {
			return frr.Vtysh{Exec: instead(ways.Vtysh)}, strings.Join(ways.Vtysh, " ")
		}
		if info, err := os.Stat(ways.Docker); err == nil && info.Mode().Type() == fs.ModeSocket {
			return frr.Vtysh{Exec: inContainer(ways.Docker, ways.Container)}, fmt.Sprintf("vtysh in container %s", ways.Container)
		}
		return nil, ""
	}
}

// bgpd is the socket by which a folder of sockets is known.
const bgpd = "bgpd.vty"

// sockets is the folder of the sockets of FRR's daemons, empty if there is none.
func (w Ways) sockets() string {
	if _, err := os.Stat(filepath.Join(w.Sockets, bgpd)); w.Sockets != "" && err == nil {
		return w.Sockets
	}
	found := inLayers(w.Layers)
	if len(found) != 1 {
		return "" // which of several is SONiC's cannot be told
	}
	return found[0]
}

// inLayers are the folders of FRR's sockets in containers that run. A container's
// links say where things are in its own root, not in this one: they are not
// followed, and /run is what its /var/run is a link to.
func inLayers(dir string) []string {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil
	}
	defer root.Close()
	layers, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return nil
	}
	var found []string
	for _, layer := range layers {
		sockets := filepath.Join(layer.Name(), "merged/run/frr")
		if _, err := os.Lstat(filepath.Join(dir, sockets, bgpd)); err != nil {
			continue // one of hundreds of layers
		}
		if info, err := root.Lstat(filepath.Join(sockets, bgpd)); err == nil && info.Mode().Type() == fs.ModeSocket {
			found = append(found, filepath.Join(dir, sockets))
		}
	}
	return found
}

// inContainer runs programs in a container.
func inContainer(socket, container string) frr.Exec {
	engine := docker.New(socket)
	return func(ctx context.Context, argv []string, stdin string) (frr.Output, error) {
		out, err := engine.Exec(ctx, container, argv, stdin)
		return frr.Output(out), err
	}
}

const (
	// maxOutput bounds what a program may write: the configuration of a full
	// switch has some MiB.
	maxOutput = 64 << 20
	// lastWords is how long a program that was told to end may go on.
	lastWords = time.Second
)

// instead runs a command in place of the first word, vtysh.
func instead(vtysh []string) frr.Exec {
	return func(ctx context.Context, argv []string, stdin string) (frr.Output, error) {
		words := slices.Concat(vtysh, argv[1:])
		cmd := exec.CommandContext(ctx, words[0], words[1:]...)
		var out, problems bounded
		cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &problems
		cmd.WaitDelay = lastWords
		err := cmd.Run()
		var exit *exec.ExitError
		if errors.As(err, &exit) && exit.Exited() {
			err = nil
		}
		if err != nil {
			return frr.Output{}, fmt.Errorf("%s: %w", vtysh[0], err)
		}
		return frr.Output{Stdout: out.String(), Stderr: problems.String(), Status: cmd.ProcessState.ExitCode()}, nil
	}
}

// bounded keeps what is written, up to a limit.
type bounded struct{ bytes.Buffer }

var errOutput = fmt.Errorf("it wrote more than %d bytes", maxOutput)

func (b *bounded) Write(p []byte) (int, error) {
	if b.Len()+len(p) > maxOutput {
		return 0, errOutput
	}
	return b.Buffer.Write(p)
}
