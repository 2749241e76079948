package cni_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/switchlet/switchlet/deploy/lab/matrix"
	"github.com/switchlet/switchlet/deploy/lab/matrix/serve"
	"github.com/switchlet/switchlet/deploy/lab/matrix/watch"
)

// late is longer than packets are lost on a busy machine, and less than pods lose that see by
// their carrier alone that they have to use another NIC.
const late = 500 * time.Millisecond

// drained: each leaf is drained and comes back, while all pods send to each other. They have
// been told to use the other leaf before a port is switched off.
func (l *forwarding) drained(t *testing.T) {
	l.send(t)
	for _, leaf := range []string{"leaf1", "leaf2"} {
		for _, drained := range []bool{true, false} {
			l.drain(t, leaf, drained)
			l.calm(t)
		}
	}
	report, err := l.matrix.Client.Stop(t.Context())
	must(t, err)
	must(t, l.matrix.End(t.Context()))
	t.Logf("\n%s", report.Text())
	for _, f := range report.Flows {
		if time.Duration(f.Longest.MS)*time.Millisecond > late {
			t.Errorf("%s to %s, IPv6 %t: %d of %d packets are lost, for %.0f ms from %s on", f.From, f.To, f.IPv6, f.Lost, f.Sent, f.Longest.MS, f.Longest.At)
		}
	}
}

// drain drains a switch or takes that back, and waits until it is so.
func (l *forwarding) drain(t *testing.T, leaf string, drained bool) {
	t.Helper()
	l.kubectl(t, "patch", "switch", leaf, "--type=merge", "-p", fmt.Sprintf(`{"spec":{"drained":%t,"forceDrain":%t}}`, drained, drained))
	want := map[bool]string{true: "Drained", false: "InService"}[drained]
	l.within(t, 2*time.Minute, func() error {
		got, err := l.tryKubectl("get", "switch", leaf, "-o", `jsonpath={.status.conditions[?(@.type=="Drained")].reason}`)
		if strings.TrimSpace(got) != want {
			return fmt.Errorf("%s is %q, not %q: %v", leaf, got, want, err)
		}
		return nil
	})
}

// send has all pods send to each other until the watch is stopped.
func (l *forwarding) send(t *testing.T) {
	t.Helper()
	endpoints, problems, err := l.matrix.Endpoints(t.Context())
	must(t, err)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	pods := slices.DeleteFunc(endpoints, func(e matrix.Endpoint) bool { return e.Pod == "" })
	rules, err := l.matrix.Rules(t.Context())
	must(t, err)
	must(t, l.matrix.Client.Set(t.Context(), "drain", pods, rules.Expect(pods)))
	must(t, l.matrix.Client.Watch(t.Context(), serve.WatchRequest{Rate: 20, ForbiddenRate: 1}))
	t.Cleanup(func() { _, _ = l.matrix.Client.Stop(context.Background()) })
	l.calm(t)
}

// calm waits until no flow has lost anything for 3 s.
func (l *forwarding) calm(t *testing.T) {
	t.Helper()
	must(t, l.matrix.Client.Calm(t.Context(), 3*time.Second, time.Minute, func(watch.Flow) bool { return true }))
}
