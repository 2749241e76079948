package report_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"github.com/switchlet/switchlet/agent/report"
	"github.com/switchlet/switchlet/agent/watch"
	"github.com/switchlet/switchlet/api/v1alpha1"
)

// apiServer takes server-side applies of status and fails when told to.
type apiServer struct {
	t       *testing.T
	mu      sync.Mutex
	failing int // requests to fail
	paths   []string
	applied map[string]v1alpha1.SwitchConfigStatus // by path
}

func (a *apiServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	body, err := io.ReadAll(r.Body)
	var object struct {
		Status v1alpha1.SwitchConfigStatus `json:"status"`
	}
	if err == nil {
		err = json.Unmarshal(body, &object)
	}
	if err != nil {
		a.t.Error(err)
	}
	if r.Method != http.MethodPatch || r.Header.Get("Content-Type") != "application/apply-patch+yaml" || r.URL.Query().Get("fieldManager") != "switchlet-agent" {
		a.t.Errorf("%s %s %v", r.Method, r.URL, r.Header)
	}
	if a.failing > 0 {
		a.failing--
		http.Error(w, "not now", http.StatusInternalServerError)
		return
	}
	a.paths = append(a.paths, r.URL.Path)
	a.applied[r.URL.Path] = object.Status
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write([]byte("{}"))
}

func (a *apiServer) requests() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.paths)
}

// The newest facts get there, however often the API server refuses, and what
// has not changed is not written again.
func TestReporter(t *testing.T) {
	server := &apiServer{t: t, failing: 2, applied: map[string]v1alpha1.SwitchConfigStatus{}}
	listener := httptest.NewServer(server)
	defer listener.Close()
	client, err := watch.NewClient(&rest.Config{Host: listener.URL})
	if err != nil {
		t.Fatal(err)
	}
	r := report.New(client, "leaf1", slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { r.Run(ctx) })
	defer func() { cancel(); running.Wait() }()
	r.SawConfig(&v1alpha1.SwitchConfig{ObjectMeta: metav1.ObjectMeta{UID: "1"}})
	const config = "/apis/fabric.switchlet.io/v1alpha1/switchconfigs/leaf1/status"
	facts := report.Facts{Generation: 1, AppliedRevision: "r1", Rendered: report.State{OK: true, Reason: "Rendered"}, Programmed: report.State{OK: true, Reason: "RowsInConfigDB"}}
	r.Report(facts)
	facts.AppliedRevision = "r2"
	r.Report(facts)
	until(t, func() bool {
		server.mu.Lock()
		defer server.mu.Unlock()
		return server.applied[config].AppliedRevision == "r2"
	})
	n := server.requests()
	r.Report(facts)
	facts.SwitchGeneration = 1 // the Switch shows that the report before was dealt with
	facts.Connected, facts.StateSaved = report.State{OK: true, Reason: "Connected"}, report.State{OK: true, Reason: "Saved"}
	r.Report(facts)
	until(t, func() bool { return server.requests() > n })
	if got := server.requests(); got != n+1 || server.paths[n] != "/apis/fabric.switchlet.io/v1alpha1/switches/leaf1/status" {
		t.Errorf("requests after the first %d: %v", n, server.paths[n:])
	}
	r.SawConfig(&v1alpha1.SwitchConfig{ObjectMeta: metav1.ObjectMeta{UID: "2"}}) // made anew
	r.Report(facts)
	until(t, func() bool { return server.requests() == n+2 })
}

func until(t *testing.T, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatal("never")
		}
		time.Sleep(time.Millisecond)
	}
}
