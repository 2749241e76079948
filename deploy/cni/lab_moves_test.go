package cni_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/switchlet/switchlet/deploy/rbac/rbactest"
)

// moved: a pod with an address of its own goes to another host and keeps it; the others
// reach it there.
func (l *forwarding) moved(t *testing.T) {
	const network = `[{"name":"app","ips":["10.1.1.200","fd00:1::200"]}]`
	p := tenantPod{"tenant-b", "sticky", "app", "host1"}
	for _, host := range []string{"host1", "host2", "host1"} {
		p.host = host
		l.start(t, p, network)
		l.ready(t, p)
		if got := l.address(t, p); got != "10.1.1.200" {
			t.Errorf("on %s the pod has address %s", host, got)
		}
		l.everybody(t, 8+3+1)
		l.witnessed(t) // its log goes with it
		l.kubectl(t, "delete", "pod", "-n", p.namespace, p.name, "--timeout=120s")
	}
}

// rebooted: the pods of a host that has lost its power start again, with the addresses
// that they had.
func (l *forwarding) rebooted(t *testing.T) {
	before, starts := map[string]string{}, l.witnessed(t)
	var there []tenantPod
	for _, p := range l.pods {
		if p.host == "host1" {
			there = append(there, p)
			before[p.namespace+"/"+p.name] = l.address(t, p)
		}
	}
	l.do("reboot", "host1")
	l.chainFrom(t, "host1") // what was in memory is gone
	l.within(t, 2*time.Minute, func() error {
		_, err := l.run("exec", "host1", "ctr", "--address", "/run/containerd/containerd.sock", "version")
		return err
	})
	l.load(t, "host1", "*.tar")
	boot := strings.TrimSpace(l.do("exec", "host1", "cat", "/proc/sys/kernel/random/boot_id"))
	l.kubectl(t, "wait", "--for=jsonpath={.status.nodeInfo.bootID}="+boot, "--timeout=300s", "node/host1")
	l.within(t, 10*time.Minute, func() error {
		now, _ := l.starts(t)
		for _, p := range there {
			if name := p.namespace + "/" + p.name; now[name] <= starts[name] {
				return fmt.Errorf("pod %s has not started again", name)
			}
		}
		return nil
	})
	l.ready(t, there...)
	for _, p := range there {
		if got, want := l.address(t, p), before[p.namespace+"/"+p.name]; got != want {
			t.Errorf("pod %s/%s had %s and has %s", p.namespace, p.name, want, got)
		}
	}
	l.everybody(t, 8+3)
}

// upgraded: while pods start on all hosts, the host agents are replaced by those
// of another version, with another plugin.
func (l *forwarding) upgraded(t *testing.T) {
	const count = 6
	l.build("host-agent", "cni/host", "-ldflags", "-X main.version=next")
	l.build("switchlet", "cni", "-ldflags", "-X main.version=next -s")
	for _, host := range append([]string{"cp1"}, l.hosts...) {
		l.image(t, host, "host-agent", "switchlet.io/host-agent:next", "switchlet")
	}
	l.kubectl(t, "set", "image", "-n", rbactest.Namespace, "daemonset/switchlet-host-agent", "*=switchlet.io/host-agent:next")
	l.deployment(t, count)
	l.kubectl(t, "rollout", "status", "-n", rbactest.Namespace, "daemonset/switchlet-host-agent", "--timeout=600s")
	l.kubectl(t, "rollout", "status", "-n", "tenant-b", "deployment/many", "--timeout=600s")
	if starts := l.witnessed(t); len(starts) < count+len(l.pods) {
		t.Errorf("only %d pods have said something", len(starts))
	}
	restarts := l.kubectl(t, "get", "pods", "-n", "tenant-b", "-l", "app=many", "-o", "jsonpath={.items[*].status.containerStatuses[*].restartCount}")
	if strings.Trim(restarts, "0 ") != "" {
		t.Errorf("containers were started again: %s", restarts)
	}
	l.everybody(t, 8+3+count)
	l.kubectl(t, "delete", "deployment", "-n", "tenant-b", "many", "--timeout=120s")
}

// within waits until check has nothing to say.
func (l *forwarding) within(t *testing.T, limit time.Duration, check func() error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	for {
		err := check()
		if err == nil {
			return
		}
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
			t.Fatalf("still after %s: %v", limit, err)
		}
	}
}

// deployment makes one of witnesses, which the scheduler spreads over the hosts.
func (l *forwarding) deployment(t *testing.T, count int) {
	t.Helper()
	text := fmt.Sprintf(`{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"many","namespace":"tenant-b"},"spec":{"replicas":%d,"selector":{"matchLabels":{"app":"many"}},
		"template":{"metadata":{"labels":{"app":"many"},"annotations":{"v1.multus-cni.io/default-network":"app"}},"spec":{"nodeSelector":{"rack":"a"},%s}}}}`, count, witness)
	file := filepath.Join(t.TempDir(), "deployment.json")
	must(t, os.WriteFile(file, []byte(text), 0o600))
	l.apply(t, file)
}
