package config

import (
	"fmt"

	"github.com/spf13/cobra"
)

// Command is kubectl switchlet config.
func Command() *cobra.Command {
	c := &cobra.Command{
		Use:   "config",
		Short: "Check the configuration of a switch",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return fmt.Errorf("say what to do with the configuration: see %s --help", c.CommandPath())
		},
	}
	c.AddCommand(validateCommand())
	return c
}
