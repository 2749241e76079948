// Package kube builds the Kubernetes that the lab and the tests run: etcd, API
// server, controller manager, scheduler, kubelet and kubectl as one static
// program, from Go modules alone, once.
package kube

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/switchlet/switchlet/deploy/lab/cache"
	"github.com/switchlet/switchlet/deploy/lab/repo"
)

// Progress is told how many of how many packages are compiled. total is 0
// while it is not known yet.
type Progress func(done, total int)

// Source is the module that is built: deploy/lab/kubernetes.
type Source struct {
	dir   string
	entry cache.Entry
}

// Names of the programs in the folder.
func Names() []string {
	return []string{"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kubectl"}
}

// Find finds the module's source and its place in the cache.
func Find(ctx context.Context) (Source, error) {
	root, err := repo.Root()
	if err != nil {
		return Source{}, err
	}
	dir := filepath.Join(root, "deploy/lab/kubernetes")
	key, err := key(ctx, dir)
	if err != nil {
		return Source{}, fmt.Errorf("read %s: %w", dir, err)
	}
	store, err := cache.Dir()
	if err != nil {
		return Source{}, err
	}
	return Source{dir: dir, entry: cache.Entry{Dir: store, Name: "kubernetes", Key: key}}, nil
}

// key is made of all that the binary depends on.
func key(ctx context.Context, dir string) (string, error) {
	parts := [][]byte{[]byte(runtime.GOARCH)}
	for _, name := range []string{"go.mod", "go.sum", "main.go"} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return "", err
		}
		parts = append(parts, text)
	}
	version, err := goCommand(ctx, dir, "env", "GOVERSION").Output()
	if err != nil {
		return "", fmt.Errorf("go env GOVERSION: %w", err)
	}
	return cache.Key(append(parts, version)...), nil
}

// Cached returns the folder with the programs if it has been built.
func (s Source) Cached() (folder string, ok bool, err error) {
	ok, err = s.entry.Exists()
	return s.entry.Path(), ok, err
}

// Build returns the folder with the programs, building them first if need be:
// some minutes on two cores.
func (s Source) Build(ctx context.Context, progress Progress) (folder string, err error) {
	return s.entry.Get(ctx, func(ctx context.Context, dir string) error {
		if err := s.compile(ctx, filepath.Join(dir, "kube"), progress); err != nil {
			return fmt.Errorf("build Kubernetes from %s: %w", s.dir, err)
		}
		for _, name := range Names() {
			if err := os.Symlink("kube", filepath.Join(dir, name)); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s Source) compile(ctx context.Context, program string, progress Progress) error {
	progress(0, 0)
	version, err := goCommand(ctx, s.dir, "list", "-m", "-f", "{{.Version}}", "k8s.io/kubernetes").Output()
	if err != nil {
		return fmt.Errorf("find the version of k8s.io/kubernetes: %w", explain(err))
	}
	packages, err := goCommand(ctx, s.dir, "list", "-deps", ".").Output()
	if err != nil {
		return fmt.Errorf("list the packages: %w", explain(err))
	}
	flags := "-s -w -X k8s.io/component-base/version.gitVersion=" + strings.TrimSpace(string(version))
	build := goCommand(ctx, s.dir, "build", "-v", "-trimpath", "-ldflags", flags, "-o", program, ".")
	return count(build, bytes.Count(packages, []byte("\n")), progress)
}

// count runs `go build -v`, which names each package as it is compiled, and
// counts.
func count(build *exec.Cmd, total int, progress Progress) error {
	output, err := build.StderrPipe()
	if err != nil {
		return err
	}
	if err := build.Start(); err != nil {
		return err
	}
	var said []string // other than names of packages: the compiler's complaints
	done := 0
	for lines := bufio.NewScanner(output); lines.Scan(); {
		if strings.ContainsAny(lines.Text(), " :") {
			said = append(said, lines.Text())
			continue
		}
		done++
		progress(min(done, total), total)
	}
	if err := build.Wait(); err != nil {
		return fmt.Errorf("%w\n%s", err, strings.Join(said[max(0, len(said)-20):], "\n"))
	}
	return nil
}

// explain adds what a command said before it failed.
func explain(err error) error {
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) && len(exit.Stderr) > 0 {
		return fmt.Errorf("%w: %s", err, bytes.TrimSpace(exit.Stderr))
	}
	return err
}

func goCommand(ctx context.Context, dir string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	// A workspace of the caller's must not change what is built.
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off")
	return cmd
}
