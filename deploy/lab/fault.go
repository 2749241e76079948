package main

import (
	"context"
	"errors"

	"github.com/switchlet/switchlet/deploy/lab/cabling"
	"github.com/switchlet/switchlet/deploy/lab/node/control"
	"github.com/switchlet/switchlet/deploy/lab/state"
)

// linkCommand switches a link on or off, as its owner would.
func linkCommand(ctx context.Context, a *app, args []string) error {
	if len(args) != 2 || args[1] != "up" && args[1] != "down" {
		return errors.New("name an end and say up or down, such as: lab link leaf1/Ethernet120 down")
	}
	end, err := cabling.ParseEnd(args[0])
	if err != nil {
		return err
	}
	_, client, err := a.rack()
	if err != nil {
		return err
	}
	return client.SetLink(ctx, end, args[1] == "up")
}

// rebootCommand takes the power from a host and gives it back.
func rebootCommand(ctx context.Context, a *app, args []string) error {
	if len(args) != 1 {
		return errors.New("name a host, such as: lab reboot host1")
	}
	lab, client, err := a.rack()
	if err != nil {
		return err
	}
	nodes, err := lab.Nodes()
	if err != nil {
		return err
	}
	pid, err := client.Reboot(ctx, args[0])
	if err != nil || lab.UML {
		return err // a node in User-Mode Linux has no process id outside
	}
	for i := range nodes {
		if nodes[i].Name == args[0] {
			nodes[i].Pid = pid
		}
	}
	return lab.SaveNodes(nodes)
}

// killCommand sends a signal to a program on a node.
func killCommand(ctx context.Context, a *app, args []string) error {
	if len(args) < 2 || len(args) > 3 {
		return errors.New("name a node and a program, such as: lab kill leaf1 bgpd (or agent, redis-server, zebra, lldpd), and a signal if it is not KILL")
	}
	lab, err := state.Load(a.name)
	if err != nil {
		return err
	}
	if _, err := lab.Node(args[0]); err != nil {
		return err
	}
	signal := "KILL"
	if len(args) == 3 {
		signal = args[2]
	}
	return control.NewClient(lab.NodeSocket(args[0])).Signal(ctx, args[1], signal)
}
