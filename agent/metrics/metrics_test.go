package metrics

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"pgregory.net/rapid"
)

// parse reads a text as Prometheus does: name and labels, value.
func parse(t interface{ Fatalf(string, ...any) }, text []byte) map[string]float64 {
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(text))
	if err != nil {
		t.Fatalf("Prometheus does not take it: %v\n%s", err, text)
	}
	got := map[string]float64{}
	for name, family := range families {
		if family.GetHelp() == "" {
			t.Fatalf("%s has no help text", name)
		}
		for _, m := range family.GetMetric() {
			key := name
			for _, label := range m.GetLabel() {
				key += fmt.Sprintf(" %s=%q", label.GetName(), label.GetValue())
			}
			got[key] = m.GetGauge().GetValue() + m.GetCounter().GetValue()
		}
	}
	return got
}

func TestText(t *testing.T) {
	s := NewSet()
	commands := s.Counter("commands_total", "Commands\nwritten, with a \\.")
	drift := s.Counter("drift_total", "Drift.", "table")
	revision := s.Gauge("revision_info", "Revision.", "revision", "by")
	rows := s.Gauge("rows", "Rows.", "table")
	commands.Add(2.5)
	commands.Add(1)
	drift.Add(1, "VLAN")
	drift.Add(1, "VRF")
	drift.Add(1, "VLAN")
	revision.Only(1, "r1", "you")
	revision.Only(1, `"r\2`+"\n", "me")
	rows.Replace(map[string]float64{"VLAN": 7, "VRF": 1})
	rows.Replace(map[string]float64{"VLAN": 1e9})
	want := `# HELP commands_total Commands\nwritten, with a \\.
# TYPE commands_total counter
commands_total 3.5
# HELP drift_total Drift.
# TYPE drift_total counter
drift_total{table="VLAN"} 2
drift_total{table="VRF"} 1
# HELP revision_info Revision.
# TYPE revision_info gauge
revision_info{revision="\"r\\2\n",by="me"} 1
# HELP rows Rows.
# TYPE rows gauge
rows{table="VLAN"} 1e+09
`
	if diff := cmp.Diff(want, string(s.Text())); diff != "" {
		t.Errorf("text (-want +got):\n%s", diff)
	}
	read := map[string]float64{
		"commands_total": 3.5, `drift_total table="VLAN"`: 2, `drift_total table="VRF"`: 1,
		`revision_info revision="\"r\\2\n" by="me"`: 1, `rows table="VLAN"`: 1e9,
	}
	if diff := cmp.Diff(read, parse(t, s.Text())); diff != "" {
		t.Errorf("as Prometheus reads it (-want +got):\n%s", diff)
	}
}

// The agent's own metrics are there from the start, under names that Prometheus
// takes.
func TestAgent(t *testing.T) {
	a := NewAgent()
	got := parse(t, a.Set.Text())
	for name := range got {
		if !strings.HasPrefix(name, "switchlet_agent_") {
			t.Errorf("%s does not begin with switchlet_agent_", name)
		}
	}
	if value, there := got["switchlet_agent_rollbacks_total"]; !there || value != 0 {
		t.Errorf("switchlet_agent_rollbacks_total is %v, %t", value, there)
	}
	a.LastChange.Set(0.013, "write")
	if got := parse(t, a.Set.Text())[`switchlet_agent_last_change_seconds stage="write"`]; got != 0.013 {
		t.Errorf("last change took %v", got)
	}
}

// Whatever the label values are, Prometheus reads them back, and there are never
// too many.
func TestLabels(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := NewSet()
		m := s.Counter("m", "M.", "a", "b")
		want := map[string]float64{}
		for range rapid.IntRange(0, 20).Draw(rt, "n") {
			a, b := rapid.String().Draw(rt, "a"), rapid.String().Draw(rt, "b")
			m.Add(1, a, b)
			want[fmt.Sprintf("m a=%q b=%q", strings.ToValidUTF8(a, "\ufffd"), strings.ToValidUTF8(b, "\ufffd"))]++
		}
		if diff := cmp.Diff(want, parse(rt, s.Text())); diff != "" {
			rt.Fatalf("(-want +got):\n%s", diff)
		}
	})
	s := NewSet()
	added, replaced := s.Counter("added", "A.", "a"), s.Gauge("replaced", "R.", "a")
	all := map[string]float64{}
	for i := range 10 * maxSeries {
		added.Add(1, fmt.Sprint(i))
		all[fmt.Sprint(i)] = 1
	}
	replaced.Replace(all)
	got := parse(t, s.Text())
	if len(got) != 2*(maxSeries+1) || got[`added a="other"`] != 9*maxSeries || got[`replaced a="other"`] != 9*maxSeries {
		t.Errorf("%d series, others %v and %v", len(got), got[`added a="other"`], got[`replaced a="other"`])
	}
}

