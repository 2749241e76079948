package watch

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
)

// shown is how many flows and leaks a person is shown.
const shown = 20

// Text is the report for people: what leaked, and which flows were interrupted, the
// longest time first.
func (r Report) Text() string {
	var text strings.Builder
	silent, interrupted := r.sort()
	fmt.Fprintf(&text, "%.1f s: %d packets sent, %d heard; %d flows, %d of them interrupted, through %d nothing came; %d leaks\n",
		r.Seconds, r.Sent, r.Heard, len(r.Flows), len(interrupted), len(silent), len(r.Leaks))
	if r.Dropped > 0 {
		fmt.Fprintf(&text, "%d packets came too fast to be looked at: a lower rate loses less\n", r.Dropped)
	}
	table := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	for _, l := range r.Leaks[:min(shown, len(r.Leaks))] {
		fmt.Fprintf(table, "leak\t%s →\t%s%s\t%s, %s, %d frames from %s on\n", l.From, l.At, tag(l.VLAN), l.Kind, l.Reason, l.Count, l.First.Format("15:04:05.000"))
	}
	for _, f := range silent[:min(shown, len(silent))] {
		fmt.Fprintf(table, "nothing\t%s →\t%s\t%s, %d sent\n", f.From, f.To, family(f.IPv6), f.Sent)
	}
	for _, f := range interrupted[:min(shown, len(interrupted))] {
		fmt.Fprintf(table, "loss\t%s →\t%s\t%s, %d of %d lost, longest %.0f ms at %s\n", f.From, f.To, family(f.IPv6), f.Lost, f.Sent, f.Longest.MS, f.Longest.At.Format("15:04:05.000"))
	}
	table.Flush() // to memory
	if most := max(len(r.Leaks), len(silent), len(interrupted)); most > shown {
		fmt.Fprintf(&text, "… and more: -o json shows all\n")
	}
	return text.String()
}

// sort are the flows through which nothing came, and those that lost something.
func (r Report) sort() (silent, interrupted []Flow) {
	for _, f := range r.Flows {
		switch {
		case f.Silent():
			silent = append(silent, f)
		case f.Lost > 0:
			interrupted = append(interrupted, f)
		}
	}
	slices.SortStableFunc(interrupted, func(a, b Flow) int { return cmp.Compare(b.Longest.MS, a.Longest.MS) })
	return silent, interrupted
}

// Failed says whether there was a leak, or a flow through which nothing came.
func (r Report) Failed() bool {
	return len(r.Leaks) > 0 || slices.ContainsFunc(r.Flows, Flow.Silent)
}

func family(v6 bool) string {
	if v6 {
		return "IPv6"
	}
	return "IPv4"
}

func tag(vlan int) string {
	if vlan == 0 {
		return ""
	}
	return fmt.Sprintf(" (VLAN %d)", vlan)
}
