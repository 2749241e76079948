package rack

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"github.com/switchlet/switchlet/deploy/lab/repo"
)

// Build builds the program that runs inside User-Mode Linux, see rackd. The build cache
// makes it quick.
func Build(ctx context.Context, program string) error {
	root, err := repo.Root()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-buildvcs=false", "-o", program, "./deploy/lab/rack/rackd")
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build rackd: %w: %s", err, strings.TrimSpace(string(output)))
	}
	return nil
}
