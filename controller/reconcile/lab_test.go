package reconcile_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/controller/reconcile"
	"github.com/switchlet/switchlet/deploy/lab/controlplane"
	"github.com/switchlet/switchlet/deploy/rbac/rbactest"
)

// The reconcilers work here on a real API server, under the identity and with
// the rights that they have in a cluster: what they may not do fails the test.
// Switches are played by agents that report what they were given (see agent);
// the real agent works on real Redis in the lab's own tests.
func TestReconcilers(t *testing.T) {
	ctrl.SetLogger(logr.Discard()) // each manager has its own
	cluster := rbactest.Start(t, controlplane.Config{})
	admin := cluster.Admin(t)
	for _, tenant := range []string{"tenant-a", "tenant-b"} {
		if err := admin.Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: tenant}}); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name string
		run  func(*testing.T, *lab)
	}{
		{"objects in every order come to the same", everyOrder},
		{"a redundancy group has one VLAN id for a subnet", redundancyGroup},
		{"a deleted VPC's identifiers are held until every switch has let go", deletion},
		{"a removed subnet's VNI is given back", removedSubnet},
		{"a mistake is a condition of its object and of no other", mistakes},
		{"VLAN ids used up", vlansUsedUp},
		{"VNIs used up", vnisUsedUp},
		{"VTEP addresses used up", vtepsUsedUp},
		{"a pin made before its VPC is used", pinFirst},
		{"a deleted Allocation moves its VPC, which never drops", moved},
		{"a Node with a role becomes a Switch", nodeJoins},
		{"what runs stays when the Fabric goes", fabricDeleted},
		{"what runs stays when the class goes", classDeleted},
		{"what runs stays when the VPC is edited into nonsense", nonsense},
		{"a SwitchConfig edited by hand is put back", editedByHand},
		{"a deleted SwitchConfig comes back with its VLAN ids", configDeleted},
		{"problems on a switch are shown to the tenant", problems},
		{"what one switch takes back no other gets afterwards", takenBack},
		{"a VPC that was taken back goes on when the switch takes it", takenAfterAll},
		{"one attachment less lets another in, on whatever switch", limitOverSwitches},
		{"a VPC edited while the controller was away gets its status", editedMeanwhile},
		{"a restart gives back nothing that a switch may still use", quarantineOverRestart},
		{"a restart gives back nothing that a switch may go back to", trialOverRestart},
		{"a SwitchConfig made anew gives back nothing before the switch confirms", remadeConfig},
		{"a status is right again when the cache has caught up", laggingCache},
		{"a pin that the cache shows late is used", pinSeenLate},
		{"a restart writes nothing", restart},
		{"a restart while the Fabric is away writes nothing", restartWithoutFabric},
		{"a peering is in force as long as both sides want it", consent},
		{"a bad peering is told, and harms no other", badPeerings},
		{"an isolated subnet has no gateway and no peer", isolation},
		{"what keeps a peering from a switch is told", peeringProblems},
		{"cabling: spines and leaves come up with their roles alone", spinesAndLeaves},
		{"cabling: a mesh of leaves comes up", mesh},
		{"cabling: an attachment follows its hosts", hostsMove},
		{"cabling: a port is reused, and a class for some hosts", portReused},
		{"cabling: notes are told", notes},
		{"cabling: what LLDP no longer tells takes nothing away", lldpLost},
		{"cabling: contradictions are told and change nothing", contradictions},
		{"cabling: a dead host leaves its port when another host is there", deadHost},
		{"cabling: a switch has the ASN and the address that it says", pins},
		{"cabling: a Node that is no switch becomes a Host", hostsOfNodes},
		{"statuses are written when they change and not else", fewWrites},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := &lab{cluster: cluster, Client: admin, agents: map[string]*agent{}}
			t.Cleanup(func() { l.clear(t) })
			l.start(t)
			c.run(t, l)
		})
	}
}

// lab is an empty cluster in which the reconcilers run.
type lab struct {
	client.Client // the administrator's
	cluster       *rbactest.Cluster
	agents        map[string]*agent
	requests      *requests
	stop          func()
	abandoned     float64 // what earlier controllers, stopped by now, left undone
}

// start has the reconcilers run, as if the controller had just been started.
func (l *lab) start(t *testing.T) {
	t.Helper()
	l.requests, l.abandoned = &requests{t: t}, busy(t)
	config := l.cluster.Controller(t)
	config.Wrap(l.requests.watch)
	mgr, err := ctrl.NewManager(config, l.options(t))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	if err := reconcile.Setup(ctx, mgr); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- mgr.Start(ctx) }()
	l.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the manager ended: %v", err)
		}
	})
}

func (l *lab) options(t *testing.T) ctrl.Options {
	names := true // of metrics: each start adds controllers of the same names
	return ctrl.Options{
		Scheme:                 l.cluster.Scheme,
		Cache:                  reconcile.CacheOptions(),
		Metrics:                server.Options{BindAddress: "0"},
		HealthProbeBindAddress: "0",
		Controller:             config.Controller{SkipNameValidation: &names},
		Logger:                 logr.FromSlogHandler(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})),
	}
}

