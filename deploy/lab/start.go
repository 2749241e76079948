package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/switchlet/switchlet/deploy/lab/debian"
	"github.com/switchlet/switchlet/deploy/lab/demo"
	"github.com/switchlet/switchlet/deploy/lab/frr10"
	"github.com/switchlet/switchlet/deploy/lab/images"
	"github.com/switchlet/switchlet/deploy/lab/kube"
	"github.com/switchlet/switchlet/deploy/lab/lifecycle"
	"github.com/switchlet/switchlet/deploy/lab/repo"
	"github.com/switchlet/switchlet/deploy/lab/state"
)

// prepare sees to it that everything from outside is there, and returns the
// folder with Kubernetes's programs.
func (a *app) prepare(ctx context.Context) (binaries string, err error) {
	if err := debian.Ensure(ctx, a.screen.Step); err != nil {
		return "", err
	}
	source, err := kube.Find(ctx)
	if err != nil {
		return "", err
	}
	folder, cached, err := source.Cached()
	if cached || err != nil {
		return folder, err
	}
	a.screen.Step("building Kubernetes from Go modules, once: up to 20 minutes on two cores")
	begin := time.Now()
	folder, err = source.Build(ctx, func(done, total int) {
		if total == 0 {
			a.screen.Progress("building Kubernetes: downloading its modules")
			return
		}
		a.screen.Progress("building Kubernetes: %d of %d packages", done, total)
	})
	if err == nil {
		a.screen.Step("built Kubernetes within %s", time.Since(begin).Round(time.Second))
	}
	return folder, err
}

// programFolder is the folder with agent, host-agent and controller.
func (a *app) programFolder() (string, error) {
	if a.programs != "" {
		return filepath.Abs(a.programs)
	}
	root, err := repo.Root()
	return filepath.Join(root, "bin"), err
}

// buildImages builds the images into the folder "images" beside the programs.
func (a *app) buildImages(ctx context.Context, built func(reference, id string)) (folder string, err error) {
	programs, err := a.programFolder()
	if err != nil {
		return "", err
	}
	folder = filepath.Join(programs, "images")
	return folder, images.Build(ctx, programs, folder, built)
}

// up starts a lab.
func (a *app) up(ctx context.Context) (state.Lab, error) {
	binaries, err := a.prepare(ctx)
	if err != nil {
		return state.Lab{}, err
	}
	folder, err := a.buildImages(ctx, func(string, string) {})
	if err != nil {
		return state.Lab{}, err
	}
	programs, err := a.programFolder()
	if err != nil {
		return state.Lab{}, err
	}
	product, err := productFolder()
	if err != nil {
		return state.Lab{}, err
	}
	a.screen.Step("built the images")
	a.screen.Progress("starting etcd, the API server and %d nodes", a.leaves+a.spines+a.hosts+1)
	cfg := lifecycle.Config{
		Name: a.name, Leaves: a.leaves, Spines: a.spines, Hosts: a.hosts, Mesh: a.mesh, FRR: a.frr, Forward: a.forward, HostPods: a.hostPods, SwitchPods: a.switchPods,
		Programs: programs, Binaries: binaries, Images: folder, Say: a.screen.Step,
	}
	if a.deploy {
		cfg.Deploy = func(ctx context.Context, lab state.Lab) error { return demo.New(lab, product, a.screen).Apply(ctx) }
	}
	return lifecycle.Up(ctx, cfg)
}

func upCommand(ctx context.Context, a *app, _ []string) error {
	lab, err := a.up(ctx)
	if err != nil {
		return err
	}
	a.screen.Step("lab %s is up", lab.Name)
	if a.deploy {
		if err := a.bringUp(ctx, lab); err != nil {
			return err
		}
	}
	a.goOn(lab)
	return nil
}

// bringUp waits until what is deployed runs, and until the switches route.
func (a *app) bringUp(ctx context.Context, lab state.Lab) error {
	product, err := productFolder()
	if err != nil {
		return err
	}
	show := demo.New(lab, product, a.screen)
	err = show.Await(ctx)
	if err == nil {
		err = show.BringUpFabric(ctx)
	}
	if err != nil && ctx.Err() == nil {
		show.Explain(ctx)
	}
	return err
}

// productFolder is the folder deploy of the source tree.
func productFolder() (string, error) {
	root, err := repo.Root()
	return filepath.Join(root, "deploy"), err
}

// goOn says how to go on.
func (a *app) goOn(lab state.Lab) {
	flag := ""
	if lab.Name != "demo" {
		flag = " --name " + lab.Name
	}
	a.screen.Title("How to go on")
	if lab.Forward {
		a.screen.Text(fmt.Sprintf("bin/lab matrix%s               # who reaches whom", flag))
	}
	a.screen.Text(fmt.Sprintf(`eval $(bin/lab env%[1]s)          # then: kubectl get nodes,switches,vpcs -A
bin/lab rows%[1]s leaf1           # CONFIG_DB of a switch
bin/lab cables%[1]s               # what is cabled to what
bin/lab exec%[1]s leaf1 redis-cli -n 4 --scan --pattern 'VLAN*'
ls %[2]s   # manifests, logs, and each node's file system
bin/lab down%[1]s                 # end it: make demo-down`, flag, lab.Dir))
}

func demoCommand(ctx context.Context, a *app, _ []string) (err error) {
	product, err := productFolder()
	if err != nil {
		return err
	}
	lab, err := a.up(ctx)
	if err != nil {
		return err
	}
	show := demo.New(lab, product, a.screen)
	story := show.Run
	if a.cutOff {
		story = show.CutOff
	}
	err = story(ctx)
	if ctx.Err() != nil {
		a.screen.Step("interrupted: ending the lab")
		return errors.Join(errors.New("interrupted"), lifecycle.Down(lab.Name))
	}
	if err != nil {
		show.Explain(ctx)
		return fmt.Errorf("%w\nThe lab still runs, for a look at it; end it with: bin/lab down --name %s", err, lab.Name)
	}
	a.goOn(lab)
	return nil
}

func downCommand(_ context.Context, a *app, _ []string) error {
	err := lifecycle.Down(a.name)
	if errors.Is(err, state.ErrNone) {
		a.screen.Step("%v: nothing to do", err)
		return nil
	}
	if err == nil {
		a.screen.Step("lab %s is down", a.name)
	}
	return err
}

func prepareCommand(ctx context.Context, a *app, _ []string) error {
	folder, err := a.prepare(ctx)
	if err != nil {
		return err
	}
	a.screen.Step("Kubernetes: %s", folder)
	root, err := frr10.Fetch(ctx, a.screen.Step)
	if err == nil {
		a.screen.Step("FRR 10: %s", root.Dir)
	}
	return err
}

func imagesCommand(ctx context.Context, a *app, _ []string) error {
	_, err := a.buildImages(ctx, func(reference, id string) { fmt.Println(reference, id) })
	return err
}
