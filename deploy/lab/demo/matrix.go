package demo

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/switchlet/switchlet/deploy/lab/cabling"
	"github.com/switchlet/switchlet/deploy/lab/matrix"
	"github.com/switchlet/switchlet/deploy/lab/matrix/measure"
)

// settling is how long hosts that have to reach each other may not, once their VPCs are
// Ready: that is when the switches have them. BGP tells the other leaves where hosts
// are within seconds; what a switch has learned wrongly of a host it asks again for 8 s.
const settling = 30 * time.Second

// reach shows who reaches whom, on a lab that forwards. It keeps the endpoints between
// one time and the next.
type reach struct {
	measure   *measure.Measure
	endpoints []matrix.Endpoint
}

// prepareMatrix sees to it that the matrix can be shown, if the lab forwards, and from
// each leaf to each other one.
func (d *Demo) prepareMatrix() error {
	if connected := d.lab.FRR && (d.lab.Spines > 0 || d.lab.Mesh); !connected || !d.lab.Forward {
		return nil
	}
	m, err := measure.Of(d.lab)
	if err != nil {
		return err
	}
	d.reach = &reach{measure: m}
	return nil
}

// endMatrix takes the endpoints away again.
func (d *Demo) endMatrix(ctx context.Context) error {
	if d.reach == nil || d.reach.endpoints == nil {
		return nil
	}
	return d.reach.measure.End(ctx)
}

// findEndpoints waits until there are so many endpoints, and all of them are right.
func (d *Demo) findEndpoints(ctx context.Context, count int, right func(matrix.Endpoint) bool) error {
	if d.reach == nil {
		return nil
	}
	return until(ctx, "the VPCs are not where the hosts are", func(ctx context.Context) (string, error) {
		endpoints, problems, err := d.reach.measure.Endpoints(ctx)
		if err != nil {
			return "", err
		}
		d.reach.endpoints = endpoints
		if len(problems) > 0 {
			return fmt.Sprint(problems), nil
		}
		if len(endpoints) != count {
			return fmt.Sprintf("there are %d endpoints, and should be %d", len(endpoints), count), nil
		}
		for _, e := range endpoints {
			if !right(e) {
				return fmt.Sprintf("%s is at %s/%s", &e, e.Switch, e.Port), nil
			}
		}
		return "", nil
	})
}

// anywhere is any place.
func anywhere(matrix.Endpoint) bool { return true }

// follows says whether an endpoint is at a port, if it is one of a NIC.
func follows(nic, port cabling.End) func(matrix.Endpoint) bool {
	return func(e matrix.Endpoint) bool {
		return e.Host != nic.Node || e.NIC != nic.Port || e.Switch == port.Node && e.Port == port.Port
	}
}

// showMatrix asks every endpoint for every other one. It fails if one reaches another
// that it must not, or does not soon reach one that it must.
func (d *Demo) showMatrix(ctx context.Context, title string, rules matrix.Rules) error {
	if d.reach == nil {
		return nil
	}
	begin := time.Now()
	d.screen.Progress("asking every endpoint for every other one")
	outcome, err := d.reach.measure.Ask(ctx, d.reach.endpoints, rules)
	for err == nil && outcome.Verdict() != nil && !leaks(outcome.Differences) && time.Since(begin) < settling {
		d.screen.Progress("not everyone reaches whom he must yet: %s", outcome.Lines()[0])
		outcome, err = d.reach.measure.Ask(ctx, d.reach.endpoints, rules)
	}
	if err != nil {
		return err
	}
	d.screen.Step("asked every endpoint for every other one: this is how it is after %s", since(begin))
	d.screen.Title("%s (bin/lab matrix)", title)
	d.screen.Text(outcome.Text(d.screen.Colour()))
	return outcome.Verdict()
}

// leaks says whether somebody was reached who must not be: that may never be, not for a
// moment.
func leaks(differences []matrix.Difference) bool {
	return slices.ContainsFunc(differences, func(d matrix.Difference) bool { return d.Expected == matrix.Nothing })
}

// gone lets nobody of a VPC reach anybody, nor be reached.
func gone(vpc string) matrix.Rule {
	return func(from, to *matrix.Endpoint) matrix.Verdict {
		if from.VPC == vpc || to.VPC == vpc {
			return matrix.Apart
		}
		return matrix.Unsaid
	}
}
