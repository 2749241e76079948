package reconcile

import (
	"errors"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/controller/release"
)

// releaseMetrics tell of releases in the registry of all controllers.
type releaseMetrics struct {
	switches *prometheus.GaugeVec   // by release and phase
	stopped  *prometheus.GaugeVec   // by release and reason
	stops    *prometheus.CounterVec // by release and reason
	steps    *prometheus.GaugeVec   // by release and phase
	told     map[string]bool        // the releases that the above speak of
}

func newReleaseMetrics() (*releaseMetrics, error) {
	m := &releaseMetrics{
		told: map[string]bool{},
		switches: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "switchlet_release_switches", Help: "Switches of a NOSRelease by phase.",
		}, []string{"release", "phase"}),
		stopped: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "switchlet_release_stopped", Help: "1 while a NOSRelease is stopped, by reason.",
		}, []string{"release", "reason"}),
		stops: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "switchlet_release_stops_total", Help: "How often a NOSRelease has stopped, by reason.",
		}, []string{"release", "reason"}),
		steps: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "switchlet_release_last_step_seconds", Help: "How long the last switch that has left a phase of a NOSRelease was in it.",
		}, []string{"release", "phase"}),
	}
	var err1, err2, err3, err4 error
	m.switches, err1 = registered(m.switches)
	m.stopped, err2 = registered(m.stopped)
	m.stops, err3 = registered(m.stops)
	m.steps, err4 = registered(m.steps)
	return m, errors.Join(err1, err2, err3, err4)
}

// registered is the collector in the registry: this one, or the one of that name
// that an earlier manager of the same program has put there.
func registered[C prometheus.Collector](c C) (C, error) {
	err := metrics.Registry.Register(c)
	var there prometheus.AlreadyRegisteredError
	if errors.As(err, &there) {
		if same, ok := there.ExistingCollector.(C); ok {
			return same, nil
		}
	}
	if err != nil {
		return c, fmt.Errorf("register the metrics of releases: %w", err)
	}
	return c, nil
}

// tell says how all releases are, and nothing any more of those that are gone.
func (m *releaseMetrics) tell(releases []v1alpha1.NOSRelease) {
	m.switches.Reset()
	m.stopped.Reset()
	gone := m.told
	m.told = map[string]bool{}
	for i := range releases {
		name, status := releases[i].Name, &releases[i].Status
		m.told[name] = true
		delete(gone, name)
		for _, s := range status.Switches {
			m.switches.WithLabelValues(name, string(s.Phase)).Inc()
		}
		if status.Stop != nil {
			m.stopped.WithLabelValues(name, status.Stop.Reason).Set(1)
		}
	}
	for name := range gone {
		m.stops.DeletePartialMatch(prometheus.Labels{"release": name})
		m.steps.DeletePartialMatch(prometheus.Labels{"release": name})
	}
}

func (m *releaseMetrics) countStop(name, reason string) {
	m.stops.WithLabelValues(name, reason).Inc()
}

// left notes how long a switch was in the phase that it has left for another one.
func (m *releaseMetrics) left(name string, was, now *v1alpha1.ReleaseSwitchStatus) {
	if release.AtWork(was.Phase) && was.Since != nil && now.Since != nil {
		m.steps.WithLabelValues(name, string(was.Phase)).Set(now.Since.Sub(was.Since.Time).Seconds())
	}
}
