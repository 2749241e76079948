package frr10

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// architecture in Go's words, which Debian shares for those that SONiC has.
const architecture = runtime.GOARCH

// build fills a folder with FRR and all that it depends on. apt finds out what that is,
// downloads it and checks Debian's signatures, with folders of its own, in which no
// package is installed. dpkg unpacks without running what packages bring.
func (s source) build(ctx context.Context, dir string) (err error) {
	work, err := filepath.Abs(filepath.Join(dir, "apt"))
	if err != nil {
		return err
	}
	if err := s.write(work); err != nil {
		return err
	}
	for _, args := range [][]string{{"update"}, {"install", "--yes", "--download-only", "--no-install-recommends", "frr"}} {
		if err := run(ctx, "apt-get", append(options(work), args...)...); err != nil {
			return err
		}
	}
	packages, err := downloaded(work)
	if err != nil {
		return err
	}
	for _, file := range packages {
		if err := run(ctx, "dpkg", "--extract", file, dir); err != nil {
			return err
		}
	}
	return os.RemoveAll(work)
}

// write makes apt's folders.
func (s source) write(work string) error {
	var errs []error
	for _, dir := range []string{"etc", "state/lists/partial", "cache/archives/partial"} {
		errs = append(errs, os.MkdirAll(filepath.Join(work, dir), 0o755))
	}
	return errors.Join(append(errs,
		os.WriteFile(filepath.Join(work, "status"), nil, 0o644),
		os.WriteFile(filepath.Join(work, "etc/sources.list"), []byte(s.repository+"\n"), 0o644))...)
}

// options keep apt in its folders. What the machine says of proxies stays in force.
func options(work string) []string {
	var args []string
	for _, option := range []string{
		"Dir::Etc=" + filepath.Join(work, "etc"),
		"Dir::Etc::SourceList=" + filepath.Join(work, "etc/sources.list"),
		"Dir::Etc::SourceParts=/dev/null",
		"Dir::State=" + filepath.Join(work, "state"),
		"Dir::State::status=" + filepath.Join(work, "status"),
		"Dir::Cache=" + filepath.Join(work, "cache"),
		"Dir::Cache::Archives=" + filepath.Join(work, "cache/archives"),
		"Dir::Log=" + work,
		"APT::Architecture=" + architecture,
		"APT::Sandbox::User=root", // apt's own user cannot get into every cache
		"APT::Update::Error-Mode=any",
		"Acquire::Languages=none",
		"Acquire::http::Timeout=20",
	} {
		args = append(args, "-o", option)
	}
	return args
}

// downloaded are the packages, FRR 10 among them.
func downloaded(work string) ([]string, error) {
	packages, err := filepath.Glob(filepath.Join(work, "cache/archives/*.deb"))
	if err != nil {
		return nil, err
	}
	for _, file := range packages {
		version, found := strings.CutPrefix(filepath.Base(file), "frr_")
		if found && !strings.HasPrefix(version, "10.") {
			return nil, fmt.Errorf("it has FRR %s by now: name another suite, or one of snapshot.debian.org, that has FRR 10", version)
		}
		if found {
			return packages, nil
		}
	}
	return nil, errors.New("apt downloaded no package frr")
}

func run(ctx context.Context, program string, args ...string) error {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C.UTF-8")
	output, err := cmd.CombinedOutput()
	if errors.Is(err, exec.ErrNotFound) {
		return fmt.Errorf("%w: only Debian and its relatives have it", err)
	}
	if err != nil {
		lines := strings.Split(strings.TrimSpace(string(output)), "\n")
		return fmt.Errorf("%s: %w:\n%s", program, err, strings.Join(lines[max(0, len(lines)-10):], "\n"))
	}
	return nil
}
