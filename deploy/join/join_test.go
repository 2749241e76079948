package join_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestASwitchJoins(t *testing.T) {
	s := newSwitch(t)
	s.join("--settings", "/root/settings")
	want := []string{
		"systemctl daemon-reload",
		"systemctl enable switchlet-containerd.service",
		"systemctl enable switchlet-guard.timer",
		"systemctl enable switchlet-kubelet.service",
		"systemctl mask --now ctrmgrd.service",
		"systemctl restart switchlet-containerd.service",
		"systemctl restart switchlet-guard.timer",
		"systemctl restart switchlet-kubelet.service",
	}
	if diff := cmp.Diff(want, s.changes()); diff != "" {
		t.Errorf("what systemd was told (-want +got):\n%s", diff)
	}
	s.contains("etc/sonic/switchlet/kubelet.yaml", "failCgroupV1: false", "enableServer: false", "readOnlyPort: 0",
		"{key: fabric.switchlet.io/switch, effect: NoSchedule}", "systemReserved: {memory: 3138Mi}", "rotateCertificates: true")
	s.contains("etc/sonic/switchlet/containerd.toml", `root = "/host/switchlet/containerd"`, `address = "/run/switchlet/containerd.sock"`)
	s.contains("etc/systemd/system/switchlet.slice", "MemoryMax=768M")
	s.contains("etc/sysctl.d/99-switchlet.conf", "vm.panic_on_oom = 1")
	s.join("--guard") // the kubelet has set panic_on_oom to 0, SONiC's 2 means 1 here
	s.contains("var/standin/sys/vm/panic_on_oom", "1")
	if output := s.join("--check"); strings.Contains(output, "BAD") {
		t.Errorf("--check:\n%s", output)
	}
}

func TestASecondRunChangesNothing(t *testing.T) {
	s := newSwitch(t)
	s.join("--settings", "/root/settings")
	s.join("--guard")
	before := s.tree()
	s.calls("systemctl")
	output := s.join("--settings", "/root/settings")
	if !strings.Contains(output, "nothing to change: leaf1 has joined") {
		t.Errorf("it says:\n%s", output)
	}
	if calls := s.changes(); len(calls) > 0 {
		t.Errorf("it told systemd %q", calls)
	}
	if diff := cmp.Diff(before, s.tree()); diff != "" {
		t.Errorf("files changed:\n%s", diff)
	}
}

func TestTheTokenIsForgottenOnceThereIsACertificate(t *testing.T) {
	s := newSwitch(t)
	s.write("var/standin/not-approved", "")
	output := s.join("--settings", "/root/settings")
	if !strings.Contains(output, "leaf1 has no certificate yet") {
		t.Errorf("it says:\n%s", output)
	}
	s.contains("etc/sonic/switchlet/bootstrap.kubeconfig", `token: "abcdef.0123456789abcdef"`)
	if output, err := s.run("--", "bash", "/root/join.sh", "--check"); err == nil || !strings.Contains(output, "BAD  the kubelet has its certificate") {
		t.Errorf("--check: %v\n%s", err, output)
	}
	s.must(os.Remove(s.path("var/standin/not-approved")))
	s.must(os.MkdirAll(filepath.Join(s.host, "switchlet/pki"), 0o700))
	s.must(os.WriteFile(filepath.Join(s.host, "switchlet/pki/kubelet-client-current.pem"), nil, 0o600))
	s.join("--guard")
	for name, text := range s.tree() {
		if strings.Contains(text, "0123456789abcdef") {
			t.Errorf("%s still has the token", name)
		}
	}
}

func TestADryRunChangesNothing(t *testing.T) {
	s := newSwitch(t)
	before := s.tree()
	output := s.join("--settings", "/root/settings", "--dry-run")
	if diff := cmp.Diff(before, s.tree()); diff != "" {
		t.Errorf("files changed:\n%s", diff)
	}
	if calls := s.changes(); len(calls) > 0 {
		t.Errorf("it told systemd %q", calls)
	}
	if strings.Contains(output, "0123456789abcdef") {
		t.Error("it shows the token")
	}
	for _, want := range []string{
		"write  /etc/systemd/system/switchlet.slice (mode 644)", "       | MemoryMax=768M",
		"run    systemctl mask --now ctrmgrd.service", "set    vm/panic_on_oom = 1 (was 2)",
		"fetch  kubelet containerd", "run    systemctl enable switchlet-kubelet.service",
	} {
		if !strings.Contains(output, want) {
			t.Errorf("it does not show %q:\n%s", want, output)
		}
	}
}

