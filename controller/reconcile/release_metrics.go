package reconcile

import (
	"errors"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

// releaseMetrics tell of releases in the registry of all controllers.
type releaseMetrics struct {
	switches *prometheus.GaugeVec   // by release and phase
	stops    *prometheus.CounterVec // by release and reason
}

func newReleaseMetrics() (*releaseMetrics, error) {
	m := &releaseMetrics{
		switches: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "switchlet_release_switches", Help: "Switches of a NOSRelease by phase.",
		}, []string{"release", "phase"}),
		stops: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "switchlet_release_stops_total", Help: "How often a NOSRelease has stopped, by reason.",
		}, []string{"release", "reason"}),
	}
	var err1, err2 error
	m.switches, err1 = registered(m.switches)
	m.stops, err2 = registered(m.stops)
	return m, errors.Join(err1, err2)
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

// tell counts the switches of all releases anew.
func (m *releaseMetrics) tell(releases []v1alpha1.NOSRelease) {
	m.switches.Reset()
	for i := range releases {
		for _, s := range releases[i].Status.Switches {
			m.switches.WithLabelValues(releases[i].Name, string(s.Phase)).Inc()
		}
	}
}

func (m *releaseMetrics) stopped(release, reason string) {
	m.stops.WithLabelValues(release, reason).Inc()
}
