// Package object follows one object of the API group of v1alpha1 and writes its
// status, when it has changed, the newest word only.
//
// It stands on client-go's REST client alone, and follows with one request: caches
// and clients of Kubernetes's own kinds would make the agent several times as large,
// and it runs on every node.
package object

import (
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/rest"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

const (
	// Pauses between attempts while the API server is away or refuses.
	minPause = 100 * time.Millisecond
	maxPause = 10 * time.Second
)

// Ref is one object without a namespace.
type Ref struct {
	// Client is one of NewClient.
	Client rest.Interface
	// Kind is "Host", and Resource "hosts".
	Kind, Resource string
	Name           string
}

func (r Ref) String() string { return r.Kind + " " + r.Name }

// NewClient is a client of the API group of v1alpha1.
func NewClient(config *rest.Config) (rest.Interface, error) {
	scheme := runtime.NewScheme()
	metav1.AddToGroupVersion(scheme, metav1.Unversioned)
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		return nil, err
	}
	version := v1alpha1.GroupVersion()
	config = rest.CopyConfig(config)
	config.GroupVersion, config.APIPath = &version, "/apis"
	config.NegotiatedSerializer = serializer.NewCodecFactory(scheme).WithoutConversion()
	config.ContentType = runtime.ContentTypeJSON
	client, err := rest.RESTClientFor(config)
	if err != nil {
		return nil, fmt.Errorf("client of the API server: %w", err)
	}
	return client, nil
}
