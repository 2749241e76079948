package main_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/switchlet/switchlet/deploy/lab/box"
	"github.com/switchlet/switchlet/deploy/lab/demo"
	"github.com/switchlet/switchlet/deploy/lab/repo"
	"github.com/switchlet/switchlet/deploy/lab/screen"
	"github.com/switchlet/switchlet/deploy/lab/state"
)

// How soon the VLANs follow a cable. interval is that of LLDP in a lab, within which
// the host hears whom it is cabled to by then; reaction is how long all that follows
// from that may take, until the VLAN is in the switch's CONFIG_DB, and how much longer
// than the time of grace it may take until it has left the old port.
const (
	interval = 3 * time.Second
	reaction = 2 * time.Second
	grace    = 5 * time.Second // withdrawAfter of manifests/fabric.yaml
)

// tenant is a VPC with two attachments, of a host by its labels and of a port by its
// name.
const tenant = `
apiVersion: fabric.switchlet.io/v1alpha1
kind: VPC
metadata: {name: blue, namespace: default}
spec:
  subnets: [{name: web, cidrs: [10.1.0.0/24]}]
---
apiVersion: fabric.switchlet.io/v1alpha1
kind: VPCAttachment
metadata: {name: hosts, namespace: default}
spec:
  vpc: blue
  subnet: web
  hosts: {selector: {matchLabels: {app: web}}}
---
apiVersion: fabric.switchlet.io/v1alpha1
kind: VPCAttachment
metadata: {name: port, namespace: default}
spec:
  vpc: blue
  subnet: web
  port: {switch: leaf1, name: Ethernet24}
`

// The VLANs of a host that runs follow its cables, soon, and leave the ports that it
// was in. Silence moves nothing.
func TestRecablingAHost(t *testing.T) {
	l := newLab(t, "e2emove", true)
	l.must(t, "up", "--leaves", "2", "--spines", "1", "--hosts", "1")
	byHand := l.rowsOf(t, "leaf1", "leaf2", "spine1")
	l.deploy(t)
	l.apply(t, tenant)
	l.carries(t, "leaf1/Ethernet0", "leaf1/Ethernet24", "leaf2/Ethernet0")
	l.kubectl(t, "wait --for=condition=Ready --timeout=60s vpcattachments,vpcs --all")

	if got := l.kubectl(t, "get host host1 --no-headers"); !strings.Contains(got, " eth1,eth2 ") {
		t.Errorf("kubectl does not show the NICs of host1: %s", got)
	}

	l.moves(t)

	l.must(t, "cable", "pull", "host1/eth1")
	eventually(t, "the silence is noticed", func() bool {
		return l.kubectl(t, "get link host1.eth1--leaf1.ethernet0 -o jsonpath={.status.state}") == "Stale"
	})
	// What would have been withdrawn is, once a later move has been.
	l.must(t, "cable", "move", "host1/eth2", "leaf2/Ethernet4")
	l.carries(t, "leaf1/Ethernet0", "leaf1/Ethernet24", "leaf2/Ethernet4")
	l.must(t, "cable", "plug", "host1/eth1", "leaf1/Ethernet0")
	eventually(t, "the cable is found again", func() bool {
		return l.kubectl(t, "get link host1.eth1--leaf1.ethernet0 -o jsonpath={.status.state}") == "Confirmed"
	})
	l.carries(t, "leaf1/Ethernet0", "leaf1/Ethernet24", "leaf2/Ethernet4")

	l.kubectl(t, "delete vpc blue --timeout=60s")
	l.carries(t)
	l.untouched(t, byHand)
}

