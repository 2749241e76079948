package dataplane_test

import (
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/cni/host/attach"
	"github.com/switchlet/switchlet/cni/host/journal"
	"github.com/switchlet/switchlet/cni/host/networks"
	"github.com/switchlet/switchlet/cni/host/uplink"
)

// keeper is the host's kernel, which does not let go of devices.
type keeper struct {
	attach.Host
	keeps bool
}

func (k *keeper) Do(step uplink.Step) error {
	if k.keeps && step.Op == uplink.Delete {
		return errors.New("device or resource busy")
	}
	return k.Host.Do(step)
}

// A revision counts as applied once nothing is left of what it has no more: the
// controller gives a VLAN id that the host does not use to another VPC.
func TestAppliedWhenNothingIsLeft(t *testing.T) {
	r := newRig(t)
	store, _, err := journal.Open(filepath.Join(t.TempDir(), "state"))
	r.must(err)
	host := &keeper{Host: r.kernel}
	service := attach.New(attach.Config{
		Journal: store, Pods: r.kernel, Host: host, Node: "host1", Boot: "1",
		Changed: func() {}, Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	})
	t.Cleanup(service.Close)
	set := func(revision string, all ...v1alpha1.HostNetwork) string {
		compiled, problems := networks.Compile(v1alpha1.HostConfigSpec{Revision: revision, Networks: all})
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		service.Set(compiled, nil)
		return service.Report().Revision
	}
	sent := func() string {
		var all []string
		for _, n := range service.Report().Networks {
			all = append(all, fmt.Sprint(n.VNI, n.Tags))
		}
		return strings.Join(all, " ")
	}
	first := network(1, v1alpha1.HostUplink{NIC: "eth1", VLAN: 100})
	if got := set("a", first); got != "a" || sent() != "1111 [{eth1 100}]" {
		t.Fatalf("revision %q is applied, want a; the host sends %s", got, sent())
	}
	host.keeps = true
	if got := set("b"); got != "a" || sent() != "1111 [{eth1 100}]" {
		t.Errorf("revision %q is applied, and the host sends %s, while these are left:\n%s", got, sent(), r.devices())
	}
	host.keeps = false
	service.Upkeep()
	if got := service.Report().Revision; got != "b" || sent() != "" || r.devices() != "" {
		t.Errorf("revision %q is applied, want b, and the host sends %s; these are left:\n%s", got, sent(), r.devices())
	}
}
