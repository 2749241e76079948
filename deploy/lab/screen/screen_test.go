package screen

import (
	"regexp"
	"strings"
	"testing"
	"time"
)

// show returns what a screen shows, with all times replaced.
func show(live, colour bool, do func(*Screen)) string {
	var out strings.Builder
	do(&Screen{out: &out, start: time.Now(), live: live, colour: colour})
	return regexp.MustCompile(` +\d+\.\ds`).ReplaceAllString(out.String(), "TIME")
}

func story(s *Screen) {
	s.Progress("building: 1 of 2")
	s.Progress("building: 2 of 2")
	s.Step("built")
	s.Title("$ kubectl get nodes")
	s.Text("leaf1   Ready\nleaf2   Ready")
}

func TestOnATerminalProgressIsWrittenOver(t *testing.T) {
	const over = "\x1b[1A\x1b[2K"
	want := "TIME  building: 1 of 2\n" + over + "TIME  building: 2 of 2\n" + over + "TIME  built\n" +
		"\n$ kubectl get nodes\n    leaf1   Ready\n    leaf2   Ready\n"
	if got := show(true, false, story); got != want {
		t.Errorf("got\n%q, want\n%q", got, want)
	}
}

func TestInAFileProgressIsShownNowAndThen(t *testing.T) {
	want := "TIME  building: 1 of 2\nTIME  built\n\n$ kubectl get nodes\n    leaf1   Ready\n    leaf2   Ready\n"
	if got := show(false, false, story); got != want {
		t.Errorf("got\n%q, want\n%q", got, want)
	}
}

func TestColour(t *testing.T) {
	title := func(s *Screen) { s.Title("Checked") }
	if got, want := show(true, true, title), "\n\x1b[1mChecked\x1b[0m\n"; got != want {
		t.Errorf("in colour: %q, want %q", got, want)
	}
	if got, want := show(true, false, title), "\nChecked\n"; got != want {
		t.Errorf("without: %q, want %q", got, want)
	}
}
