package reconcile

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/controller/release"
)

// Limits of what Prometheus may take of us.
const (
	checkTimeout = 5 * time.Second
	maxAnswer    = 1 << 20 // bytes
)

// checkQuery asks Prometheus and compares. What goes wrong is a check that does not hold.
func checkQuery(ctx context.Context, c *http.Client, check v1alpha1.PrometheusCheck, name string) release.Result {
	values, err := askPrometheus(ctx, c, check, name)
	if err != nil {
		return release.Result{Done: true, Value: err.Error()}
	}
	want, err := strconv.ParseFloat(check.Value, 64)
	if err != nil {
		return release.Result{Done: true, Value: fmt.Sprintf("value %q is no number", check.Value)}
	}
	if len(values) == 0 {
		return release.Result{Done: true, Value: "the query gives nothing"}
	}
	for _, have := range values {
		if !compare(have, check.Is, want) {
			return release.Result{Done: true, Value: fmt.Sprintf("%v is not %s %s", have, check.Is, check.Value)}
		}
	}
	return release.Result{Done: true, OK: true, Value: fmt.Sprint(values[0])}
}

// askPrometheus makes one instant query (GET /api/v1/query of Prometheus's HTTP API).
func askPrometheus(ctx context.Context, c *http.Client, check v1alpha1.PrometheusCheck, name string) ([]float64, error) {
	text := strings.ReplaceAll(check.Query, "$switch", name)
	address := strings.TrimSuffix(check.URL, "/") + "/api/v1/query?" + url.Values{"query": {text}}.Encode()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, fmt.Errorf("url %q: %w", check.URL, err)
	}
	response, err := c.Do(request)
	if err != nil {
		return nil, fmt.Errorf("ask Prometheus: %w", err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read the answer of Prometheus: %w", err)
	case len(body) > maxAnswer:
		return nil, fmt.Errorf("the answer of Prometheus is longer than %d bytes: make the query give less", maxAnswer)
	}
	values, err := parseAnswer(body)
	if err != nil && response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("answer of Prometheus: %s", response.Status)
	}
	return values, err
}

// parseAnswer reads the values of a scalar or of an instant vector.
func parseAnswer(body []byte) ([]float64, error) {
	var answer struct {
		Status, Error string
		Data          struct {
			ResultType string
			Result     json.RawMessage
		}
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, fmt.Errorf("the answer is none of Prometheus: %w", err)
	}
	if answer.Status != "success" {
		return nil, fmt.Errorf("answer of Prometheus: %s", answer.Error)
	}
	var samples []sample
	switch answer.Data.ResultType {
	case "scalar":
		samples = make([]sample, 1)
		if err := json.Unmarshal(answer.Data.Result, &samples[0].Value); err != nil {
			return nil, fmt.Errorf("the scalar in the answer: %w", err)
		}
	case "vector":
		if err := json.Unmarshal(answer.Data.Result, &samples); err != nil {
			return nil, fmt.Errorf("the vector in the answer: %w", err)
		}
	default:
		return nil, fmt.Errorf("the query gives a %s: it has to give a vector or a scalar", answer.Data.ResultType)
	}
	return numbers(samples)
}

// sample is a time and a value in decimal, as a text.
type sample struct {
	Value [2]json.RawMessage
}

func numbers(samples []sample) ([]float64, error) {
	var out []float64
	for _, s := range samples {
		var text string
		if err := json.Unmarshal(s.Value[1], &text); err != nil {
			return nil, fmt.Errorf("a value in the answer: %w", err)
		}
		n, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return nil, fmt.Errorf("a value in the answer: %w", err)
		}
		out = append(out, n)
	}
	return out, nil
}

// compare is false for what is no number, whatever it is compared with.
func compare(a float64, is v1alpha1.Comparison, b float64) bool {
	if math.IsNaN(a) {
		return false
	}
	switch is {
	case "==":
		return a == b
	case "!=":
		return a != b
	case "<":
		return a < b
	case "<=":
		return a <= b
	case ">":
		return a > b
	case ">=":
		return a >= b
	}
	return false
}
