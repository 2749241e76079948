package probe_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/switchlet/switchlet/agent/probe"
)

// Each line of a story is a time in seconds since the change, what is found
// then (+ works, - broken, ? cannot be asked; ~ broken with a grace of 2 s) and
// what the watch says to it. The probes are a and b, both worked before.
func TestWatch(t *testing.T) {
	for _, test := range []struct{ name, story string }{
		{"all is well", `
			0.0 a+ b+ undecided: a, b
			1.0 a+ b+ undecided:
			2.9 a+ b+ undecided:
			3.0 a+ b+ confirm`},
		{"what breaks and comes back must work for a second", `
			0.0 a+ b- undecided: a, b
			2.5 a+ b+ undecided: b
			3.0 a+ b+ undecided: b
			3.4 a+ b+ undecided: b
			3.5 a+ b+ confirm`},
		{"what breaks just before the end of the window", `
			0.0 a+ b+ undecided: a, b
			2.9 a- b+ undecided: a
			3.0 a+ b+ undecided: a
			4.0 a+ b+ confirm`},
		{"what does not come back", `
			0.0 a+ b- undecided: a, b
			5.0 a+ b- undecided: b
			9.9 a+ b- undecided: b
			10.0 a+ b- revert: b`},
		{"what comes back at the last moment", `
			0.0 a+ b- undecided: a, b
			9.5 a+ b+ undecided: b
			10.0 a+ b+ undecided: b
			10.5 a+ b+ confirm`},
		{"what goes at the last moment", `
			0.0 a- b+ undecided: a, b
			9.0 a+ b+ undecided: a
			9.9 a+ b- undecided: a, b
			10.0 a+ b- revert: b`},
		{"what comes and goes all the time", `
			0.0 a+ b- undecided: a, b
			2.0 a+ b+ undecided: b
			2.8 a+ b- undecided: b
			9.2 a+ b+ undecided: b
			9.9 a+ b- undecided: b
			10.0 a+ b+ undecided: b
			10.8 a+ b- revert: b`},
		{"a row that is deleted and written anew", `
			0.0 a+ b+ undecided: a, b
			2.9 a+ b~ undecided: b
			3.0 a+ b+ confirm`},
		{"a row that is written anew at the deadline", `
			0.0 a- b+ undecided: a, b
			9.9 a+ b~ undecided: a, b
			10.0 a+ b~ undecided: a, b
			10.2 a+ b+ undecided: a
			10.9 a+ b+ confirm`},
		{"a row that is not written anew", `
			0.0 a+ b+ undecided: a, b
			2.0 a+ b~ undecided: b
			4.0 a+ b~ undecided: b
			10.0 a+ b~ revert: b`},
		{"a row that is not there a second after the deadline", `
			0.0 a- b+ undecided: a, b
			9.9 a+ b~ undecided: a, b
			10.9 a+ b~ undecided: b
			11.0 a+ b~ revert: b`},
		{"what cannot be asked neither confirms nor takes back", `
			0.0 a+ b? undecided: a, b
			3.0 a+ b? undecided: b
			10.0 a+ b? undecided: b
			60.0 a+ b? undecided: b
			61.0 a+ b+ undecided: b
			62.0 a+ b+ confirm`},
		{"what can be asked late and is broken", `
			0.0 a+ b? undecided: a, b
			20.0 a+ b- revert: b`},
		{"what was broken and then cannot be asked", `
			0.0 a+ b- undecided: a, b
			5.0 a+ b? undecided: b
			10.0 a+ b? undecided: b
			11.0 a+ b- revert: b`},
		{"nobody answers any more", `
			0.0 a+ b+ undecided: a, b
			1.0 a+ b+ undecided:
			5.0 undecided: a, b
			10.0 undecided: a, b`},
		{"a further write starts the times anew", `
			0.0 a+ b+ undecided: a, b
			2.9 write
			3.0 a+ b+ undecided:
			5.8 a+ b+ undecided:
			5.9 a+ b+ confirm`},
		{"however often somebody writes, what stays broken is lost", `
			0.0 a+ b- undecided: a, b
			5.0 write
			9.0 write
			9.9 a+ b- undecided: b
			10.0 a+ b- revert: b`},
		{"a change may break several", `
			0.0 b- a- undecided: a, b
			10.0 b- a- revert: a, b`},
	} {
		t.Run(test.name, func(t *testing.T) { tell(t, test.story) })
	}
}

