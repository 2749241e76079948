package rack

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Annotations that containerd's CRI plugin gives to what runc runs for it.
const (
	criType      = "io.kubernetes.cri.container-type"
	criNamespace = "io.kubernetes.cri.sandbox-namespace"
	criName      = "io.kubernetes.cri.sandbox-name"
	criSandbox   = "sandbox"
)

// bundles is where containerd has what runc runs, see node's containerd.toml.
const bundles = "run/containerd/io.containerd.runtime.v2.task/k8s.io/*/config.json"

// ErrNoPod says that a pod does not run on a node.
var ErrNoPod = errors.New("no such pod runs there")

// bundle is what runc is told of a container, see the OCI's runtime specification.
type bundle struct {
	Annotations map[string]string `json:"annotations"`
	Linux       struct {
		Namespaces []namespace `json:"namespaces"`
	} `json:"linux"`
}

type namespace struct {
	Type string `json:"type"`
	Path string `json:"path"`
}

// podNamespace is the path of a pod's network namespace as seen from here. The last of
// that name counts: one that has ended may not be away yet.
func (r *Rack) podNamespace(node, pod string) (string, error) {
	if err := r.has(node); err != nil {
		return "", err
	}
	root := fmt.Sprintf("/proc/%d/root", r.Pid(node))
	path, err := findPod(root, pod)
	if err != nil {
		return "", fmt.Errorf("pod %s on %s: %w", pod, node, err)
	}
	// A link's absolute target would be looked for from the root of this process.
	return filepath.Join(root, strings.Replace(path, "/var/run/", "/run/", 1)), nil
}

// findPod is the path of a pod's network namespace on the node with a root folder.
func findPod(root, pod string) (string, error) {
	files, err := filepath.Glob(filepath.Join(root, bundles))
	if err != nil {
		return "", err
	}
	var found string
	var latest int64
	for _, file := range files {
		path, made, err := sandboxOf(file, pod)
		if err != nil {
			return "", err
		}
		if path != "" && made >= latest {
			found, latest = path, made
		}
	}
	if found == "" {
		return "", ErrNoPod
	}
	return found, nil
}

// sandboxOf is the path of the network namespace that a bundle has, and when it was
// made, if it is the sandbox of a pod; else empty.
func sandboxOf(file, pod string) (path string, made int64, err error) {
	info, err := os.Stat(file)
	var text []byte
	if err == nil {
		text, err = os.ReadFile(file)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return "", 0, nil // it has just ended
	}
	if err != nil {
		return "", 0, err
	}
	var b bundle
	if err := json.Unmarshal(text, &b); err != nil {
		return "", 0, fmt.Errorf("%s: %w", file, err)
	}
	if b.Annotations[criType] != criSandbox || b.Annotations[criNamespace]+"/"+b.Annotations[criName] != pod {
		return "", 0, nil
	}
	i := slices.IndexFunc(b.Linux.Namespaces, func(n namespace) bool { return n.Type == "network" })
	if i < 0 || b.Linux.Namespaces[i].Path == "" {
		return "", 0, nil // in the host's own network
	}
	return b.Linux.Namespaces[i].Path, info.ModTime().UnixNano(), nil
}
