// Package measure asks who reaches whom through the switches of a lab that runs, and
// shows it beside who must: for bin/lab and for tests.
package measure

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/switchlet/switchlet/deploy/lab/matrix"
	"github.com/switchlet/switchlet/deploy/lab/matrix/serve"
	"github.com/switchlet/switchlet/deploy/lab/rack"
	"github.com/switchlet/switchlet/deploy/lab/state"
)

const (
	// mtu of endpoints: what fits into a VXLAN tunnel over cables of 9100, rounded down.
	mtu = 9000
	// usualPatience is how long an answer may take that has to come.
	usualPatience = 5 * time.Second
)

// Measure asks the endpoints of one lab.
type Measure struct {
	// Client speaks to where the endpoints are.
	Client *serve.Client
	// Patience is how long an answer may take that has to come; zero for 5 s.
	Patience time.Duration
	// Rates of a watch.
	Rates serve.WatchRequest

	lab   state.Lab
	hosts map[string]bool
}

// ErrForwardsNothing says that a lab has no data plane.
var ErrForwardsNothing = errors.New("its switches forward nothing")

// Of measures a lab that runs and forwards.
func Of(lab state.Lab) (*Measure, error) {
	if !lab.Forward {
		return nil, fmt.Errorf("lab %s: %w: start it with lab up --forward", lab.Name, ErrForwardsNothing)
	}
	inside, err := rack.Of(lab)
	if err != nil {
		return nil, err
	}
	nodes, err := lab.Nodes()
	if err != nil {
		return nil, err
	}
	m := &Measure{
		Client: &serve.Client{URL: inside.URL() + "/matrix", HTTP: inside.HTTP()},
		Rates:  serve.WatchRequest{Rate: 20, ForbiddenRate: 5},
		lab:    lab, hosts: map[string]bool{},
	}
	if lab.UML { // which has one slow processor
		m.Rates = serve.WatchRequest{Rate: 5, ForbiddenRate: 1}
	}
	for _, n := range nodes {
		m.hosts[n.Name] = n.Host
	}
	return m, nil
}

// Endpoints are where the VPCs of the lab's cluster are by now; a Problem says what is
// left out.
func (m *Measure) Endpoints(ctx context.Context) ([]matrix.Endpoint, []matrix.Problem, error) {
	objects, err := readObjects(ctx, m.lab)
	if err != nil {
		return nil, nil, err
	}
	endpoints, problems := matrix.Endpoints(objects, mtu, func(name string) bool { return m.hosts[name] })
	return endpoints, problems, nil
}

// Rules say who must reach whom by what the lab's cluster says now.
func (m *Measure) Rules(ctx context.Context) (matrix.Rules, error) {
	objects, err := readObjects(ctx, m.lab)
	return objects.Rules(), err
}

// Ask plugs the endpoints in and asks everyone for everyone.
func (m *Measure) Ask(ctx context.Context, endpoints []matrix.Endpoint, rules matrix.Rules) (Outcome, error) {
	expect := rules.Expect(endpoints)
	if err := m.Client.Set(ctx, "now", endpoints, expect); err != nil {
		return Outcome{}, err
	}
	patience := m.Patience
	if patience == 0 {
		patience = usualPatience
	}
	answer, err := m.Client.Probe(ctx, patience)
	if err != nil {
		return Outcome{}, err
	}
	return Outcome{Result: matrix.Compare(endpoints, expect, answer.Observations), Seconds: answer.Seconds}, nil
}

// Watch has the endpoints that are plugged in send all the time, for so long or until
// ctx is done: then what was seen counts.
func (m *Measure) Watch(ctx context.Context, outcome *Outcome, long time.Duration) error {
	if err := m.Client.Watch(ctx, m.Rates); err != nil {
		return err
	}
	timer := time.NewTimer(long)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	report, err := m.Client.Stop(context.WithoutCancel(ctx))
	outcome.Watch = &report
	return err
}

// End takes the endpoints away again, also after ctx is done.
func (m *Measure) End(ctx context.Context) error {
	return m.Client.Set(context.WithoutCancel(ctx), "end", nil, nil)
}
