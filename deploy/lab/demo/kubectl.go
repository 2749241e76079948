package demo

import (
	"bytes"
	"context"
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
