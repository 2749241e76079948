// Command metaplugin is package meta as a CNI plugin, for a container runtime whose
// pods are to be in the cluster's network and in those of their annotations. Its
// configuration has the cluster's network, as a list, and a kubeconfig of somebody
// who may read pods and NetworkAttachmentDefinitions, and write pods.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/containernetworking/cni/libcni"
	"github.com/containernetworking/cni/pkg/types"
	ktypes "k8s.io/apimachinery/pkg/types"

	"github.com/switchlet/switchlet/deploy/cni/meta"
)

// config is the plugin's own.
type config struct {
	CNIVersion string          `json:"cniVersion"`
	Kubeconfig string          `json:"kubeconfig"`
	Dir        string          `json:"dir"`
	Cluster    json.RawMessage `json:"cluster"`
}

// patience bounds a call.
const patience = time.Minute

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := run(ctx, os.Stdout); err != nil {
		text, _ := json.Marshal(types.Error{Code: 999, Msg: err.Error()}) // strings and a number
		fmt.Fprintln(os.Stdout, string(text))
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer) error {
	text, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	command := os.Getenv("CNI_COMMAND")
	if command == "VERSION" {
		_, err := fmt.Fprintln(out, `{"cniVersion":"1.0.0","supportedVersions":["0.3.1","0.4.0","1.0.0","1.1.0"]}`)
		return err
	}
	if filepath.Base(os.Args[0]) == loopbackName {
		return loopback(command, callOf(os.Getenv), out)
	}
	var c config
	if err := json.Unmarshal(text, &c); err != nil {
		return err
	}
	api, err := newServer(c.Kubeconfig)
	if err != nil {
		return err
	}
	cluster, err := libcni.ConfListFromBytes(c.Cluster)
	if err != nil {
		return fmt.Errorf("cluster: %w", err)
	}
	m := meta.Meta{Source: api, Cluster: cluster, Path: filepath.SplitList(os.Getenv("CNI_PATH")), Dir: c.Dir}
	return do(ctx, m, api, command, c.CNIVersion, out)
}

func do(ctx context.Context, m meta.Meta, api *server, command, version string, out io.Writer) error {
	call := callOf(os.Getenv)
	switch command {
	case "ADD":
		result, status, err := m.Add(ctx, call)
		if err != nil {
			return err
		}
		if err := api.tell(ctx, call.Pod, status); err != nil {
			return err
		}
		if result, err = result.GetAsVersion(version); err != nil {
			return err
		}
		return result.PrintTo(out)
	case "DEL":
		return m.Del(ctx, call)
	case "CHECK":
		return m.Check(ctx, call)
	case "STATUS":
		return m.Status(ctx)
	}
	return nil
}

// callOf reads what a runtime says in the environment.
func callOf(env func(string) string) meta.Call {
	c := meta.Call{ContainerID: env("CNI_CONTAINERID"), Netns: env("CNI_NETNS"), IfName: env("CNI_IFNAME")}
	for pair := range strings.SplitSeq(env("CNI_ARGS"), ";") {
		switch key, value, _ := strings.Cut(pair, "="); key {
		case "K8S_POD_NAMESPACE":
			c.Pod.Namespace = value
		case "K8S_POD_NAME":
			c.Pod.Name = value
		case "K8S_POD_UID":
			c.UID = value
		}
	}
	return c
}

// path is that of an object in a namespace.
func path(prefix string, name ktypes.NamespacedName, resource string) string {
	return prefix + "/namespaces/" + name.Namespace + "/" + resource + "/" + name.Name
}
