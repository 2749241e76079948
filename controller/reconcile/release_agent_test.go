package reconcile_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/switchlet/switchlet/agent/converge"
	"github.com/switchlet/switchlet/agent/maintenance"
	"github.com/switchlet/switchlet/agent/metrics"
	"github.com/switchlet/switchlet/agent/probe"
	"github.com/switchlet/switchlet/agent/report"
	"github.com/switchlet/switchlet/agent/state"
	"github.com/switchlet/switchlet/agent/watch"
	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/deploy/lab/box"
	"github.com/switchlet/switchlet/deploy/lab/labtest"
	"github.com/switchlet/switchlet/deploy/rbac/rbactest"
	"github.com/switchlet/switchlet/images/store"
)

// realBox is leaf1 with the agent's own code on a Redis with SONiC's daemons played
// strictly. It has no FRR, and no containerd: images are what the yard notes.
type realBox struct {
	y        *yard
	box      *box.Box
	counters *goredis.Client
	config   *goredis.Client
	metrics  *metrics.Agent
	resumed  atomic.Int32 // how often an agent came or went while the switch was drained
	stop     func()
}

func newRealBox(t *testing.T, y *yard) *realBox {
	b := &realBox{y: y, box: labtest.Box(t, box.Config{})}
	labtest.Daemons(t, b.box)
	b.config = goredis.NewClient(&goredis.Options{Network: "unix", Addr: b.box.Socket(), DB: 4, Protocol: 2})
	b.counters = goredis.NewClient(&goredis.Options{Network: "unix", Addr: b.box.Socket(), DB: 2, Protocol: 2})
	t.Cleanup(func() { _ = errors.Join(b.config.Close(), b.counters.Close()) })
	for i := range 32 {
		port := fmt.Sprintf("Ethernet%d", 4*i)
		oid := fmt.Sprintf("oid:0x1%015x", i)
		y.must(b.counters.HSet(t.Context(), "COUNTERS_PORT_NAME_MAP", port, oid).Err())
		y.must(b.counters.HSet(t.Context(), "COUNTERS:"+oid, "SAI_PORT_STAT_IF_IN_OCTETS", 0, "SAI_PORT_STAT_IF_OUT_OCTETS", 0).Err())
	}
	y.must(b.config.HSet(t.Context(), "FLEX_COUNTER_TABLE|PORT", "FLEX_COUNTER_STATUS", "enable", "POLL_INTERVAL", "10").Err())
	y.mu.Lock()
	y.boxes["leaf1"].real = true
	y.mu.Unlock()
	b.start(t)
	return b
}

// start starts the agent, as after a boot.
func (b *realBox) start(t *testing.T) {
	t.Helper()
	log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	kube, err := watch.NewClient(b.y.cluster.Config(t, "admin", "system:masters"))
	b.y.must(err)
	b.metrics = metrics.NewAgent()
	st, loaded, err := state.Open(b.box.StateDir())
	b.y.must(err)
	inbox, reporter := converge.NewInbox(), report.New(kube, "leaf1", log)
	keeper, damage, err := maintenance.New(maintenance.Config{
		File: filepath.Join(b.box.StateDir(), "maintenance"), DatabaseConfig: b.box.DatabaseConfig(), Images: b, Socket: b.box.Socket(),
		Overlay: func(routes, ports bool, spare []string) {
			inbox.SetOverlay(converge.Overlay{Routes: routes, Ports: ports, Spare: spare})
		},
		Answer: func(m *v1alpha1.MaintenanceStatus, drained report.State) {
			b.y.mu.Lock()
			b.y.boxes["leaf1"].drained = m != nil && m.Drained
			b.y.mu.Unlock()
			reporter.Answer(m, drained)
		},
		Metrics: b.metrics, Window: 100 * time.Millisecond, Tick: 20 * time.Millisecond, Log: log,
	})
	b.y.must(err)
	if damage != "" {
		t.Error(damage)
	}
	converger := converge.New(converge.Config{
		Node: "leaf1", AgentVersion: "test", Store: st, Loaded: loaded, Inbox: inbox, Log: log,
		Files:  converge.Files{DatabaseConfig: b.box.DatabaseConfig(), YANGDir: b.box.YANGDir(), Version: b.box.VersionFile()},
		Rules:  probe.Rules{Window: 40 * time.Millisecond, Steady: 20 * time.Millisecond},
		Report: func(f report.Facts) { reporter.Report(f); keeper.Saw(f) },
	})
	keeper.Heard(nil) // there is nobody
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	all.Go(func() { watch.Watch(ctx, kube, "leaf1", realSink{inbox, reporter, keeper}, log) })
	all.Go(func() { reporter.Run(ctx) })
	all.Go(func() { converger.Run(ctx) })
	all.Go(func() { keeper.Run(ctx) })
	b.stop = sync.OnceFunc(func() { cancel(); all.Wait() })
	t.Cleanup(b.stop)
}

