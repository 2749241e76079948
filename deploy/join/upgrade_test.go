package join_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// installer does what sonic-installer install does with the configuration: SONiC's
// config-setup copies it, with the hooks, and sources its own.
const installer = `
set -u
rm -rf /host/old_config
cp -ar /etc/sonic /host/old_config
[ -d /etc/config-setup/config-migration-post-hooks.d ] && cp -arL /etc/config-setup/config-migration-post-hooks.d /host/old_config
for hook in $(run-parts --list /etc/config-setup/config-migration-pre-hooks.d); do
	bash -n $hook || exit 1
	. $hook
done
echo done
`

// firstBoot does what rc.local and config-setup do when a new image boots first.
const firstBoot = `
set -u
mv -f /host/old_config /etc/sonic/
cp -ar /etc/sonic/old_config/config_db.json /etc/sonic/
mkdir -p /etc/config-setup/config-migration-post-hooks.d
for hook in $(ls -1 /etc/sonic/old_config/config-migration-post-hooks.d); do
	cp -ar /etc/sonic/old_config/config-migration-post-hooks.d/$hook /etc/config-setup/config-migration-post-hooks.d
done
for hook in $(run-parts --list /etc/config-setup/config-migration-post-hooks.d); do
	bash -n $hook || exit 1
	. $hook
done
echo done
`

func (s *sonic) config(script string) {
	s.t.Helper()
	output, err := s.run("--", "bash", "-c", script)
	if err != nil || !strings.HasSuffix(output, "done\n") {
		s.t.Fatalf("SONiC's config-setup does not come to its end: %v\n%s\n%s", err, output, s.read("var/standin/log"))
	}
	s.noMistakes()
}

// upgrade installs another image and boots it: without a network, and while SONiC
// boots nothing may wait for a service.
func (s *sonic) upgrade() *sonic {
	s.t.Helper()
	s.config(installer)
	n := s.image()
	n.write("var/standin/booting", "")
	n.write("var/standin/no-network", "")
	n.config(firstBoot)
	n.must(os.Remove(n.path("var/standin/booting")))
	n.must(os.Remove(n.path("var/standin/no-network")))
	return n
}

func TestAJoinSurvivesAnUpgradeOfTheImage(t *testing.T) {
	old := newSwitch(t)
	old.join("--settings", "/root/settings")
	old.write("var/lib/switchlet/ledger", "the rows that are the agent's")
	n := old.upgrade()
	if output := n.join("--check"); strings.Contains(output, "BAD") {
		t.Errorf("--check:\n%s\n%s", output, n.read("var/standin/log"))
	}
	n.contains("var/lib/switchlet/ledger", "the rows that are the agent's")
	n.join("--guard")
	n.calls("systemctl")
	if output := n.join("--settings", "/root/settings"); !strings.Contains(output, "nothing to change") {
		t.Errorf("run again on the new image:\n%s", output)
	}

	// Back to the old image: it is as it was, and so is what both share.
	if output := old.join("--check"); strings.Contains(output, "BAD") {
		t.Errorf("--check on the old image:\n%s", output)
	}
	third := n.upgrade()
	if output := third.join("--check"); strings.Contains(output, "BAD") {
		t.Errorf("--check after a second upgrade:\n%s", output)
	}
}

func TestAnUpgradeToADiskWithoutTheProgramsFetchesThemLater(t *testing.T) {
	old := newSwitch(t)
	old.write("root/settings", old.settings("BUNDLE=http://mirror"))
	old.join("--settings", "/root/settings")
	old.config(installer)
	old.must(os.RemoveAll(filepath.Join(old.host, "switchlet/programs")))
	n := old.image()
	n.write("var/standin/booting", "")
	n.write("var/standin/no-network", "")
	n.config(firstBoot)
	n.must(os.Remove(n.path("var/standin/booting")))
	n.refuse("cannot be fetched", "--guard")
	n.must(os.Remove(n.path("var/standin/no-network")))
	n.join("--guard")
	if output := n.join("--check"); strings.Contains(output, "BAD") {
		t.Errorf("--check:\n%s", output)
	}
}

func TestOneThatLeftStaysAwayAfterAnUpgrade(t *testing.T) {
	old := newSwitch(t)
	old.must(os.MkdirAll(old.path("etc/config-setup/config-migration-pre-hooks.d"), 0o755))
	old.must(os.MkdirAll(old.path("etc/config-setup/config-migration-post-hooks.d"), 0o755))
	old.join("--settings", "/root/settings")
	old.config(installer) // the new image is installed, and then the switch leaves
	old.join("--leave")
	n := old.image()
	before := n.tree()
	n.config(firstBoot)
	after := n.tree()
	for name := range after {
		if strings.HasPrefix(name, "/etc/sonic/old_config") || strings.HasPrefix(name, "/etc/config-setup/") || strings.HasPrefix(name, "/host/old_config") {
			delete(after, name)
		}
		if strings.Contains(name, "switchlet") {
			t.Errorf("there is %s", name)
		}
	}
	for name := range before {
		if strings.HasPrefix(name, "/host/old_config") {
			delete(before, name)
		}
	}
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("on the new image (-before +after):\n%s", diff)
	}
}