// Three leaves that are cabled to each other need nobody who says how: they get an
// ASN and a VTEP address each, and route over each cable, whoever made its ports
// routed.
func TestMeshComesUpByItself(t *testing.T) {
	l := newLab(t, "e2emesh", true)
	l.must(t, "up", "--leaves", "3", "--spines", "0", "--hosts", "0", "--mesh")
	byHand := l.rowsOf(t, "leaf1", "leaf2", "leaf3")
	output := l.deploy(t)
	rows := l.rowsOf(t, "leaf1", "leaf2", "leaf3")
	seen := map[string]bool{}
	for name, uplinks := range map[string]string{
		"leaf1": `["Ethernet108","Ethernet120"] ["Ethernet108"]`,
		"leaf2": `["Ethernet108","Ethernet120"] ["Ethernet108"]`,
		"leaf3": `["Ethernet108","Ethernet120"] ["Ethernet108"]`,
	} {
		l.kubectl(t, "wait --for=condition=Ready --timeout=60s switchconfig/"+name)
		if got := l.kubectl(t, "get switchconfig "+name+" -o 'jsonpath={.spec.bgp.uplinks} {.spec.uplinks}'"); got != uplinks {
			t.Errorf("%s: uplinks %s, want %s: all, and those that nobody else has made routed", name, got, uplinks)
		}
		ids := strings.Fields(l.kubectl(t, "get switchconfig "+name+" -o 'jsonpath={.spec.bgp.asn} {.spec.bgp.routerID} {.spec.vtep}'"))
		if len(ids) != 3 || ids[1] != ids[2] || seen[ids[0]] || seen[ids[1]] {
			t.Errorf("%s: ASN, router id and VTEP address are %v, want an ASN and an address of its own", name, ids)
			continue
		}
		seen[ids[0]], seen[ids[1]] = true, true
		for _, row := range []string{"INTERFACE|Ethernet108", "LOOPBACK_INTERFACE|Loopback1|" + ids[2] + "/32"} {
			if rows[name][row] == nil || byHand[name][row] != nil {
				t.Errorf("%s: %s is missing, or was there before", name, row)
			}
		}
		if got := l.must(t, "exec", name, "vtysh", "-c", "show bgp summary"); !strings.Contains(got, "local AS number "+ids[0]) {
			t.Errorf("%s: FRR does not know ASN %s:\n%s", name, ids[0], got)
		}
	}
	if got := strings.Count(output, "Established"); got != 6 {
		t.Errorf("%d ends of BGP sessions are established, want 6:\n%s", got, output)
	}
	l.untouched(t, byHand)
}

// deploy deploys the product, applies the Fabric and waits until all cables are found
// and every switch routes over those to others. It returns what it said.
func (l lab) deploy(t *testing.T) string {
	t.Helper()
	root, err := repo.Root()
	if err != nil {
		t.Fatal(err)
	}
	record, err := state.Load(l.name)
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.Create(filepath.Join(t.TempDir(), "said"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	show := demo.New(record, filepath.Join(root, "deploy"), screen.New(file, true))
	if err = show.Deploy(t.Context()); err == nil {
		err = show.BringUpFabric(t.Context())
	}
	said, _ := os.ReadFile(file.Name())
	if err != nil {
		show.Explain(t.Context())
		said, _ = os.ReadFile(file.Name())
		t.Fatalf("deploy: %v\n%s", err, said)
	}
	return string(said)
}

// apply applies objects.
func (l lab) apply(t *testing.T, objects string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "objects.yaml")
	if err := os.WriteFile(file, []byte(objects), 0o600); err != nil {
		t.Fatal(err)
	}
	l.kubectl(t, "apply --server-side -f "+file)
}

// rowsOf are the rows in the CONFIG_DBs of switches, by switch.
func (l lab) rowsOf(t *testing.T, names ...string) map[string]box.Rows {
	t.Helper()
	record, err := state.Load(l.name)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]box.Rows{}
	for _, name := range names {
		if all[name], err = box.Read(t.Context(), record.Socket(name)); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// carriers are the ports of leaf1 and leaf2 that have a VLAN of a tenant's.
func (l lab) carriers(t *testing.T) []string {
	t.Helper()
	var ports []string
	for name, rows := range l.rowsOf(t, "leaf1", "leaf2") {
		for key := range rows {
			part := strings.Split(key, "|")
			if part[0] == "VLAN_MEMBER" && strings.HasPrefix(rows["VLAN|"+part[1]]["description"], "switchlet ") {
				ports = append(ports, name+"/"+part[2])
			}
		}
	}
	slices.Sort(ports)
	return ports
}

// carries waits until these ports and no others carry a VLAN of a tenant's. If they
// do not, it shows what is known of the cables.
func (l lab) carries(t *testing.T, want ...string) {
	t.Helper()
	slices.Sort(want)
	done := false
	defer func() {
		if !done {
			t.Logf("these do: %v\n%s\n%s", l.carriers(t), l.must(t, "cables"), l.kubectl(t, "get links,hosts,switches,switchconfigs -o yaml"))
		}
	}()
	eventually(t, fmt.Sprint("these ports and no others carry a VLAN: ", want), func() bool { return slices.Equal(want, l.carriers(t)) })
	done = true
}

// untouched fails if rows are gone or changed, or SONiC's daemons are not content.
func (l lab) untouched(t *testing.T, before map[string]box.Rows) {
	t.Helper()
	now := l.rowsOf(t, slices.Sorted(maps.Keys(before))...)
	for name, rows := range before {
		if changed := rows.Minus(now[name]); len(changed) > 0 {
			t.Errorf("%s: rows that others made are gone or changed:\n%s", name, changed)
		}
		if got := l.must(t, "daemons", name); !strings.Contains(got, "0 mistakes, 0 errors logged") {
			t.Errorf("%s: SONiC's daemons are not content:\n%s", name, got)
		}
	}
}