type realSink struct {
	inbox    *converge.Inbox
	reporter *report.Reporter
	keeper   *maintenance.Keeper
}

func (s realSink) SetConfig(c *v1alpha1.SwitchConfig) {
	if c != nil {
		s.reporter.SawConfig(c)
	}
	s.keeper.SetConfig(c)
	s.inbox.SetConfig(c)
}

func (s realSink) SetSwitch(sw *v1alpha1.Switch) {
	if sw != nil {
		s.reporter.SawSwitch(sw)
	}
	s.keeper.SetSwitch(sw)
	s.inbox.SetSwitch(sw)
}

func (b *realBox) Ensure(_ context.Context, r store.Reference, _ uint64, _ func(store.Progress)) (store.Image, error) {
	b.y.mu.Lock()
	defer b.y.mu.Unlock()
	b.y.boxes["leaf1"].pulled[r.String()] = true
	return store.Image{}, nil
}

func (b *realBox) Collect(context.Context, []store.Reference) ([]string, error) { return nil, nil }

// measures waits until the agent's metrics have all these lines.
func (b *realBox) measures(lines ...string) {
	b.y.t.Helper()
	rbactest.Eventually(b.y.t, func() error {
		text := string(b.metrics.Set.Text())
		for _, line := range lines {
			if !strings.Contains(text, line) {
				return fmt.Errorf("%q is not in\n%s", line, text)
			}
		}
		return nil
	})
}

// admin is admin_status of a port.
func (b *realBox) admin(t *testing.T, port string) string {
	return b.config.HGet(t.Context(), "PORT|"+port, "admin_status").Val()
}

// drained waits for the condition of leaf1.
func (y *yard) drained(reason, says string) {
	y.t.Helper()
	rbactest.Eventually(y.t, func() error {
		var sw v1alpha1.Switch
		if err := y.Get(y.t.Context(), client.ObjectKey{Name: "leaf1"}, &sw); err != nil {
			return err
		}
		c := meta.FindStatusCondition(sw.Status.Conditions, v1alpha1.SwitchDrained)
		if c == nil || c.Reason != reason || !strings.Contains(c.Message, says) {
			return fmt.Errorf("condition is %+v, want %s: %s", c, reason, says)
		}
		return nil
	})
}

// programmed says that a switch has its networks in force.
func (y *yard) programmed(name string) {
	y.t.Helper()
	rbactest.Eventually(y.t, func() error {
		var c v1alpha1.SwitchConfig
		if err := y.Get(y.t.Context(), client.ObjectKey{Name: name}, &c); err != nil {
			return err
		}
		status := c.Status
		status.Conditions = []metav1.Condition{{Type: v1alpha1.ConfigProgrammed, Status: metav1.ConditionTrue, Reason: "Converged", LastTransitionTime: metav1.Now()}}
		return applyStatus(y.t.Context(), y.Client, &v1alpha1.SwitchConfig{}, "SwitchConfig", name, status)
	})
}

// cable declares the cable between a host's NIC and a port.
func cable(name, host, nic, sw, port string) *v1alpha1.Link {
	return &v1alpha1.Link{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: v1alpha1.LinkSpec{Ends: []v1alpha1.LinkEnd{{Switch: sw, Port: port}, {Host: host, NIC: nic}}}}
}

// newRealFabric is a network at leaf1, which has the real agent.
func newRealFabric(t *testing.T, y *yard) (*lab, *realBox) {
	l := &lab{Client: y.Client}
	t.Cleanup(func() {
		for _, list := range []client.ObjectList{&v1alpha1.VPCAttachmentList{}, &v1alpha1.VPCList{}, &v1alpha1.VPCClassList{}, &v1alpha1.FabricList{}, &v1alpha1.LinkList{}, &v1alpha1.HostConfigList{}} {
			l.deleteAll(t, list)
		}
	})
	if err := y.Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "tenant-a"}}); client.IgnoreAlreadyExists(err) != nil {
		t.Fatal(err)
	}
	b := newRealBox(t, y)
	for _, other := range []string{"leaf2", "leaf3"} { // whose agents only play maintenance
		l.report(t, other, v1alpha1.SwitchStatus{Ports: ports()})
		y.programmed(other)
	}
	l.create(t, fabric(), class("default", v1alpha1.VPCLimits{}), vpc("tenant-a/blue", "web 10.1.0.0/24"), attach("tenant-a/one", "blue/web", "leaf1/Ethernet8"))
	rbactest.Eventually(t, func() error {
		var c v1alpha1.SwitchConfig
		if err := y.Get(t.Context(), client.ObjectKey{Name: "leaf1"}, &c); err != nil {
			return err
		}
		if ready := meta.FindStatusCondition(c.Status.Conditions, v1alpha1.ConditionReady); ready == nil || ready.Status != metav1.ConditionTrue || len(c.Spec.Segments) != 1 {
			return fmt.Errorf("SwitchConfig is not in force: %+v", c.Status.Conditions)
		}
		return nil
	})
	return l, b
}