// clear ends everything and deletes everything.
func (l *lab) clear(t *testing.T) {
	l.stop()
	for _, a := range l.agents {
		a.stop()
	}
	l.agents = map[string]*agent{}
	for _, list := range []client.ObjectList{
		&v1alpha1.VPCPeeringList{}, &v1alpha1.VPCAttachmentList{}, &v1alpha1.VPCList{}, &v1alpha1.VPCClassList{}, &v1alpha1.FabricList{},
		&v1alpha1.SwitchList{}, &v1alpha1.SwitchConfigList{}, &v1alpha1.AllocationList{}, &corev1.NodeList{},
		&v1alpha1.HostList{}, &v1alpha1.HostConfigList{}, &v1alpha1.LinkList{},
	} {
		l.deleteAll(t, list)
	}
}

func (l *lab) deleteAll(t *testing.T, list client.ObjectList) {
	t.Helper()
	ctx := context.Background() // the test's own has ended when it cleans up
	if err := l.List(ctx, list); err != nil {
		t.Fatal(err)
	}
	for _, o := range items(list) {
		if len(o.GetFinalizers()) > 0 {
			patch := client.MergeFrom(o.DeepCopyObject().(client.Object))
			o.SetFinalizers(nil)
			if err := l.Patch(ctx, o, patch); client.IgnoreNotFound(err) != nil {
				t.Fatal(err)
			}
		}
		if err := l.Delete(ctx, o); client.IgnoreNotFound(err) != nil {
			t.Fatal(err)
		}
	}
}

// write is a request of the controller's that changes something.
type write struct {
	method string
	path   string
	at     time.Time
}

func (w write) String() string { return w.method + " " + w.path }

// requests are what the controller has asked of the API server.
type requests struct {
	t      *testing.T
	lag    lag
	mu     sync.Mutex
	writes []write
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// watch notes requests that change something and reports those that are
// forbidden or wrong.
func (r *requests) watch(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(request *http.Request) (*http.Response, error) {
		if request.Method != http.MethodGet {
			r.mu.Lock()
			r.writes = append(r.writes, write{request.Method, short(request.URL), time.Now()})
			r.mu.Unlock()
		}
		response, err := next.RoundTrip(request)
		if err == nil {
			r.lag.slow(request, response)
		}
		if err == nil && response.StatusCode >= 400 {
			switch response.StatusCode {
			case http.StatusNotFound, http.StatusConflict, http.StatusTooManyRequests:
			default:
				r.t.Errorf("%s %s: %s", request.Method, request.URL.Path, response.Status)
			}
		}
		return response, err
	})
}

// short is the path of an object without what is the same in all of them.
func short(u *url.URL) string {
	for _, prefix := range []string{"/apis/fabric.switchlet.io/v1alpha1/", "/apis/", "/api/v1/"} {
		if rest, ok := strings.CutPrefix(u.Path, prefix); ok {
			return rest
		}
	}
	return u.Path
}

// matching are the writes so far whose path has a part.
func (r *requests) matching(part string) []write {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []write
	for _, w := range r.writes {
		if strings.Contains(w.path, part) {
			out = append(out, w)
		}
	}
	return out
}

// forget starts counting anew.
func (r *requests) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.writes = nil
}

// settle waits until neither controller nor agents have anything left to do:
// the queues are empty and the last write is a while ago.
func (l *lab) settle(t *testing.T) {
	t.Helper()
	// More than the controller waits before it says that something is on its
	// way, and many times what an event takes to come round.
	const calm = 600 * time.Millisecond
	since := time.Now()
	rbactest.Eventually(t, func() error {
		if n := busy(t) - l.abandoned; n > 0 {
			since = time.Now()
			return fmt.Errorf("%v objects are waiting or being worked on", n)
		}
		l.requests.mu.Lock()
		defer l.requests.mu.Unlock()
		if n := len(l.requests.writes); n > 0 && l.requests.writes[n-1].at.After(since) {
			since = l.requests.writes[n-1].at
		}
		if time.Since(since) < calm {
			return fmt.Errorf("the last write was %s ago", time.Since(since))
		}
		return nil
	})
}

// busy is how many objects wait or are worked on.
func busy(t *testing.T) float64 {
	t.Helper()
	return gauge(t, "workqueue_depth") + gauge(t, "controller_runtime_active_workers")
}

// gauge is the sum of a metric of all controllers.
func gauge(t *testing.T, name string) float64 {
	t.Helper()
	families, err := metrics.Registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for _, f := range families {
		if f.GetName() == name {
			for _, m := range f.GetMetric() {
				sum += m.GetGauge().GetValue() + m.GetCounter().GetValue()
			}
		}
	}
	return sum
}
