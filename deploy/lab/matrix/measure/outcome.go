package measure

import (
	"fmt"
	"strings"

	"github.com/switchlet/switchlet/deploy/lab/matrix"
	"github.com/switchlet/switchlet/deploy/lab/matrix/watch"
)

// Outcome is what was measured.
type Outcome struct {
	matrix.Result
	// Seconds that the questions took.
	Seconds float64 `json:"seconds"`
	// Problems say what is not among the endpoints.
	Problems []matrix.Problem `json:"problems,omitempty"`
	// Watch is nil if nobody watched.
	Watch *watch.Report `json:"watch,omitempty"`
}

// Text is for people: the table, what it sums up to, and a line for each difference.
func (o *Outcome) Text(colour bool) string {
	var text strings.Builder
	for _, p := range o.Problems {
		fmt.Fprintf(&text, "left out: %s\n", p)
	}
	if len(o.Endpoints) == 0 {
		text.WriteString("No host is attached to a VPC: there is nobody to ask.\n")
	} else {
		text.WriteString(o.Table(colour))
		fmt.Fprintf(&text, "%d endpoints, %d pairs, %d of them reach each other; %d questions within %.1f s, the slowest answer after %.0f ms; %d differences\n",
			len(o.Endpoints), o.Pairs, o.Reach, o.Questions, o.Seconds, float64(o.Slowest.Microseconds())/1000, len(o.Differences))
	}
	for _, line := range o.Lines() {
		fmt.Fprintln(&text, line)
	}
	if o.Watch != nil {
		text.WriteString("\n" + o.Watch.Text())
	}
	return text.String()
}

// Verdict is an error if anything is not as expected.
func (o *Outcome) Verdict() error {
	if len(o.Differences) > 0 {
		return fmt.Errorf("%d of %d questions had another outcome than expected", len(o.Differences), o.Questions)
	}
	if o.Watch != nil && o.Watch.Failed() {
		return fmt.Errorf("%d leaks, or flows through which nothing came", len(o.Watch.Leaks))
	}
	return nil
}