func start() time.Time { return time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC) }

func tell(t *testing.T, story string) {
	w := probe.NewWatch(probe.Rules{}, []string{"a", "b"}, start())
	for line := range strings.Lines(strings.TrimSpace(story)) {
		seconds, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		offset, err := strconv.ParseFloat(seconds, 64)
		if err != nil {
			t.Fatal(err)
		}
		now := start().Add(time.Duration(offset * float64(time.Second)))
		if rest == "write" {
			w.Written(now)
			continue
		}
		var results []probe.Result
		for word, more, _ := strings.Cut(rest, " "); len(word) == 2; word, more, _ = strings.Cut(more, " ") {
			results, rest = append(results, result(word)), more
		}
		verdict, about := w.Observe(now, results)
		got := verdict.String()
		if verdict != probe.Confirm {
			got += ":"
		}
		for i, r := range about {
			got += map[bool]string{true: " ", false: ", "}[i == 0] + r.Name
		}
		if got != rest {
			t.Fatalf("%s s: %s, want %s", seconds, got, rest)
		}
	}
}

// result reads a+, a-, a? or a~.
func result(word string) probe.Result {
	r := probe.Result{Name: word[:1]}
	switch word[1] {
	case '+':
		r.State = probe.Works
	case '-':
		r.State = probe.Broken
	case '~':
		r.State, r.Grace = probe.Broken, 2*time.Second
	}
	return r
}

// With nothing to watch, the window is waited for and that is all.
func TestWatchNothing(t *testing.T) {
	w := probe.NewWatch(probe.Rules{Window: time.Second}, nil, start())
	if verdict, _ := w.Observe(start(), nil); verdict != probe.Undecided {
		t.Errorf("at once: %s", verdict)
	}
	if verdict, _ := w.Observe(start().Add(time.Second), nil); verdict != probe.Confirm {
		t.Errorf("at the end of the window: %s", verdict)
	}
}

// Whatever happens, asked five times a second:
//   - nothing is confirmed that was not seen to work for the last second;
//   - nothing is taken back before the deadline;
//   - if everything can be asked, all is decided a second and a look after it;
//   - what can never be asked decides nothing.
func TestWatchProperties(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		const look = 200 * time.Millisecond
		w := probe.NewWatch(probe.Rules{}, []string{"a", "b"}, start())
		states := "+-?"
		if rapid.Bool().Draw(rt, "all can be asked") {
			states = "+-"
		}
		last := map[string]byte{"a": '+', "b": '+'}
		good := map[string]int{} // looks in a row at which it worked
		reached, asked, story := false, false, ""
		for i := range 100 {
			now := start().Add(time.Duration(i) * look)
			var results []probe.Result
			for _, name := range []string{"a", "b"} {
				if rapid.IntRange(0, 9).Draw(rt, "change") < 3 {
					last[name] = states[rapid.IntRange(0, len(states)-1).Draw(rt, "to")]
				}
				story += fmt.Sprintf("%s %s%c\n", now.Sub(start()), name, last[name])
				results = append(results, result(name+string(last[name])))
				if good[name]++; last[name] != '+' {
					good[name] = 0
				}
				asked = asked || last[name] == '?'
			}
			verdict, about := w.Observe(now, results)
			switch {
			case verdict == probe.Confirm && (good["a"] < 6 || good["b"] < 6 || now.Sub(start()) < 3*time.Second):
				rt.Fatalf("confirmed too early:\n%s", story)
			case verdict == probe.Revert && now.Sub(start()) < 10*time.Second:
				rt.Fatalf("taken back too early:\n%s", story)
			case verdict == probe.Revert && len(about) == 0:
				rt.Fatalf("taken back for nothing:\n%s", story)
			case verdict != probe.Undecided:
				reached = true
			}
			if reached {
				break
			}
			if now.Sub(start()) > 11*time.Second+look && !asked {
				rt.Fatalf("undecided:\n%s", story)
			}
		}
	})
}
