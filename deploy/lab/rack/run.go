package rack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"

	"golang.org/x/sync/errgroup"

	"github.com/switchlet/switchlet/deploy/lab/network"
)

// Command is the argument by which the program knows that it is to be a rack inside
// User-Mode Linux; it then has to call Run with the one after it.
const Command = "rack"

// kernelLink is the link to the machine outside.
const kernelLink = "vec0"

// Inside is what Run reads from a file.
type Inside struct {
	Config
	// Address on the management network.
	Address netip.Prefix
	// Token that callers have to show.
	Token string
}

// Run is a rack that is all that runs in a kernel. It prints the name of each node, a
// line each, once that has booted. It returns if something failed, or a node ended.
func Run(ctx context.Context, file string, stdout io.Writer, log *slog.Logger) error {
	var cfg Inside
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, &cfg); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	if err := errors.Join(network.MakeBridge(cfg.Address), network.Attach(kernelLink)); err != nil {
		return err
	}
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	r, err := Start(cfg.Config, end, log)
	if err != nil {
		return err
	}
	listener, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(netip.AddrPortFrom(cfg.Address.Addr(), Port)))
	if err != nil {
		return err
	}
	group, serving := errgroup.WithContext(ctx)
	group.Go(func() error { return Serve(serving, listener, r.Handler(cfg.Token)) })
	group.Go(func() error {
		return r.Boot(serving, func(node string) error {
			_, err := io.WriteString(stdout, node+"\n") // one write: others do it too
			return err
		})
	})
	return errors.Join(group.Wait(), context.Cause(ctx))
}
