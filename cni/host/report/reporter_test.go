package report_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"k8s.io/client-go/rest"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/cni/host/neighbors"
	"github.com/switchlet/switchlet/cni/host/object"
	"github.com/switchlet/switchlet/cni/host/report"
)

// apiServer is one with a single Host, or none.
type apiServer struct {
	t *testing.T

	mu       sync.Mutex
	uid      string // of the Host; empty if there is none
	failing  int    // requests to refuse, of either kind
	writes   int
	written  map[string]v1alpha1.HostStatus // by uid
	watchers map[chan string]bool
}

func (a *apiServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	if a.failing > 0 {
		a.failing--
		a.mu.Unlock()
		http.Error(w, "not now", http.StatusInternalServerError)
		return
	}
	a.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	switch {
	case r.Method == http.MethodPatch && r.URL.Path == "/apis/fabric.switchlet.io/v1alpha1/hosts/host1/status" &&
		r.Header.Get("Content-Type") == "application/apply-patch+yaml" && r.URL.Query().Get("fieldManager") == "switchlet-host-agent":
		a.apply(w, r)
	case r.Method == http.MethodGet && r.URL.Path == "/apis/fabric.switchlet.io/v1alpha1/hosts" &&
		r.URL.Query().Get("watch") == "true" && r.URL.Query().Get("fieldSelector") == "metadata.name=host1":
		a.watch(w, r)
	default:
		a.t.Errorf("%s %s %v", r.Method, r.URL, r.Header)
	}
}

func (a *apiServer) apply(w http.ResponseWriter, r *http.Request) {
	var object v1alpha1.Host
	body, err := io.ReadAll(r.Body)
	if err == nil {
		err = json.Unmarshal(body, &object)
	}
	if err != nil || object.Name != "host1" {
		a.t.Errorf("%s: %v", body, err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.writes++
	if a.uid == "" {
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"NotFound","code":404}`)
		return
	}
	a.written[a.uid] = object.Status
	fmt.Fprint(w, "{}")
}

func (a *apiServer) watch(w http.ResponseWriter, r *http.Request) {
	events := make(chan string, 10)
	a.mu.Lock()
	a.watchers[events] = true
	if a.uid != "" {
		events <- event("ADDED", a.uid)
	}
	a.mu.Unlock()
	defer func() {
		a.mu.Lock()
		delete(a.watchers, events)
		a.mu.Unlock()
	}()
	for {
		w.(http.Flusher).Flush()
		select {
		case <-r.Context().Done():
			return
		case text := <-events:
			fmt.Fprint(w, text)
		}
	}
}

func event(kind, uid string) string {
	return fmt.Sprintf(`{"type":%q,"object":{"apiVersion":"fabric.switchlet.io/v1alpha1","kind":"Host","metadata":{"name":"host1","uid":%q}}}`+"\n", kind, uid)
}

// become makes the Host another one, or none, and tells all who watch, or nobody.
func (a *apiServer) become(uid string, tell bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	was := a.uid
	a.uid = uid
	for events := range a.watchers {
		if tell && was != "" {
			events <- event("DELETED", was)
		}
		if tell && uid != "" {
			events <- event("ADDED", uid)
		}
	}
}

func (a *apiServer) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.writes
}

// until waits until the Host with a uid says that it has this neighbour.
func (a *apiServer) until(uid, neighbor string) {
	a.t.Helper()
	wait(a.t, func() bool {
		a.mu.Lock()
		defer a.mu.Unlock()
		n := a.written[uid].Neighbors
		return len(n) == 1 && n[0].ChassisID == neighbor
	})
}

func wait(t *testing.T, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("never")
		}
	}
}

func view(neighbor string) neighbors.View {
	return neighbors.View{Neighbors: []v1alpha1.LLDPNeighbor{{Port: "eth1", ChassisID: neighbor, PortID: "etp1"}}}
}

// start starts a reporter and its watch, which end with the test.
func start(t *testing.T) (*apiServer, *report.Reporter) {
	t.Helper()
	server := &apiServer{t: t, failing: 2, written: map[string]v1alpha1.HostStatus{}, watchers: map[chan string]bool{}}
	listener := httptest.NewServer(server)
	client, err := object.NewClient(&rest.Config{Host: listener.URL})
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	r := report.New(client, "host1", log)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { r.Run(ctx) })
	running.Go(func() { report.Watch(ctx, client, "host1", r.SawHost, log) })
	t.Cleanup(func() { cancel(); running.Wait(); listener.Close() })
	return server, r
}

func (a *apiServer) watched() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.watchers) > 0
}

// Nothing is written before there is a Host, however often the API server
// refuses; then the newest word is, and again to each Host that takes its place.
func TestReporterWaitsForTheHost(t *testing.T) {
	server, r := start(t)
	r.SetNICs(eth1(), nil)
	r.SetNeighbors(view("leaf1"))
	wait(t, server.watched)
	if n := server.count(); n != 0 {
		t.Fatalf("%d writes without a Host", n)
	}
	r.SetNeighbors(view("leaf2"))
	server.become("1", true)
	server.until("1", "leaf2")
	server.become("2", true)
	server.until("2", "leaf2")
	server.become("", true)
	r.SetNeighbors(view("leaf3"))
	server.become("3", true)
	server.until("3", "leaf3")
}

// A Host that is deleted and nobody has told of: one write finds out.
func TestReporterFindsNoHost(t *testing.T) {
	server, r := start(t)
	r.SetNICs(eth1(), nil)
	server.become("1", true)
	r.SetNeighbors(view("leaf1"))
	server.until("1", "leaf1")
	server.become("", false)
	n := server.count()
	r.SetNeighbors(view("leaf2"))
	wait(t, func() bool { return server.count() > n })
	server.become("2", true)
	server.until("2", "leaf2")
	if got := server.count(); got > n+3 {
		t.Errorf("%d writes to a Host that is not there", got-n-1)
	}
}

// A burst of changes is few writes, and what has not changed is none.
func TestReporterCoalesces(t *testing.T) {
	server, r := start(t)
	server.become("1", true)
	r.SetNICs(eth1(), nil)
	for i := range 1000 {
		r.SetNeighbors(view(fmt.Sprint("leaf", i)))
	}
	server.until("1", "leaf999")
	n := server.count()
	if n > 3 {
		t.Errorf("%d writes", n)
	}
	r.SetNeighbors(view("leaf999"))
	r.SetNeighbors(view("leaf1")) // shows that the one before was dealt with
	server.until("1", "leaf1")
	if got := server.count(); got != n+1 {
		t.Errorf("%d writes of what is the same", got-n-1)
	}
}
