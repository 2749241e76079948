package shim_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/switchlet/switchlet/cni/shim"
)

// What the plugin says by itself: without an agent, or before it asks one.
func TestAnswer(t *testing.T) {
	full := map[string]string{"CNI_CONTAINERID": "c", "CNI_NETNS": "/proc/self/ns/net", "CNI_IFNAME": "net1"}
	with := func(name, value string) map[string]string {
		env := map[string]string{name: value}
		for k, v := range full {
			if k != name {
				env[k] = v
			}
		}
		return env
	}
	for _, c := range []struct {
		command string
		env     map[string]string
		failed  bool
		want    string
	}{
		{"VERSION", nil, false, `{"cniVersion":"0.4.0","supportedVersions":["0.3.0","0.3.1","0.4.0","1.0.0","1.1.0"]}`},
		{"", full, true, `"code":4,"msg":"CNI_COMMAND is \"\""`},
		{"PRUNE", full, true, `"code":4,"msg":"CNI_COMMAND is \"PRUNE\""`},
		{"ADD", nil, true, `"code":4,"msg":"ADD without [CNI_CONTAINERID CNI_NETNS CNI_IFNAME] in the environment"`},
		{"DEL", with("CNI_IFNAME", ""), true, `"code":4,"msg":"DEL without [CNI_IFNAME] in the environment"`},
		{"ADD", with("CNI_NETNS", "/nowhere"), true, `"code":4,"msg":"CNI_NETNS: open /nowhere: no such file or directory"`},
		{"ADD", full, true, `{"cniVersion":"0.4.0","code":11,"msg":"Switchlet's host agent on this node does not answer","details":"it is tried again by itself; see the node's pod of DaemonSet switchlet-host-agent (connect to `},
		{"CHECK", full, true, `"code":11`},
		{"GC", nil, true, `"code":11`},
		{"STATUS", nil, true, `"code":50`},
		{"DEL", full, false, ""},
		{"DEL", with("CNI_NETNS", "/nowhere"), false, ""},
		{"DEL", with("CNI_NETNS", ""), false, ""},
	} {
		env := func(name string) string {
			if name == "CNI_COMMAND" {
				return c.command
			}
			return c.env[name]
		}
		got := shim.Call{Env: env, Config: []byte(`{"cniVersion":"0.4.0"}`), Socket: filepath.Join(t.TempDir(), "s")}.Answer()
		if got.Failed != c.failed || !strings.Contains(string(got.Body), c.want) || c.want == "" && len(got.Body) > 0 {
			t.Errorf("%s: failed %t, %s\nwant failed %t, %s", c.command, got.Failed, got.Body, c.failed, c.want)
		}
	}
	long := shim.Call{Env: func(name string) string { return map[string]string{"CNI_COMMAND": "GC"}[name] }, Config: make([]byte, 1<<20)}.Answer()
	if !long.Failed || !strings.Contains(string(long.Body), "larger than 1 MiB") {
		t.Errorf("%.200s", long.Body)
	}
}

// asked has the test program say what Asked does, instead of running tests.
const asked = "SWITCHLET_TEST_ASKED"

func TestMain(m *testing.M) {
	if os.Getenv(asked) != "" {
		fmt.Print(shim.Asked("--version"))
		return
	}
	m.Run()
}

// A person who asks for the version is told from a runtime by the one argument.
func TestAsked(t *testing.T) {
	for want, args := range map[string][][]string{
		"true":  {{"--version"}},
		"false": {{}, {"--versions"}, {"version"}, {"--version", "x"}, {"x", "--version"}},
	} {
		for _, all := range args {
			cmd := exec.CommandContext(t.Context(), "/proc/self/exe")
			cmd.Args, cmd.Env = append([]string{"switchlet"}, all...), append(os.Environ(), asked+"=1")
			if got, err := cmd.Output(); err != nil || string(got) != want {
				t.Errorf("%q: %s, error %v, want %s", all, got, err, want)
			}
		}
	}
}
