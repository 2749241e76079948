package measure

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/deploy/lab/matrix"
	"github.com/switchlet/switchlet/deploy/lab/state"
)

// definitions is the kind of NetworkAttachmentDefinitions, which a cluster need not have.
const definitions = "network-attachment-definitions.k8s.cni.cncf.io"

// definition is one, as far as it is looked at.
type definition struct {
	metav1.ObjectMeta `json:"metadata"`
	Spec              struct {
		Config string `json:"config"`
	} `json:"spec"`
}

// readObjects asks the lab's cluster.
func readObjects(ctx context.Context, lab state.Lab) (matrix.Objects, error) {
	var vpcs v1alpha1.VPCList
	var attachments v1alpha1.VPCAttachmentList
	var peerings v1alpha1.VPCPeeringList
	group := "." + v1alpha1.GroupVersion().Group
	for kind, list := range map[string]any{"vpcs" + group: &vpcs, "vpcattachments" + group: &attachments, "vpcpeerings" + group: &peerings} {
		if err := get(ctx, lab, list, kind, "--all-namespaces"); err != nil {
			return matrix.Objects{}, err
		}
	}
	objects := matrix.Objects{VPCs: vpcs.Items, Attachments: attachments.Items, Peerings: peerings.Items}
	return objects, readPods(ctx, lab, &objects)
}

// readPods adds the pods that have networks.
func readPods(ctx context.Context, lab state.Lab, objects *matrix.Objects) error {
	var kinds, all struct{ Items []definition }
	if err := get(ctx, lab, &kinds, "customresourcedefinitions.apiextensions.k8s.io", "--field-selector=metadata.name="+definitions); err != nil || len(kinds.Items) == 0 {
		return err
	}
	var pods corev1.PodList
	if err := get(ctx, lab, &all, definitions, "--all-namespaces"); err != nil {
		return err
	}
	if err := get(ctx, lab, &pods, "pods", "--all-namespaces", "--field-selector=status.phase=Running"); err != nil {
		return err
	}
	objects.Definitions = map[string]string{}
	for _, d := range all.Items {
		objects.Definitions[d.Namespace+"/"+d.Name] = d.Spec.Config
	}
	for i := range pods.Items {
		p := &pods.Items[i]
		if networks := p.Annotations[matrix.NetworkStatus]; networks != "" && p.DeletionTimestamp.IsZero() {
			objects.Pods = append(objects.Pods, matrix.Pod{NamespacedName: types.NamespacedName{Namespace: p.Namespace, Name: p.Name}, Host: p.Spec.NodeName, Networks: networks})
		}
	}
	return nil
}

// get reads objects of a kind.
func get(ctx context.Context, lab state.Lab, list any, kind string, args ...string) error {
	var complaints bytes.Buffer
	kubectl := exec.CommandContext(ctx, filepath.Join(lab.Binaries, "kubectl"), append([]string{"--kubeconfig", lab.Kubeconfig(), "get", kind, "--output=json"}, args...)...)
	kubectl.Stderr = &complaints
	text, err := kubectl.Output()
	if err != nil {
		return fmt.Errorf("kubectl get %s: %w: %s", kind, err, strings.TrimSpace(complaints.String()))
	}
	if err := json.Unmarshal(text, list); err != nil {
		return fmt.Errorf("kubectl get %s: %w", kind, err)
	}
	return nil
}
