package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"

	"github.com/switchlet/switchlet/deploy/lab/node/control"
	"github.com/switchlet/switchlet/deploy/lab/state"
)

// exitCode is the error of a command that ran in a node and failed: it has said why.
type exitCode int

func (e exitCode) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// execCommand runs a command on a node.
func execCommand(ctx context.Context, a *app, args []string) error {
	if len(args) < 2 {
		return errors.New("name a node and a command, such as: lab exec leaf1 redis-cli ping")
	}
	lab, err := state.Load(a.name)
	if err != nil {
		return err
	}
	if running, err := lab.Process.Running(); !running || err != nil {
		return errors.Join(fmt.Errorf("lab %s does not run", lab.Name), err)
	}
	node, err := lab.Node(args[0])
	if err != nil {
		return err
	}
	if node.Pid != 0 {
		return become(lab, node, args[1:])
	}
	streams := control.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}
	code, err := control.NewClient(lab.NodeSocket(node.Name)).Exec(ctx, streams, args[1:]...)
	if err == nil && code != 0 {
		return exitCode(code)
	}
	return err
}

// become becomes the command: first in the lab's namespaces, from there in the
// node's, whose process id is known only in the lab.
func become(lab state.Lab, node state.Node, command []string) error {
	nsenter, err := exec.LookPath("nsenter")
	if err != nil {
		return err
	}
	enter := func(pid int) []string {
		return []string{nsenter, "--target=" + strconv.Itoa(pid), "--mount", "--uts", "--ipc", "--net", "--pid"}
	}
	line := append(enter(lab.Process.Pid), enter(node.Pid)...)
	return syscall.Exec(nsenter, append(line, command...), os.Environ())
}
