// Package frrtest gives tests the real FRR, of the releases that those of SONiC are
// between: mgmtd, which came in between, changes how FRR takes and refuses a
// configuration.
package frrtest

import (
	"slices"
	"testing"

	"github.com/switchlet/switchlet/deploy/lab/labtest"
)

// Release is an FRR that runs on this machine.
type Release struct {
	// Argv runs one of its programs.
	Argv func(program string, args ...string) []string
	// Daemons in the order in which SONiC's supervisor starts them.
	Daemons []string
}

// OnEach runs a test on each release.
func OnEach(t *testing.T, test func(*testing.T, Release)) {
	t.Run("frr8", func(t *testing.T) { test(t, Eight(t)) })
	t.Run("frr10", func(t *testing.T) { test(t, Ten(t)) })
}

// Eight is that of Debian 12, which is installed.
func Eight(t testing.TB) Release {
	t.Helper()
	labtest.Program(t, "vtysh", "frr")
	return Release{
		Argv:    func(program string, args ...string) []string { return append([]string{program}, args...) },
		Daemons: []string{"zebra", "bfdd", "staticd", "bgpd"},
	}
}

// Ten has mgmtd, which zebra and staticd have their configuration from.
func Ten(t testing.TB) Release {
	t.Helper()
	return Release{Argv: labtest.FRR10(t).Argv, Daemons: []string{"mgmtd", "zebra", "bfdd", "staticd", "bgpd"}}
}

// Only is the release with some of its daemons, for tests that start many routers.
func (f Release) Only(daemons ...string) Release {
	f.Daemons = slices.DeleteFunc(slices.Clone(f.Daemons), func(d string) bool { return !slices.Contains(daemons, d) })
	return f
}
