// Package serve_test runs in a kernel that has VLAN devices.
package serve_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/switchlet/switchlet/deploy/lab/matrix"
	"github.com/switchlet/switchlet/deploy/lab/matrix/matrixtest"
	"github.com/switchlet/switchlet/deploy/lab/matrix/serve"
	"github.com/switchlet/switchlet/deploy/lab/matrix/watch"
	"github.com/switchlet/switchlet/deploy/lab/uml/umltest"
)

func TestMain(m *testing.M) { umltest.Main(m) }

func start(t *testing.T) *serve.Client {
	server := serve.New(serve.Config{Log: slog.New(slog.DiscardHandler)})
	front := httptest.NewServer(server)
	t.Cleanup(func() {
		front.Close()
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	return &serve.Client{URL: front.URL, HTTP: front.Client()}
}

// tenants are 6 hosts, each with three endpoints: two tagged ones on one NIC, of VPCs that
// use the same addresses, and a native one on another.
func tenants(t *testing.T) (*matrixtest.Switch, []matrix.Endpoint) {
	s := matrixtest.NewSwitch(t)
	s.Subnet("a/blue", "web", 101, "10.1.0.0/24", "fd00:1::/64")
	s.Subnet("b/red", "app", 102, "10.1.0.0/24", "fd00:1::/64")
	s.Subnet("a/blue", "db", 103, "10.1.1.0/24", "fd00:2::/64")
	var endpoints []matrix.Endpoint
	for n := range 6 {
		host := fmt.Sprintf("host%d", n+1)
		endpoints = append(endpoints,
			s.Attach(host, "eth1", "a/blue", "web", true),
			s.Attach(host, "eth1", "b/red", "app", true),
			s.Attach(host, "eth2", "a/blue", "db", false))
	}
	slices.SortFunc(endpoints, func(a, b matrix.Endpoint) int { return a.Compare(&b) })
	return s, endpoints
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func ask(t *testing.T, c *serve.Client, endpoints []matrix.Endpoint) matrix.Result {
	t.Helper()
	begin := time.Now()
	expect := matrix.VPCRules().Expect(endpoints)
	must(t, c.Set(t.Context(), "all", endpoints, expect))
	set := time.Since(begin)
	answer, err := c.Probe(t.Context(), 5*time.Second)
	must(t, err)
	r := matrix.Compare(endpoints, expect, answer.Observations)
	t.Logf("%d endpoints set within %v; %d questions within %.1f s, slowest answer %v\n%s", len(endpoints), set, r.Questions, answer.Seconds, r.Slowest, r.Table(false))
	return r
}

func TestEighteenEndpoints(t *testing.T) {
	_, endpoints := tenants(t)
	c := start(t)
	r := ask(t, c, endpoints)
	if lines := r.Lines(); len(lines) > 0 {
		t.Errorf("%s", strings.Join(lines, "\n"))
	}
	if r = ask(t, c, endpoints[:5]); len(r.Differences) > 0 || r.Pairs != 20 {
		t.Errorf("of 5 endpoints: %d pairs, %s", r.Pairs, strings.Join(r.Lines(), "\n"))
	}
}

func TestWatchOfTaggedEndpoints(t *testing.T) {
	s, endpoints := tenants(t)
	endpoints = slices.DeleteFunc(endpoints, func(e matrix.Endpoint) bool { return e.Host > "host3" })
	c := start(t)
	must(t, c.Set(t.Context(), "all", endpoints, matrix.VPCRules().Expect(endpoints)))
	must(t, c.Watch(t.Context(), serve.WatchRequest{Rate: 10, ForbiddenRate: 5}))
	until(t, c, "packets of all flows", func(r watch.Report) bool {
		return !slices.ContainsFunc(r.Flows, func(f watch.Flow) bool { return f.Received < 10 })
	})
	db := slices.IndexFunc(endpoints, func(e matrix.Endpoint) bool { return e.Subnet == "db" })
	s.Leak(endpoints[db], 102)
	until(t, c, "red's broadcasts on blue's NIC, tagged", func(r watch.Report) bool {
		return slices.ContainsFunc(r.Leaks, func(l watch.Leak) bool {
			return l.Reason == watch.NotAttached && l.VLAN == 102 && l.At == endpoints[db].Place() && strings.Contains(l.From, "b/red/app")
		})
	})
	r, err := c.Stop(t.Context())
	must(t, err)
	t.Logf("%.1f s: %d packets sent, %d heard, %d dropped", r.Seconds, r.Sent, r.Heard, r.Dropped)
	for _, f := range r.Flows {
		if f.Lost > 0 {
			t.Errorf("%+v", f)
		}
	}
	for _, l := range r.Leaks {
		if l.Reason != watch.NotAttached {
			t.Errorf("%+v", l)
		}
	}
}

func until(t *testing.T, c *serve.Client, what string, good func(watch.Report) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for {
		r, err := c.Report(ctx)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if good(r) {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
}

func TestRequestsThatAreRefused(t *testing.T) {
	c := start(t)
	for _, test := range []struct {
		method, path, body, want string
	}{
		{"PUT", "/endpoints", "{", "400 Bad Request: read the request"},
		{"PUT", "/endpoints", `{"endpoint":[]}`, `400 Bad Request: read the request: json: unknown field "endpoint"`},
		{"PUT", "/endpoints", `{"endpoints":[{"host":"host1"}]}`, "422 Unprocessable Entity: endpoint host1/ "},
		{"PUT", "/endpoints", `{"name":"` + strings.Repeat("x", 9<<20) + `"}`, "400 Bad Request: read the request: http: request body too large"},
		{"POST", "/probe", `{"patienceMs":-1}`, "400 Bad Request: patienceMs -1"},
		{"POST", "/watch", `{"rate":5000}`, "400 Bad Request: rate 5000"},
		{"GET", "/watch", "", "404 Not Found: no watch is going on"},
		{"DELETE", "/watch", "", "404 Not Found: no watch is going on"},
		{"GET", "/endpoints", "", "405 Method Not Allowed"},
	} {
		t.Run(test.method+test.path, func(t *testing.T) {
			r, err := http.NewRequestWithContext(t.Context(), test.method, c.URL+test.path, strings.NewReader(test.body))
			must(t, err)
			response, err := c.HTTP.Do(r)
			must(t, err)
			defer response.Body.Close()
			text, err := io.ReadAll(response.Body)
			must(t, err)
			if got := response.Status + ": " + string(text); !strings.HasPrefix(got, test.want) {
				t.Errorf("%s, wanted %s", got, test.want)
			}
		})
	}
}

// Whoever serves knows where the hosts are.
func TestHostsAreFoundByTheirNames(t *testing.T) {
	_, endpoints := tenants(t)
	paths := map[string]string{}
	for i := range endpoints {
		paths[endpoints[i].Host], endpoints[i].Namespace = endpoints[i].Namespace, ""
	}
	server := serve.New(serve.Config{Log: slog.New(slog.DiscardHandler), Namespace: func(host string) (string, error) {
		if host == "host3" {
			return "", errors.New("there is no host3")
		}
		return paths[host], nil
	}})
	front := httptest.NewServer(server)
	defer front.Close()
	c := &serve.Client{URL: front.URL, HTTP: front.Client()}
	must(t, c.Set(t.Context(), "", endpoints[:2], nil))
	if err := c.Set(t.Context(), "", endpoints[:3], nil); err == nil || !strings.Contains(err.Error(), "there is no host3") {
		t.Errorf("error %v", err)
	}
	must(t, server.Close())
}

// One watch at a time, and endpoints may change while it goes on.
func TestWatchGoesOnWhenEndpointsChange(t *testing.T) {
	_, endpoints := tenants(t)
	endpoints = slices.DeleteFunc(endpoints, func(e matrix.Endpoint) bool { return e.Host > "host2" })
	c := start(t)
	must(t, c.Watch(t.Context(), serve.WatchRequest{Rate: 20}))
	if err := c.Watch(t.Context(), serve.WatchRequest{}); err == nil || !strings.Contains(err.Error(), "409 Conflict") {
		t.Errorf("a second watch: %v", err)
	}
	for _, some := range [][]matrix.Endpoint{endpoints[:4], endpoints} {
		must(t, c.Set(t.Context(), fmt.Sprint(len(some)), some, matrix.VPCRules().Expect(some)))
		until(t, c, "packets of all flows", func(r watch.Report) bool {
			return len(r.Flows) > 0 && !slices.ContainsFunc(r.Flows, func(f watch.Flow) bool { return f.Received < 10 })
		})
	}
	if _, err := c.Probe(t.Context(), 5*time.Second); err != nil {
		t.Error(err)
	}
	r, err := c.Stop(t.Context())
	must(t, err)
	if len(r.Epochs) != 3 || len(r.Leaks) > 0 || r.Failed() {
		t.Errorf("epochs %+v\n%s", r.Epochs, r.Text())
	}
}
