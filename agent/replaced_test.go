package main

import (
	"context"
	"fmt"
	"strings"
	"testing"

	goredis "github.com/redis/go-redis/v9"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

// The agent is replaced before each step of a release, and the next one begins before the
// last one has ended: it takes its turn, goes on where that was, and answers.
func TestReplacedAtEachStep(t *testing.T) {
	f := newFabric(t)
	config := goredis.NewClient(&goredis.Options{Network: "unix", Addr: f.box.Socket(), DB: 4, Protocol: 2})
	t.Cleanup(func() { _ = config.Close() })
	port := func() string { return config.HGet(context.Background(), "PORT|Ethernet0", "admin_status").Val() }
	f.create(t, &v1alpha1.Switch{ObjectMeta: metav1.ObjectMeta{Name: "leaf1"}, Spec: v1alpha1.SwitchSpec{Role: v1alpha1.RoleLeaf}})
	f.create(t, &v1alpha1.SwitchConfig{ObjectMeta: metav1.ObjectMeta{Name: "leaf1"}, Spec: spec("r1", 1)})
	f.config(t, "the spec is in force", confirmed(1))
	rows := f.rows(t)

	checks := []v1alpha1.SwitchCheck{v1alpha1.CheckUplinks, v1alpha1.CheckAgentConverged}
	allOK := func(m *v1alpha1.MaintenanceStatus) bool {
		return len(m.Checks) == len(checks) && m.Checks[0].OK && m.Checks[1].OK
	}
	ports := "up"
	for _, c := range []struct {
		name  string
		ask   v1alpha1.SwitchMaintenance
		done  func(*v1alpha1.MaintenanceStatus) bool
		ports string
	}{
		{"pull", v1alpha1.SwitchMaintenance{Images: []string{"agent@sha256:" + strings.Repeat("0", 64)}}, func(m *v1alpha1.MaintenanceStatus) bool { return m.PullError != "" }, "up"},
		{"before", v1alpha1.SwitchMaintenance{Checks: checks, Stage: v1alpha1.StageBefore}, allOK, "up"},
		{"replace", v1alpha1.SwitchMaintenance{Drain: true, DeadlineSeconds: 600}, func(m *v1alpha1.MaintenanceStatus) bool { return port() == "down" }, "down"},
		{"after", v1alpha1.SwitchMaintenance{Drain: true, DeadlineSeconds: 600, Checks: checks, Stage: v1alpha1.StageAfter}, allOK, "down"},
		{"soak", v1alpha1.SwitchMaintenance{Checks: checks, Stage: v1alpha1.StageAfter}, func(m *v1alpha1.MaintenanceStatus) bool { return allOK(m) && port() == "up" }, "up"},
	} {
		last := f.stop
		f.start(t) // and waits for the other
		if last(); port() != ports {
			t.Errorf("before %s: Ethernet0 is %s as one agent follows the other, want %s", c.name, port(), ports)
		}
		c.ask.Release, c.ask.Pass, c.ask.Step = "core", "p", c.name
		f.asks(t, &c.ask)
		m := f.answers(t, c.name, "the step is done", c.done)
		for _, result := range m.Checks {
			if stage := c.ask.Stage; stage == v1alpha1.StageAfter && (result.Before == "" || result.Before != result.After) {
				t.Errorf("%s: %s was %q before and is %q", c.name, result.Name, result.Before, result.After)
			}
		}
		ports = c.ports
	}
	f.stop()
	f.asks(t, nil) // while nobody is there
	f.start(t)
	f.config(t, "there is no answer any more", func(c *v1alpha1.SwitchConfig) bool { return c.Status.Maintenance == nil })
	eventually(t, "the rows are as before", func() error {
		if now := f.rows(t); rows.Minus(now).String()+now.Minus(rows).String() != "" {
			return fmt.Errorf("lost %s, new %s", rows.Minus(now), now.Minus(rows))
		}
		return nil
	})
}
