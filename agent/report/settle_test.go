package report_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/client-go/rest"

	"github.com/switchlet/switchlet/agent/report"
	"github.com/switchlet/switchlet/agent/watch"
	"github.com/switchlet/switchlet/api/v1alpha1"
)

// written notes the reasons of Programmed that get to the API server.
type written struct {
	t       *testing.T
	reasons []string
}

func (w *written) RoundTrip(r *http.Request) (*http.Response, error) {
	var object struct{ Status v1alpha1.SwitchConfigStatus }
	if err := json.NewDecoder(r.Body).Decode(&object); err != nil {
		w.t.Error(err)
	}
	for _, c := range object.Status.Conditions {
		if c.Type == v1alpha1.ConfigProgrammed {
			w.reasons = append(w.reasons, c.Reason)
		}
	}
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader("{}")), Request: r}, nil
}

// A change that is done soon is told once, when it is done. One that takes longer is told
// while it is on its way.
func TestSettling(t *testing.T) {
	for _, test := range []struct {
		name  string
		takes time.Duration
		want  []string
	}{
		{"soon done", 200 * time.Millisecond, []string{"Converged"}},
		{"takes long", 400 * time.Millisecond, []string{v1alpha1.ReasonConverging, "Converged"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := &written{t: t}
				client, err := watch.NewClient(&rest.Config{Host: "http://api", Transport: server})
				if err != nil {
					t.Fatal(err)
				}
				r := report.New(client, "leaf1", slog.New(slog.DiscardHandler))
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				go r.Run(ctx)
				r.Report(report.Facts{Generation: 1, Programmed: report.State{Reason: v1alpha1.ReasonConverging}})
				time.Sleep(test.takes / 2)
				r.Report(report.Facts{Generation: 1, Programmed: report.State{Reason: v1alpha1.ReasonConverging, Message: "one row less"}})
				time.Sleep(test.takes / 2)
				r.Report(report.Facts{Generation: 1, Programmed: report.State{OK: true, Reason: "Converged"}})
				synctest.Wait()
				if !slices.Equal(server.reasons, test.want) {
					t.Errorf("written were %v, want %v", server.reasons, test.want)
				}
			})
		})
	}
}
