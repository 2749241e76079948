package cni_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/switchlet/switchlet/deploy/lab/labtest"
	"github.com/switchlet/switchlet/deploy/lab/matrix/measure"
	"github.com/switchlet/switchlet/deploy/lab/state"
	"github.com/switchlet/switchlet/deploy/lab/uml"
)

// Three hosts with two NICs on two leaves, with pods of three tenants who have the same
// addresses: each pod reaches those of its VPC, wherever they are, and nobody else's, and
// so it stays when cables are pulled, pods move, a host reboots, and the agents are
// replaced while pods start. The first process of each pod sees to it at once that its
// network is there.
func TestPodsThatForward(t *testing.T) {
	l := newForwarding(t)
	t.Run("deck", l.deck)
	t.Run("cable", l.cablePulled)
	t.Run("drain", l.drained)
	t.Run("move", l.moved)
	t.Run("upgrade", l.upgraded)
	t.Run("reboot", l.rebooted)
	if t.Failed() {
		t.Log(l.tryKubectl("get", "pods,vpcs,vpcattachments,links,hostconfigs", "-A", "-o", "wide"))
	}
}

// forwarding is a lab whose switches forward, with pods on its hosts.
type forwarding struct {
	*lab
	hosts  []string
	matrix *measure.Measure
	pods   []tenantPod
}

func newForwarding(t *testing.T) *forwarding {
	t.Helper()
	if len(uml.Missing()) > 0 {
		if _, err := uml.Find(); err != nil {
			labtest.Missing(t, "a lab that forwards: %v", err)
		}
	}
	l := &forwarding{lab: newLab(t, "--forward", "--host-pods", "--leaves", "2", "--spines", "1", "--hosts", "3"), hosts: []string{"host1", "host2", "host3"}}
	l.build("witness", "deploy/cni/witness")
	for _, host := range l.hosts {
		l.chainFrom(t, host)
		l.image(t, host, "witness", "switchlet.io/witness:dev")
	}
	l.install(t, "cni/definition", "cni")
	l.apply(t, filepath.Join("testdata", "deck.yaml"))
	if *existing == "" {
		t.Setenv("SWITCHLET_LAB_DIR", l.dir)
	}
	found, err := state.Load(l.name)
	must(t, err)
	l.matrix, err = measure.Of(found)
	must(t, err)
	return l
}

// deck: pods of three tenants on three hosts, each host cabled to both leaves.
func (l *forwarding) deck(t *testing.T) {
	l.pods = []tenantPod{
		{"tenant-a", "web1", "web", "host1"}, {"tenant-a", "web2", "web", "host2"}, {"tenant-a", "db2", "db", "host2"},
		{"tenant-b", "app1", "app", "host1"}, {"tenant-b", "app2", "app", "host2"}, {"tenant-b", "app3", "app", "host3"},
		{"tenant-c", "app1", "app", "host1"}, {"tenant-c", "app3", "app", "host3"},
	}
	for _, p := range l.pods {
		l.start(t, p, p.network)
	}
	l.ready(t, l.pods...)
	for _, host := range l.hosts {
		// Each network of a host has a way by either leaf.
		uplinks := l.kubectl(t, "get", "hostconfig", host, "-o", `jsonpath={range .spec.networks[*]}{.uplinks[*].nic} {.uplinks[*].switch};{end}`)
		for way := range strings.SplitSeq(strings.TrimSuffix(uplinks, ";"), ";") {
			if way != "eth1 eth2 leaf1 leaf2" {
				t.Errorf("%s: a network's uplinks are %q", host, way)
			}
		}
	}
	l.everybody(t, 8+3)
	l.witnessed(t)
}

// cablePulled: a host that has lost the way by one leaf has the other one.
func (l *forwarding) cablePulled(t *testing.T) {
	for nic, port := range map[string]string{"eth1": "leaf1/Ethernet0", "eth2": "leaf2/Ethernet0"} {
		l.run("cable", "pull", "host1/"+nic)
		l.everybody(t, 8+3)
		l.run("cable", "plug", "host1/"+nic, port)
	}
	l.everybody(t, 8+3)
}

