package reconcile

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/switchlet/switchlet/controller/nad"
)

// The kinds that pods are attached by, as far as they are looked at. A cluster has a
// hundred thousand pods, and of each of them the cache keeps no more than this.
type (
	// pod is one that is bound to a Node and has not ended.
	pod struct {
		metav1.TypeMeta   `json:",inline"`
		metav1.ObjectMeta `json:"metadata,omitempty"`

		Spec podSpec `json:"spec,omitempty"`
	}
	podSpec struct {
		NodeName string `json:"nodeName,omitempty"`
	}
	podList = listOf[pod, *pod]
	// network is a NetworkAttachmentDefinition.
	network struct {
		metav1.TypeMeta   `json:",inline"`
		metav1.ObjectMeta `json:"metadata,omitempty"`

		Spec networkSpec `json:"spec,omitempty"`
	}
	networkSpec struct {
		Config string `json:"config,omitempty"`
	}
	networkList = listOf[network, *network]
	// claim is an IPAMClaim, which keeps addresses over the lives of pods.
	claim struct {
		metav1.TypeMeta   `json:",inline"`
		metav1.ObjectMeta `json:"metadata,omitempty"`

		Spec   claimSpec   `json:"spec,omitempty"`
		Status claimStatus `json:"status,omitempty"`
	}
	claimSpec struct {
		Network string `json:"network,omitempty"`
	}
	claimStatus struct {
		IPs []string `json:"ips,omitempty"`
	}
	claimList = listOf[claim, *claim]
	// definition is a CustomResourceDefinition.
	definition struct {
		metav1.TypeMeta   `json:",inline"`
		metav1.ObjectMeta `json:"metadata,omitempty"`

		Status definitionStatus `json:"status,omitempty"`
	}
	definitionStatus struct {
		Conditions []definitionCondition `json:"conditions,omitempty"`
	}
	definitionCondition struct {
		Type   string `json:"type"`
		Status string `json:"status"`
	}
	definitionList = listOf[definition, *definition]
)

// podScheme is that of these kinds.
func podScheme() *runtime.Scheme {
	s := runtime.NewScheme()
	for _, k := range []struct {
		group, version, kind string
		object, list         runtime.Object
	}{
		{"", "v1", "Pod", &pod{}, &podList{}},
		{"k8s.cni.cncf.io", "v1", "NetworkAttachmentDefinition", &network{}, &networkList{}},
		{"k8s.cni.cncf.io", "v1alpha1", "IPAMClaim", &claim{}, &claimList{}},
		{"apiextensions.k8s.io", "v1", "CustomResourceDefinition", &definition{}, &definitionList{}},
	} {
		version := schema.GroupVersion{Group: k.group, Version: k.version}
		s.AddKnownTypeWithName(version.WithKind(k.kind), k.object)
		s.AddKnownTypeWithName(version.WithKind(k.kind+"List"), k.list)
		metav1.AddToGroupVersion(s, version)
	}
	return s
}

// stripGuest leaves of an object what is looked at.
func stripGuest(o any) (any, error) {
	if guest, ok := o.(client.Object); ok {
		guest.GetObjectKind().SetGroupVersionKind(schema.GroupVersionKind{})
	}
	if guest, ok := o.(metav1.ObjectMetaAccessor); ok {
		m := guest.GetObjectMeta().(*metav1.ObjectMeta)
		*m = stripMeta(*m, nad.NetworksAnnotation, nad.DefaultNetworkAnnotation)
	}
	return o, nil
}

func stripMeta(m metav1.ObjectMeta, keep ...string) metav1.ObjectMeta {
	out := metav1.ObjectMeta{
		Namespace: m.Namespace, Name: m.Name, UID: m.UID, ResourceVersion: m.ResourceVersion, Generation: m.Generation,
		DeletionTimestamp: m.DeletionTimestamp,
	}
	for _, key := range keep {
		if value, ok := m.Annotations[key]; ok {
			if out.Annotations == nil {
				out.Annotations = map[string]string{}
			}
			out.Annotations[key] = value
		}
	}
	return out
}

// wants says whether a pod names networks at all.
func (p *pod) wants() bool { return len(p.Annotations) > 0 }

// established says whether objects of the kind can be made.
func (d *definition) established() bool {
	return slices.Contains(d.Status.Conditions, definitionCondition{Type: "Established", Status: "True"})
}

func (p *pod) DeepCopyObject() runtime.Object {
	out := *p
	p.DeepCopyInto(&out.ObjectMeta)
	return &out
}

func (n *network) DeepCopyObject() runtime.Object {
	out := *n
	n.DeepCopyInto(&out.ObjectMeta)
	return &out
}

func (c *claim) DeepCopyObject() runtime.Object {
	out := *c
	c.DeepCopyInto(&out.ObjectMeta)
	out.Status.IPs = slices.Clone(c.Status.IPs)
	return &out
}

func (d *definition) DeepCopyObject() runtime.Object {
	out := *d
	d.DeepCopyInto(&out.ObjectMeta)
	out.Status.Conditions = slices.Clone(d.Status.Conditions)
	return &out
}

// listOf is a list of objects of one of these kinds.
type listOf[T any, P interface {
	*T
	runtime.Object
}] struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []T `json:"items"`
}

func (l *listOf[T, P]) DeepCopyObject() runtime.Object {
	out := *l
	out.Items = make([]T, len(l.Items))
	for i := range l.Items {
		out.Items[i] = *P(&l.Items[i]).DeepCopyObject().(P)
	}
	return &out
}
