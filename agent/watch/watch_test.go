package watch_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/client-go/rest"

	"github.com/switchlet/switchlet/agent/watch"
	"github.com/switchlet/switchlet/api/v1alpha1"
)

// seen keeps what came in.
type seen struct {
	mu       sync.Mutex
	config   *v1alpha1.SwitchConfig
	self     *v1alpha1.Switch
	gone     bool
	requests []string
}

func (s *seen) SetConfig(config *v1alpha1.SwitchConfig) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.config, s.gone = config, config == nil
}

func (s *seen) SetSwitch(self *v1alpha1.Switch) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.self = self
}

// ServeHTTP refuses the first requests, as an API server that is starting, then
// has both objects, and then deletes the SwitchConfig.
func (s *seen) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.requests = append(s.requests, r.URL.Path+" "+r.URL.Query().Get("fieldSelector"))
	n := len(s.requests)
	s.mu.Unlock()
	if n <= 2 {
		http.Error(w, "starting", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	kind := map[bool]string{true: "SwitchConfig", false: "Switch"}[strings.HasSuffix(r.URL.Path, "switchconfigs")]
	object := fmt.Sprintf(`{"apiVersion":"fabric.switchlet.io/v1alpha1","kind":%q,"metadata":{"name":"leaf1","uid":"1","resourceVersion":"1","managedFields":[{"manager":"x"}]}}`, kind)
	if r.URL.Query().Get("watch") == "" {
		fmt.Fprintf(w, `{"apiVersion":"fabric.switchlet.io/v1alpha1","kind":%q,"metadata":{"resourceVersion":"1"},"items":[%s]}`, kind+"List", object)
		return
	}
	if r.URL.Query().Get("sendInitialEvents") == "true" {
		http.Error(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Invalid","code":422}`, http.StatusUnprocessableEntity)
		return
	}
	if kind == "SwitchConfig" {
		fmt.Fprintf(w, `{"type":"DELETED","object":%s}`, object)
	}
	w.(http.Flusher).Flush()
	<-r.Context().Done()
}

// Both objects of the node, and no others, are followed, from an API server
// that is not there at first, to the deletion of one.
func TestWatch(t *testing.T) {
	s := &seen{}
	server := httptest.NewServer(s)
	defer server.Close()
	client, err := watch.NewClient(&rest.Config{Host: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { watch.Watch(ctx, client, "leaf1", s, slog.New(slog.NewTextHandler(&log, nil))) })
	deadline := time.Now().Add(30 * time.Second)
	for done := false; !done; time.Sleep(time.Millisecond) {
		s.mu.Lock()
		done = s.gone && s.self != nil
		s.mu.Unlock()
		if time.Now().After(deadline) {
			t.Fatalf("never: config %v gone %v, switch %v, requests %q", s.config, s.gone, s.self, s.requests)
		}
	}
	cancel()
	running.Wait()
	if s.self.Name != "leaf1" || s.self.ManagedFields != nil {
		t.Errorf("Switch is %+v", s.self)
	}
	for _, request := range s.requests {
		if !strings.HasSuffix(request, " metadata.name=leaf1") {
			t.Errorf("request %s is not for one object", request)
		}
	}
	text := log.String()
	away, back := strings.Count(text, "the API server is away"), strings.Count(text, "the API server is back")
	if away < 1 || away > 2 || back != away { // once, or once for each object
		t.Errorf("log is\n%s\nrequests %q", text, s.requests)
	}
}
