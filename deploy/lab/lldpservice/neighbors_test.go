package lldpservice

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/switchlet/switchlet/deploy/lab/lldpcli"
)

// asked counts how often it is asked.
type asked struct {
	neighbors, chassis int
	err                error
	meanwhile          func()
}

func (d *asked) Neighbors(context.Context) ([]lldpcli.Interface, error) {
	d.neighbors++
	if d.meanwhile != nil {
		d.meanwhile()
	}
	return []lldpcli.Interface{{Name: "Ethernet0", Age: 10 * time.Second}}, d.err
}

func (d *asked) Chassis(context.Context) (lldpcli.Chassis, error) {
	d.chassis++
	return lldpcli.Chassis{Name: "leaf1"}, d.err
}

// Each step is a second later than the one before.
func TestNeighborsAreAskedForOnlyWhenSomethingChanged(t *testing.T) {
	now := time.Unix(1000, 0)
	d := &asked{}
	r := &remembered{source: d, now: func() time.Time { return now }}
	for _, step := range []struct {
		name  string
		do    func()
		after time.Duration
		times int
		age   time.Duration // of the neighbour
	}{
		{"first", func() {}, 0, 1, 10 * time.Second},
		{"nothing changed", func() {}, 0, 1, 11 * time.Second},
		{"a change", r.forget, 0, 2, 10 * time.Second},
		{"a change while lldpd answers", func() { r.forget(); d.meanwhile = r.forget }, 0, 3, 10 * time.Second},
		{"is asked for afterwards", func() { d.meanwhile = nil }, 0, 4, 10 * time.Second},
		{"after a minute", func() {}, 2 * time.Minute, 5, 10 * time.Second},
	} {
		t.Run(step.name, func(t *testing.T) {
			now = now.Add(time.Second + step.after)
			step.do()
			got, err := r.Neighbors(t.Context())
			if err != nil || len(got) != 1 {
				t.Fatalf("Neighbors() = %v, %v, want one", got, err)
			}
			if d.neighbors != step.times || got[0].Age != step.age {
				t.Errorf("asked %d times, age %s, want %d, %s", d.neighbors, got[0].Age, step.times, step.age)
			}
		})
	}
}

func TestNothingIsRememberedOfAFailure(t *testing.T) {
	d := &asked{err: errors.New("lldpd is away")}
	r := &remembered{source: d, now: time.Now}
	for range 2 {
		if _, err := r.Neighbors(t.Context()); err == nil {
			t.Error("Neighbors() did not fail")
		}
		if _, err := r.Chassis(t.Context()); err == nil {
			t.Error("Chassis() did not fail")
		}
	}
	if d.neighbors != 2 || d.chassis != 2 {
		t.Errorf("asked %d and %d times, want twice each", d.neighbors, d.chassis)
	}
	d.err = nil
	for range 2 {
		if c, err := r.Chassis(t.Context()); err != nil || c.Name != "leaf1" || d.chassis != 3 {
			t.Errorf("Chassis() = %v, %v after %d questions, want leaf1 after 3", c, err, d.chassis)
		}
	}
}