func TestLeavingPutsEverythingBack(t *testing.T) {
	s := newSwitch(t)
	before := s.tree()
	s.join("--settings", "/root/settings")
	joined := s.tree()
	s.join("--leave", "--dry-run")
	if diff := cmp.Diff(joined, s.tree()); diff != "" {
		t.Errorf("a dry run changed files:\n%s", diff)
	}
	s.join("--leave")
	if diff := cmp.Diff(before, s.tree()); diff != "" {
		t.Errorf("not as before (-before +after):\n%s", diff)
	}
	s.contains("var/standin/systemd/active/ctrmgrd.service", "")
	if output := s.join("--leave"); !strings.Contains(output, "nothing to change") {
		t.Errorf("left again, it says:\n%s", output)
	}
}

func TestWhatWasMaskedBeforeStaysMasked(t *testing.T) {
	s := newSwitch(t)
	s.must(os.Symlink("/dev/null", s.path("etc/systemd/system/ctrmgrd.service")))
	s.must(os.Remove(s.path("var/standin/systemd/active/ctrmgrd.service")))
	before := s.tree()
	s.join("--settings", "/root/settings")
	s.join("--leave")
	if diff := cmp.Diff(before, s.tree()); diff != "" {
		t.Errorf("not as before (-before +after):\n%s", diff)
	}
}

func TestTheManagementVRF(t *testing.T) {
	s := newSwitch(t)
	s.write("var/standin/config_db", "DEVICE_METADATA|localhost hostname leaf1\nMGMT_VRF_CONFIG|vrf_global mgmtVrfEnabled true\n")
	s.write("root/settings", s.settings("BUNDLE=http://mirror"))
	s.join("--settings", "/root/settings") // the mirror is reached through the VRF only
	s.join("--exec", "containerd")
	s.join("--exec", "kubelet")
	calls := strings.Join(s.calls("ip"), "\n")
	for _, want := range []string{
		"ip vrf exec mgmt /host/switchlet/bin/containerd --config /etc/sonic/switchlet/containerd.toml",
		"ip vrf exec mgmt /host/switchlet/bin/kubelet --config=/etc/sonic/switchlet/kubelet.yaml",
		"--node-labels=fabric.switchlet.io/role=leaf --node-ip=192.0.2.11",
		"ip -4 rule add pref 32764 to 192.0.2.1 lookup 5000",
	} {
		if !strings.Contains(calls, want) {
			t.Errorf("it does not say %q:\n%s", want, calls)
		}
	}
	s.contains("var/standin/sys/net/ipv4/tcp_l3mdev_accept", "1")
	s.join("--exec", "routes-back")
	if rules := s.read("var/standin/rules"); rules != "" {
		t.Errorf("rules are left: %s", rules)
	}
	s.noMistakes()

	s.write("var/standin/config_db", "DEVICE_METADATA|localhost hostname leaf1\n")
	s.calls("systemctl")
	s.join("--guard")
	if want := []string{"systemctl restart switchlet-containerd.service switchlet-kubelet.service"}; !slices.Equal(s.changes(), want) {
		t.Error("a switched-off VRF does not restart the services")
	}
}

// changes are what systemd was told since the last time, without questions, sorted.
func (s *sonic) changes() []string {
	s.t.Helper()
	calls := slices.DeleteFunc(s.calls("systemctl"), func(call string) bool { return strings.HasPrefix(call, "systemctl is-") })
	slices.Sort(calls)
	return calls
}

func (s *sonic) contains(name string, wanted ...string) {
	s.t.Helper()
	if _, err := os.Stat(s.path(name)); err != nil {
		s.t.Error(err)
	}
	for _, want := range wanted {
		if text := s.read(name); !strings.Contains(text, want) {
			s.t.Errorf("%s lacks %q:\n%s", name, want, text)
		}
	}
}
