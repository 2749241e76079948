// Command kubectl-switchlet is what people type: a plugin of kubectl, called as
// kubectl switchlet, that works without a cluster too.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/switchlet/switchlet/deploy/kubectl-switchlet/config"
	"github.com/switchlet/switchlet/deploy/kubectl-switchlet/join"
	"github.com/switchlet/switchlet/deploy/kubectl-switchlet/release"
	"github.com/switchlet/switchlet/deploy/kubectl-switchlet/switches"
)

// version is set by the linker.
var version = "dev"

// What the program ends with.
const (
	ok       = 0
	negative = 1 // the answer is no: a configuration is not valid
	unusable = 2 // there is no answer: wrong flags, a file that cannot be read
)

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	root := command()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.Execute()
	switch {
	case err == nil:
		return ok
	case errors.Is(err, config.ErrInvalid):
		return negative
	}
	fmt.Fprintf(stderr, "kubectl switchlet: %v\n", err)
	return unusable
}

func command() *cobra.Command {
	root := &cobra.Command{
		Use:           "kubectl-switchlet",
		Annotations:   map[string]string{cobra.CommandDisplayNameAnnotation: "kubectl switchlet"},
		Short:         "Look after SONiC switches that are nodes of a Kubernetes cluster",
		Version:       version,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.AddCommand(config.Command())
	root.AddCommand(join.Commands()...)
	root.AddCommand(release.Command())
	root.AddCommand(switches.Command())
	return root
}