// dualHomed says that what is at leaf1 is a host that has the network at leaf2, too.
func dualHomed(t *testing.T, l *lab) {
	l.create(t, &v1alpha1.Host{ObjectMeta: metav1.ObjectMeta{Name: "host1"}, Spec: v1alpha1.HostSpec{NICs: []v1alpha1.DeclaredNIC{{Name: "eth0"}, {Name: "eth1"}}}},
		cable("one", "host1", "eth0", "leaf1", "Ethernet8"), cable("two", "host1", "eth1", "leaf2", "Ethernet8"), attach("tenant-a/two", "blue/web", "leaf2/Ethernet8"))
}

func realAgent(t *testing.T, y *yard) {
	l, b := newRealFabric(t, y)
	r := releaseOf("core", "bgp-1")
	r.Spec.Strategy.Checks = []v1alpha1.SwitchCheck{v1alpha1.CheckUplinks, v1alpha1.CheckLLDPNeighbors, v1alpha1.CheckAgentConverged, v1alpha1.CheckContainersHealthy}
	r.Spec.Strategy.Drain.TimeoutSeconds = 3
	r.Spec.Strategy.Drain.Mode = v1alpha1.DrainAlways
	y.must(y.Create(t.Context(), r))

	// Nobody knows what is at Ethernet8, so nobody knows another way for it.
	s := y.reaches("core", v1alpha1.ReleaseStopped, "DrainFailed: It would be cut off, and has no other switch: whatever is at Ethernet8.")
	if got := b.admin(t, "Ethernet8"); got != "up" {
		t.Errorf("Ethernet8 is %s after a drain that was refused", got)
	}

	dualHomed(t, l)
	y.change("core", fmt.Sprintf(`{"metadata": {"annotations": {%q: %q}}, "spec": {"strategy": {"drain": {"timeoutSeconds": 50}}}}`, v1alpha1.AnnotationRetry, s.Stop.Retry))
	y.drained("Drained", "For NOSRelease core.")
	if got := b.admin(t, "Ethernet8"); got != "down" {
		t.Errorf("Ethernet8 is %s on a drained switch", got)
	}
	y.reaches("core", v1alpha1.ReleaseComplete, "3 switches run it, 3 of them are well.")
	y.runs("bgp", everywhere("bgp-1"))
	y.rested()
	y.drained("InService", "")
	if got := b.admin(t, "Ethernet8"); got != "up" {
		t.Errorf("Ethernet8 is %s after the release", got)
	}

	// By hand: it holds a release back, outlives a restart of the agent, and ends.
	byHand := func(drained bool) {
		edit(t, l, &v1alpha1.Switch{ObjectMeta: metav1.ObjectMeta{Name: "leaf1"}}, func(sw *v1alpha1.Switch) { sw.Spec.Drained = drained })
	}
	byHand(true)
	y.drained("Drained", "spec.drained of the Switch is true.")
	b.measures("switchlet_agent_drain_asked 1\n", "switchlet_agent_drain_in_force 1\n", "switchlet_agent_drained 1\n", "switchlet_agent_drain_ports_off 1\n")
	y.images("core", "bgp-2")
	y.reaches("core", v1alpha1.ReleaseWaiting, "spec.drained of Switch leaf1 is true")
	b.stop()
	b.start(t)
	y.drained("Drained", "spec.drained of the Switch is true.")
	if got := b.admin(t, "Ethernet8"); got != "down" {
		t.Errorf("Ethernet8 is %s after a restart of the agent", got)
	}
	byHand(false)
	y.reaches("core", v1alpha1.ReleaseComplete, "3 switches run it, 3 of them are well.")
	y.runs("bgp", everywhere("bgp-2"))
	y.rested()
	y.drained("InService", "")
	b.measures("switchlet_agent_drain_asked 0\n", "switchlet_agent_drain_ports_off 0\n", "switchlet_agent_drain_start_timestamp_seconds 0\n")
	rbactest.Eventually(t, func() error {
		var events corev1.EventList
		if err := y.List(t.Context(), &events); err != nil {
			return err
		}
		told := map[string]bool{}
		for _, e := range events.Items {
			if e.InvolvedObject.Kind == "Switch" {
				told[e.Reason] = true
			}
		}
		for _, reason := range []string{"Refused", "Drained", "InService"} {
			if !told[reason] {
				return fmt.Errorf("no event tells of %s: %v", reason, told)
			}
		}
		return nil
	})
	b.stop()
}
