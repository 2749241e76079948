package measure

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/deploy/lab/matrix"
	"github.com/switchlet/switchlet/deploy/lab/state"
)

// readObjects asks the lab's cluster.
func readObjects(ctx context.Context, lab state.Lab) (matrix.Objects, error) {
	var vpcs v1alpha1.VPCList
	var attachments v1alpha1.VPCAttachmentList
	var peerings v1alpha1.VPCPeeringList
	for kind, list := range map[string]any{"vpcs": &vpcs, "vpcattachments": &attachments, "vpcpeerings": &peerings} {
		var complaints bytes.Buffer
		kubectl := exec.CommandContext(ctx, filepath.Join(lab.Binaries, "kubectl"), "--kubeconfig", lab.Kubeconfig(),
			"get", kind+"."+v1alpha1.GroupVersion().Group, "--all-namespaces", "--output=json")
		kubectl.Stderr = &complaints
		text, err := kubectl.Output()
		if err != nil {
			return matrix.Objects{}, fmt.Errorf("kubectl get %s: %w: %s", kind, err, strings.TrimSpace(complaints.String()))
		}
		if err := json.Unmarshal(text, list); err != nil {
			return matrix.Objects{}, fmt.Errorf("kubectl get %s: %w", kind, err)
		}
	}
	return matrix.Objects{VPCs: vpcs.Items, Attachments: attachments.Items, Peerings: peerings.Items}, nil
}
