package converge_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	goredis "github.com/redis/go-redis/v9"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/switchlet/switchlet/agent/converge"
	"github.com/switchlet/switchlet/agent/probe"
	"github.com/switchlet/switchlet/agent/report"
	"github.com/switchlet/switchlet/agent/state"
	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/deploy/lab/box"
	"github.com/switchlet/switchlet/deploy/lab/labtest"
	"github.com/switchlet/switchlet/deploy/lab/swss"
	"github.com/switchlet/switchlet/deploy/lab/swss/live"
)

// rig is a box with a Converger on it, and in place of the API server a hand
// that writes specs and reads reports.
type rig struct {
	t        *testing.T
	box      *box.Box
	operator *goredis.Client // somebody else who writes to CONFIG_DB
	before   box.Rows        // as the box was before the agent came
	policy   v1alpha1.DriftPolicy
	inbox    *converge.Inbox
	end      func()
	daemons  *live.Service
	config   converge.Config // what the tests change of it: Rules, Patience, …
	byHand   bool            // somebody made mistakes by hand
	known    bool            // the agent knows its Switch
	selves   int64           // generations of the Switch
	faulty   bool            // the daemons do not do their work, and log errors

	mu         sync.Mutex
	facts      report.Facts
	reports    int // so far
	generation int64
}

func newRig(t *testing.T) *rig {
	t.Helper()
	return newRigOn(t, box.Config{})
}

func newRigOn(t *testing.T, cfg box.Config) *rig {
	t.Helper()
	r := &rig{t: t, box: labtest.Box(t, cfg)}
	r.config = converge.Config{
		Rules: probe.Rules{Window: 40 * time.Millisecond, Steady: 20 * time.Millisecond}, Patience: 2 * time.Second, Orphan: 50 * time.Millisecond,
	}
	r.config.Files = converge.Files{DatabaseConfig: r.box.DatabaseConfig(), YANGDir: r.box.YANGDir(), Version: r.box.VersionFile()}
	r.daemons = labtest.Daemons(t, r.box)
	t.Cleanup(func() {
		switch {
		case r.byHand:
		case r.faulty:
			if mistakes := r.daemons.Mistakes(); len(mistakes) > 0 {
				t.Errorf("mistakes:\n%s", swss.Report(mistakes))
			}
		default:
			labtest.NoMistakes(t, r.daemons)
		}
	})
	r.operator = goredis.NewClient(&goredis.Options{Network: "unix", Addr: r.box.Socket(), DB: 4, Protocol: 2})
	t.Cleanup(func() { _ = r.operator.Close() })
	r.before = r.rows()
	return r
}

// start starts the agent as after a boot: all it has is what is on the disk.
func (r *rig) start() {
	r.t.Helper()
	store, loaded, err := state.Open(r.box.StateDir())
	if err != nil {
		r.t.Fatal(err)
	}
	r.mu.Lock()
	r.facts = report.Facts{}
	r.mu.Unlock()
	r.inbox, r.known = converge.NewInbox(), false
	cfg := r.config
	cfg.Node, cfg.AgentVersion, cfg.Store, cfg.Loaded, cfg.Inbox = "leaf1", "test", store, loaded, r.inbox
	cfg.Report = func(f report.Facts) {
		r.mu.Lock()
		r.facts = f
		r.reports++
		r.mu.Unlock()
	}
	cfg.Log = slog.New(slog.NewTextHandler(r.t.Output(), nil))
	c := converge.New(cfg)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); c.Run(ctx) }()
	r.end = sync.OnceFunc(func() { cancel(); <-done })
	r.t.Cleanup(r.end)
}

// apply writes a spec as the controller does, and waits until it is in force.
func (r *rig) apply(spec v1alpha1.SwitchConfigSpec) {
	r.t.Helper()
	generation := r.write(spec)
	r.until("the spec is in force", func(f report.Facts) bool {
		return f.AppliedGeneration == generation && f.Programmed.OK && f.Confirmed.Reason == "Confirmed"
	})
}

func (r *rig) write(spec v1alpha1.SwitchConfigSpec) int64 {
	r.generation++
	if !r.known {
		r.pause(false)
	}
	r.inbox.SetConfig(&v1alpha1.SwitchConfig{ObjectMeta: metav1.ObjectMeta{Name: "leaf1", UID: "1", Generation: r.generation}, Spec: spec})
	return r.generation
}

func (r *rig) pause(paused bool) {
	r.known = true
	r.selves++
	r.inbox.SetSwitch(&v1alpha1.Switch{ObjectMeta: metav1.ObjectMeta{Name: "leaf1", Generation: r.selves}, Spec: v1alpha1.SwitchSpec{Paused: paused, Drift: r.policy}})
}

// reported is how often the agent has reported so far: once for each round.
func (r *rig) reported() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.reports
}

