package metrics

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// maxSeries bounds how many label values a metric can have. What comes after
// them is counted under "other", so that no name on a switch can fill memory.
const maxSeries = 128

// Set is a set of metrics. Several goroutines may use it.
type Set struct {
	mu      sync.Mutex
	metrics []*Metric
	changed chan struct{}
	// quote and plain write what Prometheus's text format wants escaped, in the values
	// of labels and in the help.
	quote, plain *strings.Replacer
}

// NewSet is an empty set.
func NewSet() *Set {
	return &Set{
		changed: make(chan struct{}, 1),
		quote:   strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`), plain: strings.NewReplacer(`\`, `\\`, "\n", `\n`),
	}
}

// Counter adds a metric that only rises.
func (s *Set) Counter(name, help string, labels ...string) *Metric {
	return s.add(name, help, "counter", labels)
}

// Gauge adds a metric that rises and falls.
func (s *Set) Gauge(name, help string, labels ...string) *Metric {
	return s.add(name, help, "gauge", labels)
}

func (s *Set) add(name, help, kind string, labels []string) *Metric {
	m := &Metric{set: s, name: name, help: help, kind: kind, labels: labels, series: map[string]float64{}}
	if len(labels) == 0 {
		m.series[""] = 0
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.metrics = append(s.metrics, m)
	return m
}

// Metric is one metric with a value for each combination of its labels' values.
// The methods take as many of these as it has labels.
type Metric struct {
	set              *Set
	name, help, kind string
	labels           []string
	series           map[string]float64 // by the labels as they are written
}

// Add raises a value.
func (m *Metric) Add(by float64, values ...string) {
	m.change(values, func(old float64) float64 { return old + by })
}

// Set sets a value.
func (m *Metric) Set(to float64, values ...string) {
	m.change(values, func(float64) float64 { return to })
}

// Only sets a value and drops all others, as for a metric whose label tells
// what there is one of.
func (m *Metric) Only(to float64, values ...string) {
	m.replace(map[string]float64{m.text(values): to})
}

// Replace sets the values of a metric with one label, by the label's values,
// and drops the others.
func (m *Metric) Replace(all map[string]float64) {
	series := make(map[string]float64, len(all))
	for _, value := range slices.Sorted(maps.Keys(all)) {
		series[m.place(series, []string{value})] += all[value]
	}
	m.replace(series)
}

func (m *Metric) replace(series map[string]float64) {
	m.set.mu.Lock()
	defer m.set.mu.Unlock()
	if !maps.Equal(m.series, series) {
		m.series = series
		m.set.signal()
	}
}

func (m *Metric) change(values []string, change func(float64) float64) {
	m.set.mu.Lock()
	defer m.set.mu.Unlock()
	key := m.place(m.series, values)
	old, there := m.series[key]
	if m.series[key] = change(old); m.series[key] != old || !there {
		m.set.signal()
	}
}

// place is the key, among series, of the one with the given label values.
func (m *Metric) place(series map[string]float64, values []string) string {
	key := m.text(values)
	if _, there := series[key]; !there && len(series) >= maxSeries {
		return m.text(slices.Repeat([]string{"other"}, len(m.labels)))
	}
	return key
}

// text is the labels as they are written. Values that are missing are empty.
func (m *Metric) text(values []string) string {
	if len(m.labels) == 0 {
		return ""
	}
	pairs := make([]string, len(m.labels))
	for i, label := range m.labels {
		value := ""
		if i < len(values) {
			value = strings.ToValidUTF8(values[i], "\ufffd")
		}
		pairs[i] = label + `="` + m.set.quote.Replace(value) + `"`
	}
	return "{" + strings.Join(pairs, ",") + "}"
}

// signal tells whoever writes the metrics that there is something new.
func (s *Set) signal() {
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

// Text is all metrics in Prometheus's text format, version 0.0.4.
func (s *Set) Text() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	var text []byte
	for _, m := range s.metrics {
		text = fmt.Appendf(text, "# HELP %s %s\n# TYPE %s %s\n", m.name, s.plain.Replace(m.help), m.name, m.kind)
		for _, labels := range slices.Sorted(maps.Keys(m.series)) {
			text = append(append(append(text, m.name...), labels...), ' ')
			text = append(strconv.AppendFloat(text, m.series[labels], 'g', -1, 64), '\n')
		}
	}
	return text
}
