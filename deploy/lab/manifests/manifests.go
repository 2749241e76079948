// Package manifests are the objects that the lab's demonstration applies.
package manifests

import (
	"embed"
	"os"
	"path/filepath"
	"strings"
)

// Files are the manifests: fabric.yaml, vpc-blue.yaml, vpc-red.yaml, which a
// person could apply, and patches that make the product's own manifests fit the
// lab.
//
//go:embed *.yaml
var Files embed.FS

// Names of the manifests that are applied one after the other.
const (
	Fabric  = "fabric.yaml"
	VPCBlue = "vpc-blue.yaml"
	VPCRed  = "vpc-red.yaml"

	controllerPatch = "controller-patch.yaml"
	agentPatch      = "agent-patch.yaml"
	hostAgentPatch  = "host-agent-patch.yaml"
)

// Write writes all manifests to a folder, and into its folder "deploy" an
// overlay of the product's own manifests: product is the folder deploy of the
// source tree. With fetch agents may fetch the images of a release.
func Write(folder, product string, fetch bool) error {
	overlay := filepath.Join(folder, "deploy")
	if err := os.MkdirAll(overlay, 0o755); err != nil {
		return err
	}
	for name, dir := range map[string]string{
		Fabric: folder, VPCBlue: folder, VPCRed: folder,
		controllerPatch: overlay, agentPatch: overlay, hostAgentPatch: overlay,
	} {
		text, err := Files.ReadFile(name)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			return err
		}
	}
	// Kustomize takes a folder by its relative path only, without links.
	base, err := relative(overlay, product)
	if err != nil {
		return err
	}
	components := ""
	if fetch {
		components = filepath.Join(base, "agent", "images")
	}
	text := strings.Join([]string{
		"apiVersion: kustomize.config.k8s.io/v1beta1", "kind: Kustomization",
		"resources: [" + base + "]",
		"components: [" + components + "]",
		"patches: [{path: " + controllerPatch + "}, {path: " + agentPatch + "}, {path: " + hostAgentPatch + "}]", "",
	}, "\n")
	return os.WriteFile(filepath.Join(overlay, "kustomization.yaml"), []byte(text), 0o644)
}

func relative(from, to string) (string, error) {
	from, err := filepath.EvalSymlinks(from)
	if err != nil {
		return "", err
	}
	if to, err = filepath.EvalSymlinks(to); err != nil {
		return "", err
	}
	return filepath.Rel(from, to)
}
