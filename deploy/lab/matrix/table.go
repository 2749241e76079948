package matrix

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// The signs of the table.
const (
	signReached = "✓"
	signApart   = "·"
	signLost    = "✗" // has to be reached, and is not
	signPartly  = "◐" // is reached in some ways only
	signLeak    = "!" // must not be reached, and is
	signUnasked = " "
)

// Colours of ANSI terminals.
const (
	green = "32"
	red   = "1;31"
	faint = "2"
	bold  = "1"
)

func (c *cell) sign() (sign, colour string) {
	switch {
	case c == nil:
		return signUnasked, faint
	case c.reach && c.differ == 0:
		return signReached, green
	case c.reach && c.answered > 0:
		return signPartly, red
	case c.reach:
		return signLost, red
	case c.differ > 0:
		return signLeak, red
	default:
		return signApart, faint
	}
}

// Table shows the result to a person: who sends at the left, to whom at the top by
// the number of the line, VPCs apart from each other.
func (r *Result) Table(colour bool) string {
	t := table{result: r, paint: func(_, text string) string { return text }}
	if colour {
		t.paint = func(code, text string) string { return "\x1b[" + code + "m" + text + "\x1b[0m" }
	}
	t.measure()
	t.line("", "", "", t.numbers())
	for i := range r.Endpoints {
		e := &r.Endpoints[i]
		if i == 0 || r.Endpoints[i-1].VPC != e.VPC {
			fmt.Fprintln(&t.text, t.paint(bold, e.VPC))
		}
		t.line(fmt.Sprint(i+1), e.Place(), e.Subnet, t.signs(e))
	}
	fmt.Fprintf(&t.text, "\n%s reaches  %s apart  %s partly  %s not reached  %s leak\n", signReached, signApart, signPartly, signLost, signLeak)
	return t.text.String()
}

type table struct {
	result *Result
	paint  func(code, text string) string
	text   strings.Builder
	// widths of the columns at the left, and of each at the right
	number, place, subnet int
}

func (t *table) measure() {
	t.number = len(fmt.Sprint(len(t.result.Endpoints)))
	for i := range t.result.Endpoints {
		e := &t.result.Endpoints[i]
		t.place = max(t.place, utf8.RuneCountInString(e.Place()))
		t.subnet = max(t.subnet, utf8.RuneCountInString(e.Subnet))
	}
}

func (t *table) line(number, place, subnet, rest string) {
	line := fmt.Sprintf("%*s  %-*s  %-*s %s", t.number, number, t.place, place, t.subnet, subnet, rest)
	fmt.Fprintln(&t.text, strings.TrimRight(line, " "))
}

// columns are the cells of a line, with a bar between VPCs.
func (t *table) columns(show func(i int, e *Endpoint) string) string {
	var line strings.Builder
	for i := range t.result.Endpoints {
		if i > 0 && t.result.Endpoints[i-1].VPC != t.result.Endpoints[i].VPC {
			line.WriteString(" " + t.paint(faint, "│"))
		}
		line.WriteString(" " + show(i, &t.result.Endpoints[i]))
	}
	return line.String()
}

func (t *table) numbers() string {
	return t.columns(func(i int, _ *Endpoint) string { return t.paint(faint, fmt.Sprintf("%*d", t.number, i+1)) })
}

func (t *table) signs(from *Endpoint) string {
	return t.columns(func(_ int, to *Endpoint) string {
		sign, colour := t.result.cells[Pair{from.ID(), to.ID()}].sign()
		if from.ID() == to.ID() {
			sign, colour = "-", faint
		}
		return strings.Repeat(" ", t.number-1) + t.paint(colour, sign)
	})
}
