package join

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
	corev1 "k8s.io/client-go/kubernetes/typed/core/v1"

	"github.com/switchlet/switchlet/deploy/join"
)

// Commands are those of this package.
func Commands() []*cobra.Command { return []*cobra.Command{tokenCommand(), scriptCommand()} }

func scriptCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "join-script",
		Short: "Print join.sh, which makes a SONiC switch a node",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			script, err := join.Script()
			if err != nil {
				return err
			}
			_, err = c.OutOrStdout().Write(script)
			return err
		},
	}
}

func tokenCommand() *cobra.Command {
	var o options
	c := &cobra.Command{
		Use:   "join-token SWITCH",
		Short: "Make a token with which one switch can join, and print its settings for join.sh",
		Long: "Makes a bootstrap token that is good for the certificate of this one switch, and prints\n" +
			"the settings with which join.sh joins. They are a secret until the token expires.",
		Example: "  kubectl switchlet join-token leaf1 --role leaf \\\n" +
			"    --bundle http://mirror.example/switchlet --sums $(sha256sum <SHA256SUMS | cut -c -64) >leaf1.settings",
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			o.node = args[0]
			return run(c.Context(), o, c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	o.cluster.AddTo(c)
	f := c.Flags()
	f.StringVar(&o.server, "server", "", "https://HOST:PORT of the API server as the switch reaches it; default: that of the kubeconfig")
	f.StringVar(&o.role, "role", "leaf", "leaf, spine or border")
	f.StringVar(&o.labels, "labels", "", "further labels of the node, KEY=VALUE,KEY=VALUE")
	f.StringVar(&o.bundle, "bundle", "", "folder on the switch, or URL, with the programs")
	f.StringVar(&o.sums, "sums", "", "SHA-256 of the file SHA256SUMS in the bundle")
	f.StringVar(&o.registry, "registry", "", "URL of a registry that switches pull all images from")
	f.DurationVar(&o.ttl, "ttl", 0, "how long the token is good (default 24h, with --rejoin 1h)")
	f.BoolVar(&o.again, "rejoin", false, "for a switch that has a Node already, and lost its certificate")
	return c
}

func run(ctx context.Context, o options, out, notes io.Writer) error {
	if err := o.complete(); err != nil {
		return err
	}
	config, err := o.cluster.Config()
	if err != nil {
		return err
	}
	core, err := corev1.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("connect to the API server: %w", err)
	}
	settings, err := o.settings(config)
	if err != nil {
		return err
	}
	token, err := newToken()
	if err != nil {
		return err
	}
	if err := o.make(ctx, core, token, time.Now()); err != nil {
		return err
	}
	if err := settings.write(out, token); err != nil {
		return err
	}
	_, err = fmt.Fprintf(notes, "The token of switch %s is good for %s. On the switch, as root: bash join.sh --settings FILE\n", o.node, o.ttl)
	return err
}
