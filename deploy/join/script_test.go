package join_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/switchlet/switchlet/deploy/join"
	"github.com/switchlet/switchlet/deploy/lab/labtest"
)

func TestShellcheckHasNothingToSay(t *testing.T) {
	shellcheck := labtest.Program(t, "shellcheck", "shellcheck")
	script, err := join.Script()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "join.sh")
	if err := os.WriteFile(file, script, 0o600); err != nil {
		t.Fatal(err)
	}
	if output, err := exec.CommandContext(t.Context(), shellcheck, file).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, output)
	}
}

// What is wrong with the settings, or with the switch, is said before anything is
// changed, with a way out.
func TestRefusals(t *testing.T) {
	for _, c := range []struct{ name, settings, why string }{
		{"a word that is no setting", "COLOUR=red", `unknown setting "COLOUR"`},
		{"a role that is none", "BUNDLE=/bundle\nROLE=boss", `ROLE="boss" is not leaf, spine or border`},
		{"a node name that is none", "BUNDLE=/bundle\nNODE=Leaf_1", `NODE="Leaf_1" is not a name such as leaf1`},
		{"no bundle", "", `BUNDLE="" is not a folder`},
		{"a token that is none", "BUNDLE=/bundle\nTOKEN=$(reboot)", "TOKEN="},
		{"more memory than is good", "BUNDLE=/bundle\nMEMORY=3000", "MEMORY=3000 is more than half"},
		{"no disk", "BUNDLE=/bundle\nDISK=9999999", "sonic-installer cleanup"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSwitch(t)
			before := s.tree()
			s.write("root/settings", s.settings(c.settings))
			s.refuse(c.why, "--settings", "/root/settings")
			for name := range s.tree() {
				if _, ok := before[name]; !ok {
					t.Errorf("it made %s", name)
				}
			}
		})
	}
}

func TestABundleThatWasChangedIsRefused(t *testing.T) {
	s := newSwitch(t)
	s.must(os.WriteFile(filepath.Join(s.bundle, "kubelet"), []byte("#!/bin/sh\nanother one\n"), 0o600))
	s.refuse("kubelet from /bundle is not what SHA256SUMS says", "--settings", "/root/settings")
	s.must(os.WriteFile(filepath.Join(s.bundle, "SHA256SUMS"), nil, 0o600))
	s.must(os.RemoveAll(filepath.Join(s.host, "switchlet/programs")))
	s.refuse("SHA256SUMS of /bundle is not the one that SUMS=", "--settings", "/root/settings")
	if _, err := os.Lstat(filepath.Join(s.host, "switchlet/bin")); err == nil {
		t.Error("programs were installed")
	}
}

func TestTheZTPFileCallsTheScript(t *testing.T) {
	text, err := os.ReadFile("ztp.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		ZTP map[string]struct {
			Plugin any
			Files  []struct {
				DynamicURL struct{ Destination string } `json:"dynamic-url"`
			}
		}
	}
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	plugin, _ := file.ZTP["03-switchlet-join"].Plugin.(map[string]any)
	args, _ := plugin["args"].(string)
	settings := file.ZTP["02-switchlet-settings"].Files[0].DynamicURL.Destination
	if !strings.HasSuffix(args, "--settings "+settings) || plugin["ignore-section-data"] != true {
		t.Errorf("ZTP calls the script with %q, and the settings are in %s", args, settings)
	}
	s := newSwitch(t)
	s.write("root/settings", s.settings("BUNDLE=/bundle"))
	s.must(os.Rename(s.path("root/settings"), s.path(settings)))
	s.join(strings.Fields(args)...)
}