func TestManyAtOnce(t *testing.T) {
	a := NewAgent()
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for i := range 100 {
				a.Commands.Add(1)
				a.Drift.Add(1, fmt.Sprint("T", i%3))
				a.OwnedRows.Replace(map[string]float64{"VLAN": float64(i)})
				_ = a.Set.Text()
			}
		})
	}
	all.Wait()
	if got := parse(t, a.Set.Text())["switchlet_agent_commands_total"]; got != 800 {
		t.Errorf("commands are %v", got)
	}
}

// until waits for a file to have a value.
func until(t *testing.T, name, key string, want float64) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		text, err := os.ReadFile(name)
		if err == nil && parse(t, text)[key] == want {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s never becomes %v, error %v:\n%s", key, want, err, text)
		}
	}
}

func TestFile(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "textfile")
	name := filepath.Join(dir, "switchlet.prom")
	s := NewSet()
	m := s.Counter("m_total", "M.")
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	var log bytes.Buffer // read when the writer has ended
	go func() {
		defer close(done)
		s.writeFile(ctx, name, time.Millisecond, slog.New(slog.NewTextHandler(&log, nil)))
	}()
	m.Add(1)
	if err := os.Mkdir(dir, 0o700); err != nil { // the folder comes late
		t.Fatal(err)
	}
	until(t, name, "m_total", 1)
	m.Add(1)
	until(t, name, "m_total", 2)
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	<-done
	if after, err := os.Stat(name); err != nil || after.Mode().Perm() != 0o644 || info.Mode().Perm() != 0o644 {
		t.Errorf("mode %v, error %v", info.Mode(), err)
	}
	if others, _ := filepath.Glob(filepath.Join(dir, ".*")); len(others) > 0 {
		t.Errorf("left over: %q", others)
	}
	if strings.Count(log.String(), "cannot be written") != strings.Count(log.String(), "can be written again") || strings.Count(log.String(), "\n") > 2 {
		t.Errorf("log:\n%s", log.String())
	}
}

// Whatever happens between two pauses is one write; nothing is none.
func TestFileIsWrittenSeldom(t *testing.T) {
	name := filepath.Join(t.TempDir(), "switchlet.prom")
	s := NewSet()
	m := s.Gauge("m", "M.")
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.writeFile(ctx, name, time.Hour, slog.New(slog.DiscardHandler))
	}()
	until(t, name, "m", 0)
	for i := range 1000 {
		m.Set(float64(i))
	}
	text, err := os.ReadFile(name)
	if err != nil || parse(t, text)["m"] != 0 {
		t.Errorf("it was written again at once: error %v, %s", err, text)
	}
	cancel()
	<-done
	until(t, name, "m", 999) // the last word
	m.Set(999)
	select {
	case <-s.changed: // from the loop above
	default:
	}
	m.Set(999)
	select {
	case <-s.changed:
		t.Error("setting what it is already counts as a change")
	default:
	}
}

func TestHTTP(t *testing.T) {
	s := NewSet()
	s.Counter("m_total", "M.").Add(3)
	listener, err := Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx, listener) }()
	answer, err := http.Get("http://" + listener.Addr().String() + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || parse(t, text)["m_total"] != 3 || answer.Header.Get("Content-Type") != string(expfmt.NewFormat(expfmt.TypeTextPlain)) {
		t.Errorf("Content-Type %s, error %v:\n%s", answer.Header.Get("Content-Type"), err, text)
	}
	cancel()
	if err := <-served; err != nil {
		t.Errorf("Serve() = %v", err)
	}
	if _, err := Listen("127.0.0.1:nonsense"); err == nil || !strings.HasPrefix(err.Error(), "metrics: listen tcp") {
		t.Errorf("Listen() = %v", err)
	}
}
