// Package node is one node of the lab: a sandbox with the file system of a
// small machine of its own, in which containerd and kubelet run, and on a
// switch a SONiC box. In a node without a kubelet somebody outside says which
// programs run, see package control.
//
// The node's folders lie side by side in one folder of the lab (etc, run, var,
// …), so everything that it writes can be looked at from outside. Programs and
// libraries are the machine's own, read-only.
package node

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"k8s.io/apimachinery/pkg/util/uuid"

	"github.com/switchlet/switchlet/deploy/lab/box"
	"github.com/switchlet/switchlet/deploy/lab/lldpservice"
	"github.com/switchlet/switchlet/deploy/lab/routing"
	"github.com/switchlet/switchlet/deploy/lab/sandbox"
)

// Command is the argument by which the program knows that it is to be the
// inside of a node; it then has to call Run with the one after it.
const Command = "node-run"

// PauseImage is the image of every pod's first container.
const PauseImage = "switchlet.io/pause:dev"

// Spec says what node to make.
type Spec struct {
	// Name of the node.
	Name string
	// Dir is the node's folder outside.
	Dir string
	// Address of the node, on eth0 if it has a network of its own.
	Address netip.Prefix
	// Labels of the Node object.
	Labels map[string]string
	// Taint is the key of the Node's taint, with effect NoSchedule; empty for none.
	Taint string
	// Cgroup is the node's cgroup, in which its pods are, from the root of each
	// hierarchy.
	Cgroup string
	// Binaries is the folder with kubelet.
	Binaries string
	// Images is a folder of image archives, Archives those in it that the node
	// imports.
	Images   string
	Archives []string
	// Network says that the node has a network of its own; else it is in the
	// lab's.
	Network bool
	// Switch is the box's number if this is a switch; 0 for an ordinary node.
	Switch int
	// FRR says that the switch routes: it has zebra and bgpd.
	FRR bool
	// Forward says that the switch has a data plane, of Linux devices.
	Forward bool
	// Services says that the switch's FRR and lldpd come as pods: the node has neither.
	Services bool
	// Registry is where images may be pulled from without TLS, HOST:PORT.
	Registry string
	// Kubelet says that it has containerd and kubelet. Binaries, Images, Archives
	// and Cgroup are for them.
	Kubelet bool
	// Programs is the folder that is ProgramDir in a node without a kubelet.
	Programs string
	// InMemory has /run and /tmp in memory: the file system that Dir is on knows no
	// Unix sockets. What is in them cannot be looked at from outside then.
	InMemory bool
}

// ProgramDir is where a node without a kubelet has the programs that others run by
// their images.
const ProgramDir = "/opt/switchlet"

// Start makes the node's sandbox. Once its network is connected, the first Go
// starts containerd and the box, the second one the kubelet, if it has one.
func Start(s Spec) (*sandbox.Sandbox, error) {
	if err := s.prepare(); err != nil {
		return nil, fmt.Errorf("node %s: %w", s.Name, err)
	}
	mounts := s.mounts()
	if s.Kubelet {
		forKubelet, err := s.kubeletMounts()
		if err != nil {
			return nil, fmt.Errorf("node %s: %w", s.Name, err)
		}
		mounts = append(mounts, forKubelet...)
	}
	text, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	return sandbox.Start(sandbox.Config{
		Name: s.Name, Root: s.path("root"), Mounts: mounts, Network: s.Network,
		Args: []string{Command, string(text)}, Log: s.path("var/log/node.log"),
	})
}

// MAC is the address of eth0: on a switch that of the box, as with SONiC; else
// nil, and the kernel chooses one.
func (s Spec) MAC() net.HardwareAddr {
	if s.Switch == 0 {
		return nil
	}
	return box.MAC(s.Switch)
}

func (s Spec) path(parts ...string) string {
	return filepath.Join(append([]string{s.Dir}, parts...)...)
}

// Kubernetes is the folder that the kubelet's kubeconfig and certificates have
// to be in.
func (s Spec) Kubernetes() string { return s.path("etc/kubernetes") }

