// Package fabric runs Switchlet's own programs as plain processes around a real
// API server and for each switch a real Redis with a stand-in for SONiC's
// daemons: the smallest thing that is the whole path from a VPC to what daemons
// make of it. It needs no rights and no kubelets, so it is what benchmarks
// measure and what tests kill at random.
//
// Every program has the credential that it has in a cluster: the controller
// that of its service account, each agent a token bound to a pod on its node.
package fabric

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/deploy/lab/box"
	"github.com/switchlet/switchlet/deploy/lab/controlplane"
	"github.com/switchlet/switchlet/deploy/lab/process"
	"github.com/switchlet/switchlet/deploy/lab/repo"
	"github.com/switchlet/switchlet/deploy/lab/swss"
)

// namespace that the manifests in deploy/ put everything into.
const namespace = "switchlet-system"

// Config says what fabric to run.
type Config struct {
	// Dir is the folder for everything. Required; short, for Redis's sockets.
	Dir string
	// Kubernetes is the folder with Kubernetes's programs (package kube). Required.
	Kubernetes string
	// Leaves is how many leaves to run: leaf1, leaf2, …
	Leaves int
	// LogLevel of controller and agents; empty for info.
	LogLevel string
	// ConfirmWindow is how long the agents have a change on trial; 0 for their
	// default.
	ConfirmWindow time.Duration
	// Daemons is how SONiC's daemons on the leaves are; see box.Config.
	Daemons swss.Config
}

// Fabric is a running fabric.
type Fabric struct {
	cfg          Config
	ControlPlane *controlplane.ControlPlane
	// Client is an administrator's, without a cache.
	Client client.WithWatch
	// Leaves by name.
	Leaves     map[string]*Leaf
	controller *process.Process
}

// Leaf is one switch: its box and its agent.
type Leaf struct {
	*box.Box
	Name  string
	agent *process.Process
}

// Start builds the programs and starts the fabric. Nothing has been applied but
// what is in deploy/: there is no Fabric object yet.
func Start(ctx context.Context, cfg Config) (_ *Fabric, err error) {
	f := &Fabric{cfg: cfg, Leaves: map[string]*Leaf{}}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.Stop())
		}
	}()
	if err := f.build(ctx); err != nil {
		return nil, err
	}
	f.ControlPlane, err = controlplane.Start(ctx, controlplane.Config{Dir: filepath.Join(cfg.Dir, "k8s"), Binaries: cfg.Kubernetes})
	if err != nil {
		return nil, err
	}
	if f.Client, err = newClient(f.ControlPlane.Kubeconfig()); err != nil {
		return nil, err
	}
	if err := f.apply(ctx); err != nil {
		return nil, err
	}
	for i := range cfg.Leaves {
		if err := f.addLeaf(ctx, "leaf"+strconv.Itoa(i+1), i+1); err != nil {
			return nil, err
		}
	}
	return f, f.StartController()
}

// build builds the programs that are run. The build cache makes it quick.
func (f *Fabric) build(ctx context.Context) error {
	root, err := repo.Root()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-o", f.cfg.Dir+"/", "./agent", "./controller")
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build agent and controller: %w\n%s", err, out)
	}
	return nil
}

// apply applies what is in deploy/, but for the workloads.
func (f *Fabric) apply(ctx context.Context) error {
	root, err := repo.Root()
	if err != nil {
		return err
	}
	deploy := filepath.Join(root, "deploy")
	for _, args := range [][]string{
		{"apply", "-f", filepath.Join(deploy, "namespace.yaml")},
		{"apply", "-k", filepath.Join(deploy, "crd")},
		{"apply", "-n", namespace, "-k", filepath.Join(deploy, "rbac")},
		{"wait", "--for=condition=Established", "crd", "--all", "--timeout=60s"},
	} {
		cmd := exec.CommandContext(ctx, filepath.Join(f.cfg.Kubernetes, "kubectl"), append(args, "--kubeconfig", f.ControlPlane.Kubeconfig())...)
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("kubectl %v: %w\n%s", args, err, out)
		}
	}
	return nil
}

