package reconcile_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/deploy/rbac/rbactest"
)

// laggingCache has a VPC and its attachment get a problem and lose it again,
// faster than the controller's cache hears of what the controller wrote in
// between. To a look at that cache the old status seems to be there still.
func laggingCache(t *testing.T, l *lab) {
	blue := l.running(t)
	b1 := attach("tenant-a/b1", "", "")
	owner := v1alpha1.ObjectReference{Kind: v1alpha1.KindVPCAttachment, Namespace: "tenant-a", Name: "b1"}
	for _, kind := range []string{"vpcs", "vpcattachments"} {
		t.Run(kind, func(t *testing.T) {
			l.requests.lag.hold(kind)
			l.agents["leaf1"].say(func(a *agent) {
				a.problems = []v1alpha1.Problem{{Owner: owner, Reason: "RowTaken", Message: "made by hand"}}
			})
			l.wants(t, blue, expect{v1alpha1.VPCProgrammed, metav1.ConditionFalse, "Problems", nil})
			l.wants(t, b1, expect{v1alpha1.AttachmentProgrammed, metav1.ConditionFalse, "RowTaken", nil})
			l.agents["leaf1"].say(func(a *agent) { a.problems = nil })
			l.settle(t)
			l.requests.lag.release()
			l.ready(t, blue, "2/2")
			l.wants(t, b1, expect{v1alpha1.ConditionReady, metav1.ConditionTrue, "Programmed", nil})
		})
	}
}

// pinSeenLate makes a pin and then its VPC. The controller sees the VPC first and chooses a
// VNI itself; that is given back when it sees what it was asked for.
func pinSeenLate(t *testing.T, l *lab) {
	l.running(t) // so that the controller has its cache
	l.requests.lag.hold("allocations")
	t.Cleanup(l.requests.lag.release)
	asked, green := pin("19999", "tenant-a/green", "web"), vpc("tenant-a/green", "web 10.2.0.0/24")
	l.create(t, asked, green, attach("tenant-a/g1", "green/web", "leaf1/Ethernet12"))
	var chosen *v1alpha1.Allocation
	rbactest.Eventually(t, func() error {
		var all v1alpha1.AllocationList
		if err := l.List(t.Context(), &all, client.MatchingLabels{v1alpha1.LabelManagedBy: v1alpha1.ManagedByController}); err != nil {
			return err
		}
		for i := range all.Items {
			if all.Items[i].Spec.Holder == asked.Spec.Holder {
				chosen = &all.Items[i]
				return nil
			}
		}
		return errors.New("the controller has not chosen a VNI")
	})
	l.requests.lag.release()
	l.gone(t, chosen)
	l.ready(t, green, "1/1")
	if s := get(t, l, green).Status.Subnets; len(s) != 1 || s[0].VNI != 19999 {
		t.Errorf("the VPC has %+v, want VNI 19999", s)
	}
}

// lag keeps back what the API server tells of some kinds, as a slow network or a
// busy machine does.
type lag struct {
	mu   sync.Mutex
	held map[string]chan struct{} // by the kind's name in paths; closed when it goes on
}

func (g *lag) hold(kind string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.held == nil {
		g.held = map[string]chan struct{}{}
	}
	g.held[kind] = make(chan struct{})
}

// release lets everything through again.
func (g *lag) release() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, held := range g.held {
		close(held)
	}
	g.held = nil
}

// wait returns when nothing of a kind is kept back, or when stop is closed.
func (g *lag) wait(kind string, stop <-chan struct{}) {
	g.mu.Lock()
	held := g.held[kind]
	g.mu.Unlock()
	if held == nil {
		return
	}
	select {
	case <-held:
	case <-stop:
	}
}

// slow makes the answer to a watch lag.
func (g *lag) slow(request *http.Request, response *http.Response) {
	if request.URL.Query().Get("watch") == "" {
		return
	}
	kind := request.URL.Path[strings.LastIndex(request.URL.Path, "/")+1:]
	closed := make(chan struct{})
	response.Body = laggingBody{response.Body, func() { g.wait(kind, closed) }, sync.OnceFunc(func() { close(closed) })}
}

// laggingBody waits before it hands out what it has read.
type laggingBody struct {
	io.ReadCloser
	wait, ends func()
}

func (b laggingBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.wait()
	return n, err
}

func (b laggingBody) Close() error {
	b.ends()
	return b.ReadCloser.Close()
}
