package lldpcli

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strings"
	"time"
)

// timeout is how long lldpcli may take: it answers within 10 ms.
const timeout = 10 * time.Second

// Client asks one lldpd.
type Client struct {
	// Socket of that lldpd; empty for lldpcli's default.
	Socket string
}

// Do carries out a command, such as "configure", "system", "hostname", "leaf1".
func (c Client) Do(ctx context.Context, command ...string) error {
	_, err := c.run(ctx, command...)
	return err
}

// Neighbors are the neighbours on all interfaces.
func (c Client) Neighbors(ctx context.Context) ([]Interface, error) {
	output, err := c.run(ctx, "-f", "json0", "show", "neighbors", "details")
	if err != nil {
		return nil, err
	}
	return DecodeInterfaces(output)
}

// Interfaces are the interfaces that lldpd uses, and what it says on them.
func (c Client) Interfaces(ctx context.Context) ([]Interface, error) {
	output, err := c.run(ctx, "-f", "json0", "show", "interfaces", "details")
	if err != nil {
		return nil, err
	}
	return DecodeInterfaces(output)
}

// Chassis is what lldpd says of the system that it runs on.
func (c Client) Chassis(ctx context.Context) (Chassis, error) {
	output, err := c.run(ctx, "-f", "json0", "show", "chassis", "details")
	if err != nil {
		return Chassis{}, err
	}
	return DecodeChassis(output)
}

func (c Client) run(ctx context.Context, command ...string) (*bytes.Buffer, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	var args []string
	if c.Socket != "" {
		args = []string{"-u", c.Socket}
	}
	cmd := exec.CommandContext(ctx, "lldpcli", append(args, command...)...)
	var output, complaints bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &complaints
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("lldpcli %s: %w: %s", strings.Join(command, " "), err, strings.TrimSpace(complaints.String()))
	}
	return &output, nil
}