func newClient(kubeconfig string) (client.WithWatch, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, err
	}
	config.QPS = -1
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		return nil, err
	}
	return client.NewWithWatch(config, client.Options{Scheme: scheme})
}

// addLeaf starts a box and its agent, and makes the Node that a kubelet would.
func (f *Fabric) addLeaf(ctx context.Context, name string, number int) error {
	b, err := box.Start(ctx, box.Config{
		Root: filepath.Join(f.cfg.Dir, name), Name: name, Number: number, Daemons: f.cfg.Daemons,
	})
	if err != nil {
		return err
	}
	f.Leaves[name] = &Leaf{Box: b, Name: name}
	if err := f.join(ctx, name); err != nil {
		return fmt.Errorf("join %s: %w", name, err)
	}
	return f.StartAgent(name)
}

// StartAgent starts the agent of a leaf.
func (f *Fabric) StartAgent(name string) (err error) {
	leaf := f.Leaves[name]
	leaf.agent, err = process.Start(process.Program{
		Name: "agent " + name, Path: filepath.Join(f.cfg.Dir, "agent"), Log: f.log("agent-" + name),
		Args: append(f.level(), "--node="+name, "--kubeconfig="+f.agentKubeconfig(name),
			"--database-config="+leaf.DatabaseConfig(), "--state-dir="+leaf.StateDir(),
			"--yang-dir="+leaf.YANGDir(), "--sonic-version-file="+leaf.VersionFile(),
			"--config-db-file="+leaf.ConfigFile(), "--confirm-window="+f.cfg.ConfirmWindow.String()),
	})
	return err
}

// KillAgent ends the agent of a leaf as a power cut would.
func (f *Fabric) KillAgent(name string) error { return f.Leaves[name].agent.Kill() }

// AgentPid is the process id of a leaf's agent.
func (f *Fabric) AgentPid(name string) int { return f.Leaves[name].agent.Pid() }

// StartController starts the controller.
func (f *Fabric) StartController() (err error) {
	kubeconfig := filepath.Join(f.cfg.Dir, "controller.kubeconfig")
	if err := f.ControlPlane.WriteKubeconfig(kubeconfig, "system:serviceaccount:"+namespace+":switchlet-controller",
		"system:serviceaccounts", "system:serviceaccounts:"+namespace); err != nil {
		return err
	}
	f.controller, err = process.Start(process.Program{
		Name: "controller", Path: filepath.Join(f.cfg.Dir, "controller"), Log: f.log("controller"),
		Args: append(f.level(), "--kubeconfig="+kubeconfig, "--metrics-bind-address=0", "--health-probe-bind-address=0"),
	})
	return err
}

// KillController ends the controller as a power cut would.
func (f *Fabric) KillController() error { return f.controller.Kill() }

func (f *Fabric) level() []string {
	if f.cfg.LogLevel == "" {
		return nil
	}
	return []string{"--log-level=" + f.cfg.LogLevel}
}

func (f *Fabric) log(name string) string { return filepath.Join(f.cfg.Dir, "log", name+".log") }

// Logs are the log files of the controller and the agents.
func (f *Fabric) Logs() []string {
	logs := []string{f.log("controller")}
	for name := range f.Leaves {
		logs = append(logs, f.log("agent-"+name))
	}
	return logs
}

// Stop ends everything.
func (f *Fabric) Stop() error {
	var errs []error
	if f.controller != nil {
		errs = append(errs, f.controller.Kill())
	}
	for _, leaf := range f.Leaves {
		if leaf.agent != nil {
			errs = append(errs, leaf.agent.Kill())
		}
		errs = append(errs, leaf.Close())
	}
	if f.ControlPlane != nil {
		errs = append(errs, f.ControlPlane.Stop())
	}
	return errors.Join(errs...)
}