// looks waits until the agent has looked at everything once more, after all that
// has happened so far: what it has not done by then it does not do.
func (r *rig) looks() report.Facts {
	r.t.Helper()
	r.pause(false)
	return r.until("the agent looks again", func(f report.Facts) bool { return f.SwitchGeneration == r.selves })
}

// until waits for a report.
func (r *rig) until(what string, ok func(report.Facts) bool) report.Facts {
	r.t.Helper()
	var facts report.Facts
	r.eventually(what, func() error {
		r.mu.Lock()
		defer r.mu.Unlock()
		facts = r.facts
		if !ok(facts) {
			return fmt.Errorf("programmed %+v, rendered %+v, connected %+v, saved %+v, problems %+v",
				facts.Programmed, facts.Rendered, facts.Connected, facts.StateSaved, facts.Problems)
		}
		return nil
	})
	return facts
}

func (r *rig) eventually(what string, try func() error) {
	r.t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for {
		err := try()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			r.t.Fatalf("never: %s: %v", what, err)
		}
		time.Sleep(time.Millisecond)
	}
}

func (r *rig) rows() box.Rows {
	r.t.Helper()
	rows, err := r.box.Snapshot(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	return rows
}

// becomes waits until CONFIG_DB has the rows.
func (r *rig) becomes(what string, want box.Rows) {
	r.t.Helper()
	r.eventually(what, func() error {
		rows, err := r.box.Snapshot(r.t.Context())
		if err != nil {
			return err
		}
		if diff := cmp.Diff(want, rows); diff != "" {
			return fmt.Errorf("rows (-want +got):\n%s", diff)
		}
		return nil
	})
}

// hset writes a row by hand: key, field, value, ….
func (r *rig) hset(key string, pairs ...any) {
	r.t.Helper()
	if err := r.operator.HSet(r.t.Context(), key, pairs...).Err(); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) del(keys ...string) {
	r.t.Helper()
	if err := r.operator.Del(r.t.Context(), keys...).Err(); err != nil {
		r.t.Fatal(err)
	}
}

// follow records the keys of CONFIG_DB that are changed from now on, by anybody.
func (r *rig) follow() (changed func() []string) {
	r.t.Helper()
	const channel, prefix = "switchlet-test-fence", "__keyspace@4__:"
	subscription := r.operator.PSubscribe(r.t.Context(), prefix+"*", channel)
	r.t.Cleanup(func() { _ = subscription.Close() })
	for range 2 {
		_, err := subscription.Receive(r.t.Context()) // the answer to the subscription
		r.must(err)
	}
	var keys []string
	return func() []string {
		r.must(r.operator.Publish(r.t.Context(), channel, "").Err())
		for {
			message, err := subscription.ReceiveMessage(r.t.Context())
			r.must(err)
			if message.Channel == channel {
				return keys
			}
			keys = append(keys, strings.TrimPrefix(message.Channel, prefix)+" "+message.Payload)
		}
	}
}

// must fails the test on an error of the rig itself.
func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// hasProblem looks for a problem of an owner with a word in its message.
func hasProblem(kind v1alpha1.Kind, word string) func(report.Facts) bool {
	return func(f report.Facts) bool {
		for _, p := range f.Problems {
			if p.Owner.Kind == kind && strings.Contains(p.Message, word) {
				return true
			}
		}
		return false
	}
}

// spec has one VPC with the given VLANs, each on Ethernet0.
func spec(revision string, vlans ...int32) v1alpha1.SwitchConfigSpec {
	blue := v1alpha1.ObjectReference{Kind: v1alpha1.KindVPC, Namespace: "tenant", Name: "blue"}
	s := v1alpha1.SwitchConfigSpec{
		Revision: revision, VTEP: "10.255.0.1", AnycastMAC: "00:00:5e:00:01:01",
		VRFs: []v1alpha1.VRFConfig{{VNI: 20001, VLAN: 3001, Owner: blue}},
	}
	for _, vlan := range vlans {
		s.Segments = append(s.Segments, v1alpha1.SegmentConfig{
			VLAN: vlan, VNI: 10000 + vlan, VRF: 20001, Gateways: []string{fmt.Sprintf("10.%d.%d.1/24", 1+vlan/256, vlan%256)},
			Owner: blue, Subnet: fmt.Sprintf("s%d", vlan),
			Ports: []v1alpha1.SegmentPort{{Name: "Ethernet0", Mode: v1alpha1.ModeTagged,
				Owner: v1alpha1.ObjectReference{Kind: v1alpha1.KindVPCAttachment, Namespace: "tenant", Name: "web"}}},
		})
	}
	return s
}

// nothing empties the switch.
func nothing(revision string) v1alpha1.SwitchConfigSpec {
	return v1alpha1.SwitchConfigSpec{Revision: revision}
}
