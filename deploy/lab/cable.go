package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/switchlet/switchlet/deploy/lab/box"
	"github.com/switchlet/switchlet/deploy/lab/cabling"
	"github.com/switchlet/switchlet/deploy/lab/patch"
	"github.com/switchlet/switchlet/deploy/lab/rack"
	"github.com/switchlet/switchlet/deploy/lab/state"
)

func cablesCommand(ctx context.Context, a *app, _ []string) error {
	_, client, err := a.rack()
	if err != nil {
		return err
	}
	all, err := client.Cables(ctx)
	if err == nil {
		fmt.Print(patch.Table(all))
	}
	return err
}

// cableCommand changes the cables of a lab that runs, from outside it.
func cableCommand(ctx context.Context, a *app, args []string) error {
	lab, client, err := a.rack()
	if err != nil {
		return err
	}
	ends, err := parseEnds(args)
	if err != nil {
		return err
	}
	for _, end := range ends {
		if err := checkPort(ctx, lab, end); err != nil {
			return err
		}
	}
	return client.Change(ctx, args[0], ends...)
}

// rack is a lab that runs, and a client of its rack.
func (a *app) rack() (state.Lab, rack.Client, error) {
	lab, err := state.Load(a.name)
	if err != nil {
		return lab, rack.Client{}, err
	}
	client, err := rack.Of(lab)
	return lab, client, err
}

// parseEnds are the ends that a command names: two, or for pull one.
func parseEnds(args []string) ([]cabling.End, error) {
	want := map[string]int{"move": 2, "plug": 2, "pull": 1}
	if len(args) == 0 || want[args[0]] != len(args)-1 || len(args) == 1 {
		return nil, errors.New("say one of: lab cable move host1/eth1 leaf2/Ethernet8 (where the cable at the first end is to lead to)," +
			" lab cable pull host1/eth1, lab cable plug host1/eth1 leaf1/Ethernet0")
	}
	var ends []cabling.End
	for _, text := range args[1:] {
		end, err := cabling.ParseEnd(text)
		if err != nil {
			return nil, err
		}
		ends = append(ends, end)
	}
	return ends, nil
}

// checkPort fails if an end is on a switch that has no such port.
func checkPort(ctx context.Context, lab state.Lab, end cabling.End) error {
	node, err := lab.Node(end.Node)
	if err != nil || node.Role == "" {
		return err
	}
	rows, err := box.Read(ctx, lab.Socket(node.Name))
	if err != nil {
		return err
	}
	if rows["PORT|"+end.Port] != nil {
		return nil
	}
	var ports []string
	for key := range rows {
		if port, ok := strings.CutPrefix(key, "PORT|"); ok {
			ports = append(ports, port)
		}
	}
	slices.SortFunc(ports, cabling.CompareNames)
	return fmt.Errorf("%s: %s has no port %s in its CONFIG_DB; it has %s", end, node.Name, end.Port, strings.Join(ports, ", "))
}
