package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	goredis "github.com/redis/go-redis/v9"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

// asks writes spec.maintenance as the controller does.
func (f *fabric) asks(t *testing.T, m *v1alpha1.SwitchMaintenance) {
	t.Helper()
	eventually(t, "spec.maintenance is written", func() error {
		var config v1alpha1.SwitchConfig
		if err := f.client.Get(t.Context(), client.ObjectKey{Name: "leaf1"}, &config); err != nil {
			return err
		}
		config.Spec.Maintenance = m
		return f.client.Update(t.Context(), &config)
	})
}

// answers waits for an answer to a step.
func (f *fabric) answers(t *testing.T, step, what string, ok func(*v1alpha1.MaintenanceStatus) bool) *v1alpha1.MaintenanceStatus {
	t.Helper()
	return f.config(t, what, func(c *v1alpha1.SwitchConfig) bool {
		m := c.Status.Maintenance
		return m != nil && m.ObservedStep == step && ok(m)
	}).Status.Maintenance
}

// measures waits until the agent's metrics have all these lines.
func (f *fabric) measures(t *testing.T, lines ...string) {
	t.Helper()
	eventually(t, "the metrics say so", func() error {
		text, err := os.ReadFile(f.metricsFile())
		if err != nil {
			return err
		}
		for _, line := range lines {
			if !slices.Contains(strings.Split(string(text), "\n"), line) {
				return fmt.Errorf("%s is not in\n%s", line, text)
			}
		}
		return nil
	})
}

func result(m *v1alpha1.MaintenanceStatus, check v1alpha1.SwitchCheck) v1alpha1.SwitchCheckResult {
	for _, c := range m.Checks {
		if c.Name == string(check) {
			return c
		}
	}
	return v1alpha1.SwitchCheckResult{}
}

// The agent's part of a release, step by step, against a real API server.
func TestMaintenance(t *testing.T) {
	f := newFabric(t)
	config := goredis.NewClient(&goredis.Options{Network: "unix", Addr: f.box.Socket(), DB: 4, Protocol: 2})
	t.Cleanup(func() { _ = config.Close() })
	admin := func(port string) string { return config.HGet(context.Background(), "PORT|"+port, "admin_status").Val() }
	f.create(t, &v1alpha1.Switch{ObjectMeta: metav1.ObjectMeta{Name: "leaf1"}, Spec: v1alpha1.SwitchSpec{Role: v1alpha1.RoleLeaf}})
	f.create(t, &v1alpha1.SwitchConfig{ObjectMeta: metav1.ObjectMeta{Name: "leaf1"}, Spec: spec("r1", 1)})
	f.config(t, "the spec is in force", confirmed(1))
	rows := f.rows(t)

	image := "registry.example.com/bgp@sha256:" + strings.Repeat("0", 64)
	f.asks(t, &v1alpha1.SwitchMaintenance{Release: "core", Pass: "p", Step: "pull", Images: []string{image}})
	f.answers(t, "pull", "it says what it lacks", func(m *v1alpha1.MaintenanceStatus) bool {
		return len(m.PulledImages) == 0 && strings.Contains(m.PullError, "containerd's socket is not mounted")
	})
	checks := []v1alpha1.SwitchCheck{v1alpha1.CheckUplinks, v1alpha1.CheckEVPNRoutes, v1alpha1.CheckInstalledRoutes, v1alpha1.CheckAgentConverged, v1alpha1.CheckContainersHealthy}
	f.asks(t, &v1alpha1.SwitchMaintenance{Release: "core", Pass: "p", Step: "before", Checks: checks, Stage: v1alpha1.StageBefore})
	m := f.answers(t, "before", "checks are made", func(m *v1alpha1.MaintenanceStatus) bool {
		return len(m.Checks) == len(checks) && result(m, v1alpha1.CheckAgentConverged).OK
	})
	if r := result(m, v1alpha1.CheckUplinks); !r.OK || r.Before != "2: Ethernet120, Ethernet124" {
		t.Errorf("uplinks: %+v", r)
	}
	if r := result(m, v1alpha1.CheckEVPNRoutes); !r.OK || r.Before != "0" { // there is no FRR
		t.Errorf("routes: %+v", r)
	}

	// A drain that nobody goes on with, while the API server is away and the agent
	// is started anew, is undone.
	const deadline = 20
	f.asks(t, &v1alpha1.SwitchMaintenance{Release: "core", Pass: "p", Step: "drain", Drain: true, DeadlineSeconds: deadline})
	eventually(t, "the port goes off", func() error {
		if got := admin("Ethernet0"); got != "down" {
			return fmt.Errorf("it is %s", got)
		}
		return nil
	})
	f.measures(t, "switchlet_agent_drain_asked 1", "switchlet_agent_drain_in_force 1", "switchlet_agent_drained 0", "switchlet_agent_drain_ports_off 1")
	if err := f.controlPlane.KillAPIServer(); err != nil {
		t.Fatal(err)
	}
	f.stop()
	f.start(t)
	eventually(t, "the port comes back", func() error {
		if got := admin("Ethernet0"); got != "up" {
			return fmt.Errorf("it is %s", got)
		}
		return nil
	})
	f.measures(t, "switchlet_agent_drain_asked 0", "switchlet_agent_drain_in_force 0", "switchlet_agent_drain_ports_off 0", "switchlet_agent_drain_start_timestamp_seconds 0")
	if err := f.controlPlane.StartAPIServer(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.answers(t, "drain", "it says so", func(m *v1alpha1.MaintenanceStatus) bool {
		return !m.Drained && strings.Contains(m.DrainReason, fmt.Sprintf("Within %d s nobody said how to go on", deadline))
	})
	var self v1alpha1.Switch
	eventually(t, "the condition says so", func() error {
		if err := f.client.Get(t.Context(), client.ObjectKey{Name: "leaf1"}, &self); err != nil {
			return err
		}
		if c := meta.FindStatusCondition(self.Status.Conditions, v1alpha1.SwitchDrained); c == nil || c.Reason != "Returned" {
			return fmt.Errorf("it is %+v", c)
		}
		return nil
	})

	// What was before is known after the restart, and compared.
	if err := config.HSet(t.Context(), "PORT|Ethernet124", "admin_status", "down").Err(); err != nil {
		t.Fatal(err)
	}
	f.asks(t, &v1alpha1.SwitchMaintenance{Release: "core", Pass: "p", Step: "after", Checks: checks, Stage: v1alpha1.StageAfter})
	f.answers(t, "after", "an uplink is missing", func(m *v1alpha1.MaintenanceStatus) bool {
		r := result(m, v1alpha1.CheckUplinks)
		return !r.OK && r.Before == "2: Ethernet120, Ethernet124" && r.After == "1: Ethernet120" && r.Message == "not up: Ethernet124"
	})
	if err := config.HSet(t.Context(), "PORT|Ethernet124", "admin_status", "up").Err(); err != nil {
		t.Fatal(err)
	}
	f.answers(t, "after", "it is there again", func(m *v1alpha1.MaintenanceStatus) bool { return result(m, v1alpha1.CheckUplinks).OK })

	f.asks(t, nil)
	f.config(t, "there is no answer any more", func(c *v1alpha1.SwitchConfig) bool { return c.Status.Maintenance == nil })
	eventually(t, "the rows are as before", func() error {
		if now := f.rows(t); rows.Minus(now).String()+now.Minus(rows).String() != "" {
			return fmt.Errorf("lost %s, new %s", rows.Minus(now), now.Minus(rows))
		}
		return nil
	})
}
