// Package pods knows which pods are on this node, as the API server has it. It is
// asked only about pods whose network namespace cannot be looked at, which there
// are none of where the runtime's folder is mounted: so nothing is followed.
package pods

import (
	"context"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/rest"

	"github.com/switchlet/switchlet/cni/host/request"
)

// timeout bounds a request.
const timeout = 10 * time.Second

// Node asks for the pods of one node. Of each it gets the name and the uid only.
type Node struct {
	client rest.Interface
	name   string
}

// New asks with a client of NewClient.
func New(client rest.Interface, node string) Node { return Node{client, node} }

// List reports which pods are on the node.
func (n Node) List(ctx context.Context) (known func(request.Pod) bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	var list metav1.PartialObjectMetadataList
	if err := n.client.Get().Resource("pods").Param("fieldSelector", "spec.nodeName="+n.name).Do(ctx).Into(&list); err != nil {
		return nil, fmt.Errorf("list the pods of node %s: %w", n.name, err)
	}
	pods, uids := map[request.Pod]bool{}, map[string]bool{}
	for _, p := range list.Items {
		pods[request.Pod{Namespace: p.Namespace, Name: p.Name}] = true
		uids[string(p.UID)] = true
	}
	return func(p request.Pod) bool {
		// A static pod has another uid at the API server than on the node.
		return uids[p.UID] || pods[request.Pod{Namespace: p.Namespace, Name: p.Name}]
	}, nil
}

// NewClient is a client for the names of pods.
func NewClient(config *rest.Config) (rest.Interface, error) {
	scheme := runtime.NewScheme()
	version := schema.GroupVersion{Version: "v1"}
	metav1.AddToGroupVersion(scheme, version)
	if err := metav1.AddMetaToScheme(scheme); err != nil {
		return nil, err
	}
	config = rest.CopyConfig(config)
	config.GroupVersion, config.APIPath = &version, "/api"
	config.NegotiatedSerializer = serializer.NewCodecFactory(scheme).WithoutConversion()
	config.AcceptContentTypes = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
	config.ContentType = runtime.ContentTypeJSON
	client, err := rest.RESTClientFor(config)
	if err != nil {
		return nil, fmt.Errorf("client of the API server for pods: %w", err)
	}
	return client, nil
}
