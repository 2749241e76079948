package main

import "testing"

func TestExitCodes(t *testing.T) {
	t.Setenv("SWITCHLET_LAB_DIR", t.TempDir())
	for _, test := range []struct {
		name string
		args []string
		want int
	}{
		{"no command", nil, 2},
		{"help", []string{"help"}, 0},
		{"help of a command", []string{"demo", "-h"}, 0},
		{"no such command", []string{"start"}, 2},
		{"no such flag", []string{"up", "--nodes", "3"}, 2},
		{"version", []string{"version"}, 0},
		{"no lab to look at", []string{"env"}, 1},
		{"no lab to end", []string{"down"}, 0},
		{"no labs to list", []string{"status"}, 0},
		{"rows of no switch", []string{"rows"}, 1},
		{"a name that no host can have", []string{"down", "--name", "My-Lab"}, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := run(t.Context(), test.args); got != test.want {
				t.Errorf("lab %v: exit code %d, want %d", test.args, got, test.want)
			}
		})
	}
}
