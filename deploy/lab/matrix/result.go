package matrix

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"
)

// Result is what was seen between endpoints, beside what was expected.
type Result struct {
	Endpoints []Endpoint `json:"endpoints"`
	// Questions that were asked, and how many pairs of endpoints they are of.
	Questions int `json:"questions"`
	Pairs     int `json:"pairs"`
	// Reach is how many of the pairs have to reach each other.
	Reach int `json:"reach"`
	// Differences to what was expected, by pair.
	Differences []Difference `json:"differences"`
	// Slowest answer.
	Slowest time.Duration `json:"slowestNs"`
	cells   map[Pair]*cell
}

// Difference is a question with another outcome than expected.
type Difference struct {
	// From and To are such as "host1/eth1 tenant-a/blue/web", with the address.
	From string `json:"from"`
	To   string `json:"to"`
	// Way is such as "icmp IPv6 full".
	Way string `json:"way"`
	// Expected is "answered" or "nothing".
	Expected Seen   `json:"expected"`
	Seen     Seen   `json:"seen"`
	Detail   string `json:"detail,omitempty"`

	pair Pair
}

// cell sums a pair up.
type cell struct {
	reach             bool
	silent            bool // packets may come, but no answers
	questions, differ int
	answered, noticed int // noticed: at least arrived
	differences       []Difference
	from, to          *Endpoint
}

// Compare puts what was observed beside what is expected.
func Compare(endpoints []Endpoint, expect Expectation, seen []Observation) Result {
	r := Result{Endpoints: endpoints, Questions: len(seen), Differences: []Difference{}, cells: map[Pair]*cell{}}
	byID := map[ID]*Endpoint{}
	for i := range endpoints {
		byID[endpoints[i].ID()] = &endpoints[i]
	}
	for _, o := range seen {
		from, to := byID[o.From], byID[o.To]
		if from == nil || to == nil {
			continue // of endpoints that are not asked about
		}
		c := r.cells[o.Pair]
		if c == nil {
			reach, said := expect[o.Pair]
			c = &cell{reach: reach, silent: said && !reach, from: from, to: to}
			r.cells[o.Pair] = c
		}
		c.add(o)
		if o.Seen == Answered {
			r.Slowest = max(r.Slowest, o.Took)
		}
	}
	r.Pairs = len(r.cells)
	for _, pair := range slices.SortedFunc(maps.Keys(r.cells), r.order) {
		c := r.cells[pair]
		if c.reach {
			r.Reach++
		}
		r.Differences = append(r.Differences, c.differences...)
	}
	return r
}

// order is that of the endpoints.
func (r *Result) order(a, b Pair) int {
	x, y := r.cells[a], r.cells[b]
	return cmp.Or(x.from.Compare(y.from), x.to.Compare(y.to))
}

func (c *cell) add(o Observation) {
	c.questions++
	if o.Seen == Answered {
		c.answered++
	}
	if o.Seen != Nothing {
		c.noticed++
	}
	want := Nothing
	if c.reach {
		want = Answered
	}
	if o.Seen == want || c.silent && o.Seen == Arrived {
		return
	}
	c.differ++
	c.differences = append(c.differences, Difference{
		From: named(c.from, o.IPv6), To: named(c.to, o.IPv6), Way: o.Way(),
		Expected: want, Seen: o.Seen, Detail: o.Detail, pair: o.Pair,
	})
}

func named(e *Endpoint, v6 bool) string {
	address, _ := e.Address(v6)
	return e.String() + " " + address.String()
}

// Lines are the differences for people: one line for each pair and outcome.
func (r *Result) Lines() []string {
	type outcome struct {
		Pair
		seen Seen
	}
	ways := map[outcome][]string{}
	var order []outcome
	for _, d := range r.Differences {
		key := outcome{d.pair, d.Seen}
		if ways[key] == nil {
			order = append(order, key)
		}
		way := d.Way
		if d.Detail != "" {
			way += " (" + d.Detail + ")"
		}
		ways[key] = append(ways[key], way)
	}
	var lines []string
	for _, o := range order {
		c := r.cells[o.Pair]
		lines = append(lines, c.from.String()+" → "+c.to.String()+": "+c.says(o.seen)+" "+summary(ways[o], c.questions))
	}
	return lines
}

// says is what is wrong with a pair of which something was seen.
func (c *cell) says(seen Seen) string {
	switch {
	case !c.reach && seen == Answered:
		return "must not be reached, but is, by"
	case !c.reach:
		return "must not be reached, but packets come there (no answer comes back), by"
	case seen == Arrived:
		return "packets come there, but no answer comes back, by"
	default:
		return "is not reached by"
	}
}

func summary(ways []string, all int) string {
	if len(ways) == all && !strings.Contains(strings.Join(ways, ""), "(") {
		return "anything that was tried"
	}
	return strings.Join(ways, ", ")
}
