package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) { testscript.Main(m, map[string]func(){"kubectl-switchlet": main}) }

// Each file of testdata is a session in a terminal.
func TestScripts(t *testing.T) {
	sonic, err := filepath.Abs("../../../shared/sonic")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(e *testscript.Env) error {
			e.Setenv("SONIC", sonic)
			return nil
		},
		Condition: func(name string) (bool, error) {
			_, err := os.Stat(sonic)
			if err != nil && os.Getenv("SWITCHLET_TEST_REQUIRE") == "all" {
				return false, err
			}
			return name == "sonic" && err == nil, nil
		},
		Cmds:                map[string]func(*testscript.TestScript, bool, []string){"status": status},
		RequireExplicitExec: true,
	})
}

// status N PROGRAM ARGS... runs a program that has to end with that status.
func status(ts *testscript.TestScript, negated bool, args []string) {
	if negated || len(args) < 2 {
		ts.Fatalf("usage: status N program args...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("status %d, want %d", got, want)
	}
}
