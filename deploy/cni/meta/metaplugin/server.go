package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	ktypes "k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/switchlet/switchlet/deploy/cni/meta"
)

// server is the API server.
type server struct {
	url    string
	client *http.Client
}

func newServer(kubeconfig string) (*server, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("kubeconfig: %w", err)
	}
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, fmt.Errorf("kubeconfig: %w", err)
	}
	return &server{strings.TrimSuffix(config.Host, "/"), client}, nil
}

// Annotations of a pod.
func (s *server) Annotations(ctx context.Context, pod ktypes.NamespacedName) (map[string]string, error) {
	var object struct {
		Metadata struct {
			Annotations map[string]string `json:"annotations"`
		} `json:"metadata"`
	}
	err := s.do(ctx, http.MethodGet, path("/api/v1", pod, "pods"), nil, &object)
	return object.Metadata.Annotations, err
}

// Definition is the configuration of a NetworkAttachmentDefinition.
func (s *server) Definition(ctx context.Context, name ktypes.NamespacedName) (string, error) {
	var object struct {
		Spec struct {
			Config string `json:"config"`
		} `json:"spec"`
	}
	err := s.do(ctx, http.MethodGet, path("/apis/k8s.cni.cncf.io/v1", name, "network-attachment-definitions"), nil, &object)
	return object.Spec.Config, err
}

// tell writes a pod's annotation network-status.
func (s *server) tell(ctx context.Context, pod ktypes.NamespacedName, status []meta.Status) error {
	text, err := json.Marshal(status)
	if err != nil {
		return err
	}
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"annotations": map[string]string{"k8s.v1.cni.cncf.io/network-status": string(text)}}})
	if err != nil {
		return err
	}
	return s.do(ctx, http.MethodPatch, path("/api/v1", pod, "pods"), patch, nil)
}

func (s *server) do(ctx context.Context, method, path string, body []byte, into any) error {
	request, err := http.NewRequestWithContext(ctx, method, s.url+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/merge-patch+json")
	response, err := s.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s %s: %s: %s", method, path, response.Status, text)
	}
	if err != nil || into == nil {
		return err
	}
	return json.Unmarshal(text, into)
}
