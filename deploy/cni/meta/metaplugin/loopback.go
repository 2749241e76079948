package main

import (
	"fmt"
	"io"

	"github.com/containernetworking/cni/pkg/types"
	types100 "github.com/containernetworking/cni/pkg/types/100"

	"github.com/switchlet/switchlet/deploy/cni/meta"
)

// loopbackName is what the program is called when it is the plugin that containerd
// calls before all others: it switches the pod's loopback on.
const loopbackName = "loopback"

func loopback(command string, c meta.Call, out io.Writer) error {
	if command != "ADD" {
		return nil
	}
	if err := meta.Up(c, "lo"); err != nil {
		return fmt.Errorf("loopback: %w", err)
	}
	result := &types100.Result{CNIVersion: "1.0.0", Interfaces: []*types100.Interface{{Name: "lo", Sandbox: c.Netns}}}
	var old types.Result = result
	old, err := old.GetAsVersion("0.3.1") // what containerd's own configuration says
	if err != nil {
		return err
	}
	return old.PrintTo(out)
}
