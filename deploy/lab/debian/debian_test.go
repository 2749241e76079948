package debian

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

func TestMissingNamesEachPackageOnce(t *testing.T) {
	got := missing([]need{
		{program: "sh", pkg: "dash"},
		{program: "no-such-daemon", pkg: "containerd"},
		{program: "no-such-tool", pkg: "containerd"},
	})
	if len(got) != 1 || got[0].program != "no-such-daemon" {
		t.Errorf("missing() = %+v, want no-such-daemon only", got)
	}
}

func TestServicesAreForbiddenWhilePackagesAreInstalled(t *testing.T) {
	policy := filepath.Join(t.TempDir(), "policy-rc.d")
	allow, err := forbidServices(policy)
	if err != nil {
		t.Fatal(err)
	}
	// invoke-rc.d asks: may this service be started? 101 means no.
	cmd := exec.Command(policy, "redis-server", "start")
	if err := cmd.Run(); cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != 101 {
		t.Errorf("policy-rc.d ends with %v, want exit status 101", err)
	}
	if err := allow(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(policy); !os.IsNotExist(err) {
		t.Errorf("the policy is still there (%v)", err)
	}
}

func TestAPolicyOfTheMachinesOwnIsLeftAlone(t *testing.T) {
	policy := filepath.Join(t.TempDir(), "policy-rc.d")
	if err := os.WriteFile(policy, []byte("#!/bin/sh\nexit 0\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	allow, err := forbidServices(policy)
	if err != nil {
		t.Fatal(err)
	}
	if err := allow(); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(policy); err != nil || string(text) != "#!/bin/sh\nexit 0\n" {
		t.Errorf("the policy is now %q, %v", text, err)
	}
}
