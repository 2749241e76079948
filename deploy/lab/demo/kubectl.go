package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
)

// kubectl runs kubectl as the lab's administrator.
type kubectl struct {
	program, kubeconfig string
}

// run returns what kubectl printed; an error contains what it complained of.
func (k kubectl) run(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, k.program, append([]string{"--kubeconfig", k.kubeconfig}, args...)...)
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	output, err := cmd.Output()
	if err != nil {
		return string(output), fmt.Errorf("kubectl %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(complaints.String()))
	}
	return string(output), nil
}

// list reads all objects of a kind.
func (k kubectl) list(ctx context.Context, kind string, into any) error {
	output, err := k.run(ctx, "get", kind, "--output=json")
	if err != nil {
		return err
	}
	if err := json.Unmarshal([]byte(output), into); err != nil {
		return fmt.Errorf("kubectl get %s: %w", kind, err)
	}
	return nil
}