// everybody asks everybody for everybody until all is as it has to be: what has just
// changed may take a while, and what must not be reached is never reached.
func (l *forwarding) everybody(t *testing.T, endpoints int) {
	t.Helper()
	begin := time.Now()
	l.within(t, 3*time.Minute, func() error { return l.ask(t.Context(), t, endpoints) })
	t.Logf("as it has to be within %s", time.Since(begin).Round(time.Second))
}

var errCount = errors.New("endpoints are missing")

func (l *forwarding) ask(ctx context.Context, t *testing.T, want int) error {
	t.Helper()
	endpoints, problems, err := l.matrix.Endpoints(ctx)
	if err != nil {
		return err
	}
	if len(endpoints) != want || len(problems) > 0 {
		return fmt.Errorf("%w: %d of %d are there; %v", errCount, len(endpoints), want, problems)
	}
	rules, err := l.matrix.Rules(ctx)
	if err != nil {
		return err
	}
	outcome, err := l.matrix.Ask(ctx, endpoints, rules)
	if err = errors.Join(err, l.matrix.End(ctx)); err != nil {
		return err
	}
	for _, d := range outcome.Differences {
		if d.Expected == 0 {
			t.Errorf("%s reaches %s by %s: %s", d.From, d.To, d.Way, d.Seen)
		}
	}
	if err := outcome.Verdict(); err != nil {
		return fmt.Errorf("%w\n%s", err, outcome.Text(false))
	}
	t.Logf("\n%s", outcome.Text(false))
	return nil
}

// tenantPod is a pod on a host in the network of a NetworkAttachmentDefinition.
type tenantPod struct{ namespace, name, network, host string }

// start starts a pod whose first process is a witness. network is the annotation that
// names its first network.
func (l *forwarding) start(t *testing.T, p tenantPod, network string) {
	t.Helper()
	text := fmt.Sprintf(`{"apiVersion":"v1","kind":"Pod","metadata":{"name":%q,"namespace":%q,"annotations":{"v1.multus-cni.io/default-network":%q}},"spec":{"nodeName":%q,%s}}`,
		p.name, p.namespace, network, p.host, witness)
	file := filepath.Join(t.TempDir(), "pod.json")
	must(t, os.WriteFile(file, []byte(text), 0o600))
	l.apply(t, file)
}

func (l *forwarding) ready(t *testing.T, pods ...tenantPod) {
	t.Helper()
	for _, p := range pods {
		l.kubectl(t, "wait", "--for=condition=Ready", "--timeout=300s", "-n", p.namespace, "pod/"+p.name)
	}
}

// address is that of a pod on eth0.
func (l *forwarding) address(t *testing.T, p tenantPod) string {
	t.Helper()
	return l.kubectl(t, "get", "pod", "-n", p.namespace, p.name, "-o", "jsonpath={.status.podIP}")
}

// chainFrom puts the meta-plugin into containerd's configuration of a host in
// User-Mode Linux, from inside: changes from outside are not seen by who watches.
func (l *forwarding) chainFrom(t *testing.T, host string) {
	t.Helper()
	folder := l.node(host)
	program, err := os.ReadFile(filepath.Join(l.programs, "metaplugin"))
	must(t, err)
	must(t, os.WriteFile(filepath.Join(folder, "cni", ".new"), program, 0o755))
	must(t, os.Rename(filepath.Join(folder, "cni", ".new"), filepath.Join(folder, "cni", "metaplugin")))
	must(t, os.WriteFile(filepath.Join(folder, "etc", "kubernetes", "admin.kubeconfig"), []byte(l.kubectl(t, "config", "view", "--raw", "--minify")), 0o600))
	text, err := os.ReadFile(filepath.Join("testdata", "meta.conflist"))
	must(t, err)
	l.do("exec", host, "sh", "-c", `printf '%s' "$1" > /run/meta && cp /run/meta /etc/cni/net.d/.new && mv /etc/cni/net.d/.new /etc/cni/net.d/05-meta.conflist`, "sh", string(text))
}
