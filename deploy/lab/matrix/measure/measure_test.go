package measure

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/switchlet/switchlet/deploy/lab/matrix"
	"github.com/switchlet/switchlet/deploy/lab/matrix/serve"
	"github.com/switchlet/switchlet/deploy/lab/matrix/watch"
)

// blueAndRed are two endpoints of one VPC and one of another.
func blueAndRed() []matrix.Endpoint {
	var list []matrix.Endpoint
	for i, e := range []matrix.Endpoint{
		{Host: "host1", NIC: "eth1", VPC: "a/blue", Subnet: "web", VLAN: 101}, {Host: "host2", NIC: "eth1", VPC: "a/blue", Subnet: "web", VLAN: 101},
		{Host: "host2", NIC: "eth1", VPC: "b/red", Subnet: "app", VLAN: 102},
	} {
		e.MTU, e.Addresses = 9000, []netip.Prefix{netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 1, 0, byte(5 + i)}), 24)}
		list = append(list, e)
	}
	return list
}

// inside answers as the lab does: the network is as expected, or everyone is answered.
func inside(t *testing.T, everyone bool) *serve.Client {
	mux := http.NewServeMux()
	var scene serve.Scene
	answer := func(w http.ResponseWriter, what any) {
		if err := json.NewEncoder(w).Encode(what); err != nil {
			t.Error(err)
		}
	}
	mux.HandleFunc("PUT /endpoints", func(w http.ResponseWriter, r *http.Request) {
		if err := json.NewDecoder(r.Body).Decode(&scene); err != nil {
			t.Error(err)
		}
		answer(w, nil)
	})
	mux.HandleFunc("POST /probe", func(w http.ResponseWriter, _ *http.Request) {
		reach := matrix.Expectation{}
		for _, pair := range scene.Reach {
			reach[pair] = true
		}
		var all serve.ProbeAnswer
		for _, q := range matrix.Questions(scene.Endpoints) {
			o := matrix.Observation{Question: q}
			if reach[q.Pair] || everyone {
				o.Seen, o.Took = matrix.Answered, time.Millisecond
			}
			all.Observations = append(all.Observations, o)
		}
		answer(w, all)
	})
	mux.HandleFunc("POST /watch", func(w http.ResponseWriter, _ *http.Request) { answer(w, nil) })
	mux.HandleFunc("DELETE /watch", func(w http.ResponseWriter, _ *http.Request) {
		report := watch.Report{Seconds: 1, Sent: 20}
		if everyone {
			report.Leaks = []watch.Leak{{From: "host1/eth1 a/blue/web", At: "host2/eth1 b/red/app", VLAN: 102, Kind: "broadcast", Reason: watch.OtherVPC, Count: 7}}
		}
		answer(w, report)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return &serve.Client{URL: server.URL, HTTP: server.Client()}
}

func TestOutcomeShowsWhoReachesWhom(t *testing.T) {
	for _, test := range []struct {
		name     string
		everyone bool
		want     []string
		failure  string
	}{
		{"as expected", false, []string{"1  host1/eth1  web  - ✓ │ ·", "3 endpoints, 6 pairs, 2 of them reach each other; 36 questions", "; 0 differences", "20 packets sent"}, ""},
		{"everyone reaches everyone", true, []string{"1  host1/eth1  web  - ✓ │ !",
			"host1/eth1 a/blue/web → host2/eth1 b/red/app: must not be reached, but is, by anything that was tried",
			"leak  host1/eth1 a/blue/web →  host2/eth1 b/red/app (VLAN 102)  broadcast, other VPC, 7 frames"}, "24 of 36 questions"},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := Measure{Client: inside(t, test.everyone)}
			outcome, err := m.Ask(t.Context(), blueAndRed(), matrix.VPCRules())
			if err != nil {
				t.Fatal(err)
			}
			if err := m.Watch(t.Context(), &outcome, time.Millisecond); err != nil {
				t.Fatal(err)
			}
			text := outcome.Text(false)
			for _, want := range test.want {
				if !strings.Contains(text, want) {
					t.Errorf("%q is not in\n%s", want, text)
				}
			}
			if err := outcome.Verdict(); err == nil && test.failure != "" || err != nil && (test.failure == "" || !strings.Contains(err.Error(), test.failure)) {
				t.Errorf("verdict %v, wanted %q", err, test.failure)
			}
			if text, err := json.Marshal(outcome); err != nil || !strings.Contains(string(text), `"questions":36`) {
				t.Errorf("%v:\n%s", err, text)
			}
		})
	}
}
