package reconcile

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

// Each case is what Prometheus answers, and what the check "> 0.5" makes of it.
func TestPrometheusCheck(t *testing.T) {
	vector := func(values ...string) string {
		var samples []string
		for _, v := range values {
			samples = append(samples, fmt.Sprintf(`{"metric": {"a": "b"}, "value": [1435781451.781, %q]}`, v))
		}
		return fmt.Sprintf(`{"status": "success", "data": {"resultType": "vector", "result": [%s]}}`, strings.Join(samples, ", "))
	}
	for _, c := range []struct {
		name, answer string
		status       int
		ok           bool
		says         string
	}{
		{"all compare", vector("1", "0.75"), 200, true, "1"},
		{"one does not", vector("1", "0.25"), 200, false, "0.25 is not > 0.5"},
		{"nothing", vector(), 200, false, "the query gives nothing"},
		{"no number compares with none", vector("NaN"), 200, false, "NaN is not > 0.5"},
		{"infinity does", vector("+Inf"), 200, true, "+Inf"},
		{"a scalar", `{"status": "success", "data": {"resultType": "scalar", "result": [1, "7"]}}`, 200, true, "7"},
		{"a matrix", `{"status": "success", "data": {"resultType": "matrix", "result": []}}`, 200, false, "the query gives a matrix: it has to give a vector or a scalar"},
		{"a wrong query", `{"status": "error", "error": "parse error"}`, 400, false, "answer of Prometheus: 400 Bad Request"},
		{"an error page", `<html>`, 502, false, "answer of Prometheus: 502 Bad Gateway"},
		{"something else", `[]`, 200, false, "the answer is none of Prometheus"},
		{"far too much", strings.Repeat("x", maxAnswer+1), 200, false, "is longer than 1048576 bytes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if got, want := r.URL.Path+"?"+r.URL.Query().Get("query"), `/base/api/v1/query?x{s="leaf1"}`; got != want {
					t.Errorf("asked for %s, want %s", got, want)
				}
				w.WriteHeader(c.status)
				fmt.Fprint(w, c.answer)
			}))
			defer server.Close()
			check := v1alpha1.PrometheusCheck{URL: server.URL + "/base/", Query: `x{s="$switch"}`, Is: ">", Value: "0.5"}
			got := checkQuery(t.Context(), server.Client(), check, "leaf1")
			if !got.Done || got.OK != c.ok || !strings.Contains(got.Value, c.says) {
				t.Errorf("got %+v, want %v with %q", got, c.ok, c.says)
			}
		})
	}
}

// A Prometheus that cannot be reached is a check that does not hold.
func TestPrometheusAway(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	got := checkQuery(t.Context(), http.DefaultClient, v1alpha1.PrometheusCheck{URL: server.URL, Query: "up", Is: "==", Value: "1"}, "leaf1")
	if got.OK || !strings.Contains(got.Value, "ask Prometheus") {
		t.Errorf("got %+v", got)
	}
}

func TestComparisons(t *testing.T) {
	for is, want := range map[v1alpha1.Comparison][3]bool{ // of 1, 2 and 3 with 2
		"==": {false, true, false}, "!=": {true, false, true}, "<": {true, false, false},
		"<=": {true, true, false}, ">": {false, false, true}, ">=": {false, true, true},
	} {
		for i, a := range []float64{1, 2, 3} {
			if compare(a, is, 2) != want[i] {
				t.Errorf("%v %s 2 is %v", a, is, !want[i])
			}
		}
	}
}

// What Prometheus answers comes from outside.
func FuzzPrometheusAnswer(f *testing.F) {
	f.Add([]byte(`{"status": "success", "data": {"resultType": "vector", "result": [{"value": [1, "2"]}]}}`))
	f.Add([]byte(`{"status": "success", "data": {"resultType": "scalar", "result": [1]}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		if values, err := parseAnswer(body); err != nil && values != nil {
			t.Errorf("values %v with error %v", values, err)
		}
	})
}
