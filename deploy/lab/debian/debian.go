// Package debian sees to it that the programs the lab needs from outside are
// there. On Debian and its relatives it installs them.
package debian

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strings"
)

// need is a program, the package that has it, and what it is for.
type need struct{ program, pkg, why string }

func needs() []need {
	return []need{
		{"redis-server", "redis-server", "each switch's CONFIG_DB"},
		{"containerd", "containerd", "runs each node's pods"},
		{"ctr", "containerd", "imports images"},
		{"runc", "runc", "runs containers"},
		{"nsenter", "util-linux", "lab exec"},
		{"lldpd", "lldpd", "each switch's LLDP"},
		{"vtysh", "frr", "each switch's BGP"},
		{"linux.uml", "user-mode-linux", "a kernel with what switches forward by, where this one lacks it"},
		{"modprobe", "kmod", "loads that kernel's modules"},
		{"dockerd", "docker.io", "SONiC's containers, for the tests of FRR in one"},
		{"shellcheck", "shellcheck", "reads the script that joins a switch, in tests"},
		{"python3", "python3-minimal", "SONiC's way of writing JSON, for tests"},
	}
}

// Ensure installs what is missing, and says so. Services that come with the
// packages are not started. Where it cannot install, the error says what to do.
func Ensure(ctx context.Context, say func(format string, args ...any)) error {
	missing := missing(needs())
	if len(missing) == 0 {
		return nil
	}
	var packages, reasons []string
	for _, n := range missing {
		packages = append(packages, n.pkg)
		reasons = append(reasons, fmt.Sprintf("%s (%s)", n.pkg, n.why))
	}
	if _, err := exec.LookPath("apt-get"); err != nil || os.Geteuid() != 0 {
		return fmt.Errorf("missing: %s. Install them; on Debian, as root: apt-get install %s",
			strings.Join(reasons, ", "), strings.Join(packages, " "))
	}
	say("installing Debian packages: %s", strings.Join(reasons, ", "))
	return install(ctx, packages)
}

// missing are the needs that are not met, one for each package.
func missing(needs []need) []need {
	var missing []need
	seen := map[string]bool{}
	for _, n := range needs {
		if _, err := exec.LookPath(n.program); err != nil && !seen[n.pkg] {
			seen[n.pkg] = true
			missing = append(missing, n)
		}
	}
	return missing
}

func install(ctx context.Context, packages []string) (err error) {
	allow, err := forbidServices("/usr/sbin/policy-rc.d")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, allow()) }()
	if err := apt(ctx, "update"); err != nil {
		return err
	}
	return apt(ctx, append([]string{"install", "--yes", "--no-install-recommends"}, packages...)...)
}

func apt(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, "apt-get", args...)
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
	output, err := cmd.CombinedOutput()
	if err != nil {
		lines := strings.Split(strings.TrimSpace(string(output)), "\n")
		return fmt.Errorf("apt-get %s: %w:\n%s", strings.Join(args, " "), err, strings.Join(lines[max(0, len(lines)-10):], "\n"))
	}
	return nil
}

// forbidServices keeps packages from starting services while they are being
// installed, by Debian's own means: a policy-rc.d that says 101, "forbidden".
// One that is there already, as in every container image, is left alone.
func forbidServices(policy string) (allow func() error, err error) {
	file, err := os.OpenFile(policy, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o755)
	if errors.Is(err, fs.ErrExist) {
		return func() error { return nil }, nil
	}
	if err != nil {
		return nil, err
	}
	_, err = file.WriteString("#!/bin/sh\nexit 101\n")
	if err := errors.Join(err, file.Close()); err != nil {
		return nil, errors.Join(err, os.Remove(policy))
	}
	return func() error { return os.Remove(policy) }, nil
}
