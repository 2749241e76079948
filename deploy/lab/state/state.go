// Package state is what a lab leaves on disk for the commands that come after
// the one that started it: who it is, what runs in it, how to end it.
package state

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
)

// Lab is a lab's record, and the configuration that it was started with.
type Lab struct {
	// Name of the lab.
	Name string `json:"name"`
	// Dir is the lab's folder; all that it writes is in it.
	Dir string `json:"dir"`
	// Subnet of the management network.
	Subnet netip.Prefix `json:"subnet"`
	// Leaves and Spines are how many switches of each role there are.
	Leaves int `json:"leaves"`
	Spines int `json:"spines"`
	// Hosts is how many hosts there are.
	Hosts int `json:"hosts"`
	// Mesh says that every leaf has a cable to every other one.
	Mesh bool `json:"mesh,omitempty"`
	// FRR says that the switches have it.
	FRR bool `json:"frr,omitempty"`
	// Forward says that the switches have a data plane.
	Forward bool `json:"forward,omitempty"`
	// UML says that switches and hosts are in a User-Mode Linux, without kubelets.
	UML bool `json:"uml,omitempty"`
	// HostPods says that the hosts have kubelets there all the same.
	HostPods bool `json:"hostPods,omitempty"`
	// SwitchPods says that the switches have them, too, and that FRR and lldpd are pods.
	SwitchPods bool `json:"switchPods,omitempty"`
	// Programs is the folder with agent, host-agent and controller.
	Programs string `json:"programs"`
	// Binaries is the folder with Kubernetes's programs.
	Binaries string `json:"binaries"`
	// Images is the folder with the image archives.
	Images string `json:"images"`
	// Process is the lab's first process: when it ends, all others do.
	Process Process `json:"process"`
}

// Node is a node as it runs.
type Node struct {
	// Name of the node.
	Name string `json:"name"`
	// Role as the label says it: leaf or spine; empty for an ordinary node.
	Role string `json:"role"`
	// Host says that it has NICs with cables to switches.
	Host bool `json:"host,omitempty"`
	// Address on the management network.
	Address netip.Addr `json:"address"`
	// Pid of the node's first process, as seen in the lab; 0 if the node is in a
	// User-Mode Linux.
	Pid int `json:"pid"`
}

// Base is the folder of all labs: $SWITCHLET_LAB_DIR, else
// /var/lib/switchlet-lab.
func Base() (string, error) {
	if dir := os.Getenv("SWITCHLET_LAB_DIR"); dir != "" {
		return filepath.Abs(dir)
	}
	return "/var/lib/switchlet-lab", nil
}

// Folder is the folder of one lab. The name is a part of host names and of the
// paths of Unix sockets, which the kernel bounds to 107 bytes.
func Folder(name string) (string, error) {
	if !regexp.MustCompile(`^[a-z][a-z0-9]{0,9}$`).MatchString(name) {
		return "", fmt.Errorf("lab name %q: it must be 1 to 10 characters from a-z and 0-9, the first of them a letter", name)
	}
	base, err := Base()
	return filepath.Join(base, name), err
}

// ErrNone says that there is no lab of that name.
var ErrNone = errors.New("there is no such lab")