// prepare makes the folders and files that a machine has before it boots.
func (s Spec) prepare() error {
	for _, dir := range []string{"root", "etc", "run", "var/log", "var/tmp", "tmp", "local", "cni", "sysctl"} {
		if err := os.MkdirAll(s.path(dir), 0o755); err != nil {
			return err
		}
	}
	files := map[string]string{
		"etc/hostname":      s.Name + "\n",
		"etc/hosts":         "127.0.0.1 localhost\n" + s.Address.Addr().String() + " " + s.Name + "\n",
		"etc/passwd":        "root:x:0:0:root:/root:/bin/sh\n",
		"etc/group":         "root:x:0:\n",
		"etc/resolv.conf":   "",
		"etc/machine-id":    machineID(s.Address.Addr()) + "\n",
		"etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
	}
	if zone, err := os.ReadFile("/etc/localtime"); err == nil {
		files["etc/localtime"] = string(zone)
	}
	for _, setting := range kernelSettings() {
		files[setting.file()] = setting.value + "\n"
	}
	if err := s.addUsers(files); err != nil {
		return err
	}
	files[bootID().file()] = bootID().value + "\n"
	for name, text := range files {
		if err := os.WriteFile(s.path(name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	if err := s.writeCPUInfo(); err != nil {
		return err
	}
	return errors.Join(s.linkSystemFolders(), s.linkRun())
}

// linkRun makes /var/run what it is since the Filesystem Hierarchy Standard 3.0 where
// /run is in memory, since containerd has network namespaces in /var/run/netns.
func (s Spec) linkRun() error {
	if !s.InMemory {
		return nil
	}
	if err := os.Symlink("/run", s.path("var/run")); !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// addUsers adds the users of what runs on a switch.
func (s Spec) addUsers(files map[string]string) error {
	var sources []func() (passwd, group string, err error)
	if s.Switch > 0 {
		sources = append(sources, lldpservice.User)
	}
	if s.FRR {
		sources = append(sources, routing.Users)
	}
	for _, users := range sources {
		passwd, group, err := users()
		if err != nil {
			return err
		}
		files["etc/passwd"] += passwd
		files["etc/group"] += group
	}
	return nil
}

// writeCPUInfo writes what the node has as /proc/cpuinfo. A kernel that is
// itself a process (User-Mode Linux) tells no clock rate, and the kubelet does
// not start without one.
func (s Spec) writeCPUInfo() error {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return err
	}
	if runtime.GOARCH == "amd64" && !bytes.Contains(text, []byte("cpu MHz")) {
		text = append(text, "cpu MHz\t\t: 1000.000\n"...)
	}
	return os.WriteFile(s.path("cpuinfo"), text, 0o644)
}

// machineID is 128 bits, as in machine-id(5), that are different on each node.
func machineID(address netip.Addr) string {
	return fmt.Sprintf("5111c4e7%024x", address.AsSlice())
}

// linkSystemFolders makes /bin and the like what they are on this machine if
// they are links into /usr there, as on every Debian since 12.
func (s Spec) linkSystemFolders() error {
	for _, dir := range systemFolders() {
		target, err := os.Readlink("/" + dir)
		if err != nil {
			continue // a folder, or not there: see mounts
		}
		err = os.Symlink(strings.TrimPrefix(target, "/"), s.path("root", dir))
		if err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return nil
}

func systemFolders() []string { return []string{"bin", "sbin", "lib", "lib32", "lib64", "libx32"} }

// mounts is what the file system of every node is made of.
func (s Spec) mounts() []sandbox.Mount {
	mounts := []sandbox.Mount{
		{Source: "/usr", Target: "/usr", ReadOnly: true},
		{Source: s.path("local"), Target: "/usr/local"},
	}
	for _, dir := range systemFolders() {
		if info, err := os.Lstat("/" + dir); err == nil && info.IsDir() {
			mounts = append(mounts, sandbox.Mount{Source: "/" + dir, Target: "/" + dir, ReadOnly: true})
		}
	}
	for _, dir := range []string{"etc", "var"} {
		mounts = append(mounts, sandbox.Mount{Source: s.path(dir), Target: "/" + dir})
	}
	for _, dir := range []string{"run", "tmp"} {
		if s.InMemory {
			mounts = append(mounts, sandbox.Mount{Type: "tmpfs", Target: "/" + dir})
		} else {
			mounts = append(mounts, sandbox.Mount{Source: s.path(dir), Target: "/" + dir})
		}
	}
	if s.Programs != "" {
		mounts = append(mounts, sandbox.Mount{Source: s.Programs, Target: ProgramDir, ReadOnly: true})
	}
	return append(mounts,
		sandbox.Mount{Source: "/dev", Target: "/dev"},
		sandbox.Mount{Type: "proc", Target: "/proc"},
		sandbox.Mount{Type: "sysfs", Target: "/sys"}, // of the node's own network
	)
}

// kubeletMounts is what containerd and kubelet want besides.
func (s Spec) kubeletMounts() ([]sandbox.Mount, error) {
	mounts := []sandbox.Mount{
		{Source: s.Binaries, Target: "/opt/kubernetes", ReadOnly: true},
		{Source: s.Images, Target: "/opt/images", ReadOnly: true},
		{Source: s.path("cni"), Target: "/opt/cni/bin"},
		{Source: s.path("cpuinfo"), Target: "/proc/cpuinfo"},
	}
	if s.InMemory {
		for _, dir := range inMemory() {
			mounts = append(mounts, sandbox.Mount{Type: "tmpfs", Target: dir, Exec: true})
		}
	}
	for _, setting := range append(kernelSettings(), bootID()) {
		mounts = append(mounts, sandbox.Mount{
			Source: s.path(setting.file()), Target: "/proc/sys/" + setting.name, Optional: true,
		})
	}
	cgroups, err := s.cgroupMounts()
	return append(mounts, cgroups...), err
}

// inMemory are the folders of containerd and kubelet that are in memory where /run is:
// they make sockets in them, map files that others change, and watch the last one.
func inMemory() []string {
	return []string{"/var/lib/containerd", "/var/lib/kubelet", "/etc/cni/net.d"}
}

// setting is a setting of the kernel, which all namespaces share.
type setting struct{ name, value string }

func (s setting) file() string { return "sysctl/" + strings.ReplaceAll(s.name, "/", ".") }

// bootID tells starts of a node apart, see random(4): the kernel knows of its own only.
func bootID() setting { return setting{"kernel/random/boot_id", string(uuid.NewUUID())} }

// kernelSettings are those that a kubelet changes. In a node it finds, and
// would write, plain files instead: the machine's own are left alone.
func kernelSettings() []setting {
	return []setting{
		{"kernel/keys/root_maxbytes", "25000000"},
		{"kernel/keys/root_maxkeys", "1000000"},
		{"kernel/panic", "10"},
		{"kernel/panic_on_oops", "1"},
		{"vm/overcommit_memory", "1"},
		{"vm/panic_on_oom", "0"},
	}
}
