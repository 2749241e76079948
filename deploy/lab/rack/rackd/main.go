// Command rackd is what runs inside User-Mode Linux: the rack, its nodes and what is
// process 1 of each. The command lab can be all of that too, but a start of a program
// of its size takes more than a second there, and there are two for each node.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/switchlet/switchlet/deploy/lab/node"
	"github.com/switchlet/switchlet/deploy/lab/rack"
	"github.com/switchlet/switchlet/deploy/lab/sandbox"
	"github.com/switchlet/switchlet/deploy/lab/uml"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:]))
}

func run(ctx context.Context, args []string) (code int) {
	if len(args) < 2 {
		fmt.Fprintln(os.Stderr, "rackd: the lab starts this in User-Mode Linux: lab up --forward")
		return 2
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	var err error
	switch args[0] {
	case sandbox.InitCommand:
		code, err = sandbox.Init()
	case node.Command:
		err = node.Run(ctx, args[1], log)
	case rack.Command:
		err = rack.Run(ctx, args[1], os.Stdout, log)
	case uml.InitCommand:
		uml.Init(args[1])
	default:
		err = fmt.Errorf("there is no part %q", args[0])
	}
	if err != nil {
		log.Error("ends", "part", args[0], "error", err)
		code = max(code, 1)
	}
	return code
}