// Load reads the record of a lab.
func Load(name string) (Lab, error) {
	var lab Lab
	dir, err := Folder(name)
	if err != nil {
		return lab, err
	}
	text, err := os.ReadFile(filepath.Join(dir, "lab.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return lab, fmt.Errorf("lab %s: %w: start it with: lab up --name %s", name, ErrNone, name)
	}
	if err != nil {
		return lab, err
	}
	if err := json.Unmarshal(text, &lab); err != nil {
		return lab, fmt.Errorf("lab %s: %s/lab.json is damaged: %w: end its process by hand and remove the folder", name, dir, err)
	}
	return lab, nil
}

// List names all labs, running or not.
func List() ([]string, error) {
	base, err := Base()
	if err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(base)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var names []string
	for _, entry := range entries {
		if entry.IsDir() {
			names = append(names, entry.Name())
		}
	}
	return names, err
}

// Save writes the lab's record.
func (l Lab) Save() error { return writeJSON(filepath.Join(l.Dir, "lab.json"), l) }

// SaveNodes records the nodes that run.
func (l Lab) SaveNodes(nodes []Node) error {
	return writeJSON(filepath.Join(l.Dir, "nodes.json"), nodes)
}

// Nodes are the nodes that run.
func (l Lab) Nodes() ([]Node, error) {
	text, err := os.ReadFile(filepath.Join(l.Dir, "nodes.json"))
	if err != nil {
		return nil, err
	}
	var nodes []Node
	return nodes, json.Unmarshal(text, &nodes)
}

// Node finds a node by its name.
func (l Lab) Node(name string) (Node, error) {
	nodes, err := l.Nodes()
	if err != nil {
		return Node{}, err
	}
	i := slices.IndexFunc(nodes, func(n Node) bool { return n.Name == name })
	if i < 0 {
		var names []string
		for _, n := range nodes {
			names = append(names, n.Name)
		}
		return Node{}, fmt.Errorf("lab %s has no node %q; it has %v", l.Name, name, names)
	}
	return nodes[i], nil
}

// Kubeconfig is the kubeconfig file of an administrator.
func (l Lab) Kubeconfig() string { return filepath.Join(l.ControlPlane(), "kubeconfig") }

// ControlPlane is the folder of the control plane.
func (l Lab) ControlPlane() string { return filepath.Join(l.Dir, "controlplane") }

// NodeDir is the folder of a node: its etc, run, var and so on.
func (l Lab) NodeDir(node string) string { return filepath.Join(l.Dir, "nodes", node) }

// Socket is the Unix socket of a switch's Redis.
func (l Lab) Socket(node string) string {
	return filepath.Join(l.NodeDir(node), "run/redis/redis.sock")
}

// DaemonsSocket is the Unix socket at which to ask how a switch's stand-in for
// SONiC's daemons is.
func (l Lab) DaemonsSocket(node string) string {
	return filepath.Join(l.NodeDir(node), "run/swss.sock")
}

// FRRSockets is the folder of the sockets of a switch's FRR.
func (l Lab) FRRSockets(node string) string { return filepath.Join(l.NodeDir(node), "run/frr") }

// Namespace is the path of a node's network namespace, for this process, which
// is outside the lab: the node's process id is one of the lab's.
func (l Lab) Namespace(n Node) string {
	return fmt.Sprintf("/proc/%d/root/proc/%d/ns/net", l.Process.Pid, n.Pid)
}

// OwnNamespace is the path of the network namespace of the lab itself.
func (l Lab) OwnNamespace() string { return fmt.Sprintf("/proc/%d/ns/net", l.Process.Pid) }

// NodeSocket is the Unix socket at which to do things in a node, see package control.
func (l Lab) NodeSocket(node string) string { return filepath.Join(l.NodeDir(node), "run/node.sock") }

// TokenFile has the token by which one may speak to the lab's rack.
func (l Lab) TokenFile() string { return filepath.Join(l.Dir, "token") }

// Machine is the folder of the User-Mode Linux.
func (l Lab) Machine() string { return filepath.Join(l.Dir, "uml") }

// Rackd is the program that runs in it.
func (l Lab) Rackd() string { return filepath.Join(l.Machine(), "rackd") }

// Log is the log file of the lab itself.
func (l Lab) Log() string { return filepath.Join(l.Dir, "lab.log") }

// HostLink is the name of the link on the machine itself.
func (l Lab) HostLink() string { return "swl-" + l.id() }

// Cgroup is the folder of the lab's cgroups in each hierarchy.
func (l Lab) Cgroup() string { return "/switchlet-lab/" + l.Name + "-" + l.id() }

// id tells labs apart of the same name in different folders. It is short: the
// name of a link has at most 15 characters.
func (l Lab) id() string {
	sum := sha256.Sum256([]byte(l.Dir))
	return hex.EncodeToString(sum[:4])
}

func writeJSON(file string, value any) error {
	text, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(file+".new", append(text, '\n'), 0o644); err != nil {
		return err
	}
	return os.Rename(file+".new", file)
}
