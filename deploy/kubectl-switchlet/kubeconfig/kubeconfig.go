// Package kubeconfig finds the API server for kubectl switchlet, as kubectl does.
package kubeconfig

import (
	"fmt"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

// Flags say which API server is meant.
type Flags struct{ file, context string }

// File is the API server of a file's current context.
func File(path string) Flags { return Flags{file: path} }

// AddTo gives a command the flags, and those below it.
func (f *Flags) AddTo(c *cobra.Command) {
	c.PersistentFlags().StringVar(&f.file, "kubeconfig", "", "kubeconfig file; as for kubectl without one")
	c.PersistentFlags().StringVar(&f.context, "context", "", "context of the kubeconfig; empty: the current one")
}

// Config is how to reach the API server.
func (f *Flags) Config() (*rest.Config, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = f.file
	config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, &clientcmd.ConfigOverrides{CurrentContext: f.context}).ClientConfig()
	if err != nil {
		return nil, fmt.Errorf("find the API server: %w", err)
	}
	return config, nil
}

// Client knows Switchlet's kinds, and those that add has.
func (f *Flags) Client(add ...func(*runtime.Scheme) error) (client.Client, error) {
	config, err := f.Config()
	if err != nil {
		return nil, err
	}
	scheme := runtime.NewScheme()
	for _, kinds := range append(add, v1alpha1.AddToScheme) {
		if err := kinds(scheme); err != nil {
			return nil, err
		}
	}
	kube, err := client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		return nil, fmt.Errorf("connect to the API server: %w", err)
	}
	return kube, nil
}
