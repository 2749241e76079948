package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/switchlet/switchlet/deploy/lab/cache"
)

// pluginsVersion is that of the CNI project's own plugins, which are measured
// beside ours.
const pluginsVersion = "v1.9.1"

const (
	cniPods    = 100
	cniAtOnce  = 8
	cniWarmups = 3
)

// measureCNI attaches pods to a network and detaches them, as a container runtime
// does: one process for each request.
func measureCNI(ctx context.Context, dir string) (_ []Result, err error) {
	programs, err := cniPrograms(ctx, dir)
	if err != nil {
		return nil, err
	}
	host, err := newCNIHost(dir)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, host.close()) }()
	if err := host.serve(ctx); err != nil {
		return nil, err
	}
	var one, many []cniTimes
	for _, p := range programs {
		for _, atOnce := range []int{1, cniAtOnce} {
			times, err := host.measure(ctx, p, atOnce)
			if err != nil {
				return nil, fmt.Errorf("%s, %d at once: %w", p.name, atOnce, err)
			}
			if atOnce == 1 {
				one = append(one, times)
			} else {
				many = append(many, times)
			}
		}
	}
	return []Result{
		durations("cni_add", "CNI ADD of a pod; "+rivals(programs, one, false), one[0].add, one[1].add),
		durations("cni_add_8way", fmt.Sprintf("%d CNI ADDs at once; ", cniAtOnce)+rivals(programs, many, false), many[0].add, many[1].add),
		durations("cni_del", "CNI DEL of a pod; "+rivals(programs, one, true), one[0].del, one[1].del),
	}, nil
}

// rivals tells what the others take, in words.
func rivals(programs []cniProgram, times []cniTimes, del bool) string {
	text := "floor: a Go program that does nothing"
	for i, p := range programs[2:] {
		samples := times[i+2].add
		if del {
			samples = times[i+2].del
		}
		text += fmt.Sprintf("; %s %.1f ms, p99 %.1f", p.name, ms(quantile(samples, 0.5)), ms(quantile(samples, 0.99)))
	}
	return text
}

// cniProgram is a plugin and its configuration.
type cniProgram struct {
	name, path, config string
}

// cniPrograms builds ours, one that does nothing, and those of others.
func cniPrograms(ctx context.Context, dir string) ([]cniProgram, error) {
	ours, nothing := filepath.Join(dir, "switchlet"), filepath.Join(dir, "nothing")
	source := filepath.Join(dir, "nothing.go")
	if err := os.WriteFile(source, []byte("package main\n\nfunc main() {}\n"), 0o600); err != nil {
		return nil, err
	}
	for out, args := range map[string][]string{
		ours:    {"-ldflags", "-s -w", "-o", ours, "./cni"},
		nothing: {"-ldflags", "-s -w", "-o", nothing, source},
	} {
		if err := goCommand(ctx, append([]string{"build", "-trimpath", "-buildvcs=false"}, args...)); err != nil {
			return nil, fmt.Errorf("build %s: %w", out, err)
		}
	}
	others, err := othersPlugins(ctx)
	if err != nil {
		return nil, err
	}
	const ipam = `"ipam":{"type":"host-local","dataDir":%q,"ranges":[[{"subnet":"10.%d.0.0/16"}]]}}`
	return []cniProgram{
		{"ours", ours, `{"cniVersion":"1.0.0","name":"blue","type":"switchlet","vpc":"blue","subnet":"web"}`},
		{"nothing", nothing, `{}`},
		{"ptp+host-local", filepath.Join(others, "ptp"), `{"cniVersion":"1.0.0","name":"ptp","type":"ptp",` + fmt.Sprintf(ipam, dir, 2)},
		{"bridge+host-local", filepath.Join(others, "bridge"), `{"cniVersion":"1.0.0","name":"bridge","type":"bridge","bridge":"cni0","isGateway":true,` + fmt.Sprintf(ipam, dir, 3)},
	}, nil
}

// othersPlugins is the folder of the CNI project's plugins, which are built once.
func othersPlugins(ctx context.Context) (string, error) {
	dir, err := cache.Dir()
	if err != nil {
		return "", err
	}
	dir = filepath.Join(dir, "cni-plugins-"+pluginsVersion)
	args := []string{"install", "-trimpath", "-ldflags", "-s -w"}
	for _, name := range []string{"main/ptp", "main/bridge", "ipam/host-local"} {
		args = append(args, "github.com/containernetworking/plugins/plugins/"+name+"@"+pluginsVersion)
	}
	if _, err := os.Stat(filepath.Join(dir, "host-local")); err == nil {
		return dir, nil
	}
	return dir, goCommand(ctx, args, "GOBIN="+dir)
}

func goCommand(ctx context.Context, args []string, env ...string) error {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Env = append(append(os.Environ(), "CGO_ENABLED=0"), env...)
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go %v: %w: %s", args, err, output)
	}
	return nil
}

// cniTimes is how long requests took.
type cniTimes struct{ add, del []time.Duration }
