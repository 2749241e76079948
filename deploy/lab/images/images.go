// Package images builds the images that the lab's nodes run: those of the agents
// on switches and on hosts, of the controller, and pause.
package images

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/switchlet/switchlet/deploy/lab/node"
	"github.com/switchlet/switchlet/deploy/lab/repo"
	"github.com/switchlet/switchlet/images/archive"
)

// The archives, by the names of their files.
const (
	Agent      = "agent.tar"
	HostAgent  = "host-agent.tar"
	Controller = "controller.tar"
	Pause      = "pause.tar"
)

// Build writes the archives to a folder, from the programs agent, host-agent,
// switchlet (the CNI plugin, which is in the image of the host agent) and
// controller in another one. It tells each image's reference and id.
func Build(ctx context.Context, programs, out string, built func(reference, id string)) error {
	pause, err := buildPause(ctx)
	if err != nil {
		return err
	}
	defer os.RemoveAll(filepath.Dir(pause))
	for _, image := range []struct {
		file, reference, program, user string
		others                         []string
	}{
		{Agent, "switchlet.io/agent:dev", filepath.Join(programs, "agent"), "", nil},
		{HostAgent, "switchlet.io/host-agent:dev", filepath.Join(programs, "host-agent"), "", []string{filepath.Join(programs, "switchlet")}},
		{Controller, "switchlet.io/controller:dev", filepath.Join(programs, "controller"), "65532:65532", nil},
		{Pause, node.PauseImage, pause, "65535:65535", nil},
	} {
		id, err := archive.Write(filepath.Join(out, image.file), archive.Image{
			Reference: image.reference, Program: image.program, Others: image.others, User: image.user, Architecture: runtime.GOARCH,
		})
		if errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%w: build it with: make build", err)
		}
		if err != nil {
			return err
		}
		built(image.reference, id)
	}
	return nil
}

// buildPause builds the pause program into a temporary folder.
func buildPause(ctx context.Context) (program string, err error) {
	root, err := repo.Root()
	if err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp("", "switchlet-pause-")
	if err != nil {
		return "", err
	}
	program = filepath.Join(dir, "pause")
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-buildvcs=false", "-o", program, "./images/pause")
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := cmd.CombinedOutput(); err != nil {
		err = fmt.Errorf("build pause: %w: %s", err, strings.TrimSpace(string(output)))
		return "", errors.Join(err, os.RemoveAll(dir))
	}
	return program, nil
}
