package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"

	"github.com/switchlet/switchlet/deploy/lab/box"
	"github.com/switchlet/switchlet/deploy/lab/daemons"
	"github.com/switchlet/switchlet/deploy/lab/kube"
	"github.com/switchlet/switchlet/deploy/lab/state"
)

// kubernetesCommand prints the folder alone on stdout, for scripts.
func kubernetesCommand(ctx context.Context, _ *app, _ []string) error {
	source, err := kube.Find(ctx)
	if err != nil {
		return err
	}
	said := 0
	folder, err := source.Build(ctx, func(done, total int) {
		if total > 0 && done*20/total > said { // every twentieth
			said = done * 20 / total
			fmt.Fprintf(os.Stderr, "building Kubernetes: %d of %d packages\n", done, total)
		}
	})
	if err == nil {
		fmt.Println(folder)
	}
	return err
}

func versionCommand(context.Context, *app, []string) error {
	fmt.Println(version)
	return nil
}

// envCommand prints only what a shell may evaluate.
func envCommand(_ context.Context, a *app, _ []string) error {
	lab, err := state.Load(a.name)
	if err != nil {
		return err
	}
	fmt.Printf("export KUBECONFIG=%q\n", lab.Kubeconfig())
	if _, err := exec.LookPath("kubectl"); err != nil {
		fmt.Printf("export PATH=\"$PATH\":%q\n", lab.Binaries)
	}
	return nil
}

func statusCommand(context.Context, *app, []string) error {
	names, err := state.List()
	if err != nil {
		return err
	}
	if len(names) == 0 {
		fmt.Println("There is no lab.")
	}
	for _, name := range names {
		lab, err := state.Load(name)
		if err != nil {
			fmt.Printf("%-10s  %v\n", name, err)
			continue
		}
		running, err := lab.Process.Running()
		if err != nil {
			return err
		}
		how := "not running: bin/lab down --name " + name
		if running {
			how = fmt.Sprintf("running, pid %d", lab.Process.Pid)
		}
		fmt.Printf("%-10s  %d leaves, %d spines, %d hosts  %-18s  %s  %s\n", name, lab.Leaves, lab.Spines, lab.Hosts, lab.Subnet, lab.Dir, how)
	}
	return nil
}

func rowsCommand(ctx context.Context, a *app, args []string) error {
	lab, err := a.switchOf("rows", args)
	if err != nil {
		return err
	}
	rows, err := box.Read(ctx, lab.Socket(args[0]))
	if err == nil {
		fmt.Print(rows)
	}
	return err
}

func daemonsCommand(ctx context.Context, a *app, args []string) error {
	lab, err := a.switchOf("daemons", args)
	if err != nil {
		return err
	}
	report, err := daemons.Ask(ctx, lab.DaemonsSocket(args[0]))
	if err != nil {
		return err
	}
	for _, row := range report.Rows {
		fmt.Println(row)
	}
	fmt.Println(report.Verdict())
	return nil
}

// switchOf is the lab that has the one switch that a command names.
func (a *app) switchOf(command string, args []string) (state.Lab, error) {
	if len(args) != 1 {
		return state.Lab{}, fmt.Errorf("name one switch, such as: lab %s leaf1", command)
	}
	lab, err := state.Load(a.name)
	if err == nil {
		_, err = lab.Node(args[0])
	}
	return lab, err
}
