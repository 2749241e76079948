package node

import (
	"bytes"
	"embed"
	"fmt"
	"os"
	"path/filepath"
	"text/template"
)

//go:embed files
var files embed.FS

// settings are what the files of a node say about it.
type settings struct {
	Name, Address, Taint, PauseImage, Snapshotter, Socket, Registry string
}

// writeFiles writes the settings of containerd, kubelet and CNI to where a
// node has them.
func (s Spec) writeFiles() error {
	data := settings{
		Name: s.Name, Address: s.Address.Addr().String(), Taint: s.Taint, PauseImage: PauseImage, Snapshotter: s.snapshotter(),
		Socket: s.containerdSocket(), Registry: s.Registry,
	}
	for _, file := range []struct {
		name, target string
		mode         os.FileMode
	}{
		{"hosts.toml", filepath.Join("/etc/containerd/certs.d", s.Registry, "hosts.toml"), 0o644},
		{"containerd.toml", "/etc/containerd/config.toml", 0o644},
		{"kubelet.yaml", "/etc/kubernetes/kubelet.yaml", 0o644},
		{"10-hostnetwork-only.conflist", "/etc/cni/net.d/10-hostnetwork-only.conflist", 0o644},
		{"hostnetwork-only", "/opt/cni/bin/hostnetwork-only", 0o755},
		{"loopback", "/opt/cni/bin/loopback", 0o755},
	} {
		text, err := render(file.name, data)
		if err != nil {
			return err
		}
		if err := os.MkdirAll(filepath.Dir(file.target), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(file.target, text, file.mode); err != nil {
			return err
		}
	}
	return nil
}

// snapshotter says how containerd makes the file systems of containers: in memory they
// share what they do not change, and else they are plain copies, which work on every
// file system, also inside a container.
func (s Spec) snapshotter() string {
	if s.InMemory {
		return "overlayfs"
	}
	return "native"
}

// containerdSocket is where containerd answers: on a switch where a switch that has
// joined has it, and the agent looks for it.
func (s Spec) containerdSocket() string {
	if s.Switch > 0 {
		return "/run/switchlet/containerd.sock"
	}
	return "/run/containerd/containerd.sock"
}

func render(name string, data settings) ([]byte, error) {
	parsed, err := template.ParseFS(files, "files/"+name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	var text bytes.Buffer
	if err := parsed.Execute(&text, data); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return text.Bytes(), nil
}
