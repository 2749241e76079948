// Package screen shows a person how far something is: one line for each step,
// with the time since the start. On a terminal the step that goes on is shown
// as it goes, in colour unless NO_COLOR is set.
package screen

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"
)

// Screen is where the lines go. It may be used by several goroutines.
type Screen struct {
	mu     sync.Mutex
	out    io.Writer
	start  time.Time
	live   bool // lines can be written over
	colour bool
	open   bool      // the last line can be written over
	last   time.Time // when progress was last shown where lines cannot be
}

// New shows on a file, such as os.Stdout. noColour is what the environment
// variable NO_COLOR says, see no-color.org.
func New(out *os.File, noColour bool) *Screen {
	live := term.IsTerminal(int(out.Fd()))
	return &Screen{out: out, start: time.Now(), live: live, colour: live && !noColour}
}

// quiet is how often progress is shown where lines cannot be written over.
const quiet = 15 * time.Second

// Step says that something is done, or begins.
func (s *Screen) Step(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.line(fmt.Sprintf(format, args...))
	s.open = false
}

// Progress says how far something is; the next line takes its place.
func (s *Screen) Progress(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.live {
		if time.Since(s.last) < quiet {
			return
		}
		s.last = time.Now()
	}
	s.line(fmt.Sprintf(format, args...))
	s.open = s.live
}

// line writes one line, over the last one if that is open.
func (s *Screen) line(text string) {
	elapsed := fmt.Sprintf("%6.1fs", time.Since(s.start).Seconds())
	if s.open {
		fmt.Fprint(s.out, "\x1b[1A\x1b[2K") // up one line, and empty it
	}
	fmt.Fprintf(s.out, "%s  %s\n", s.paint("36", elapsed), text)
}

// Title begins a part of the story.
func (s *Screen) Title(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open = false
	fmt.Fprintf(s.out, "\n%s\n", s.paint("1", fmt.Sprintf(format, args...)))
}

// Colour says whether text may have colours.
func (s *Screen) Colour() bool { return s.colour }

// Text shows text as it is, such as the output of a program, indented.
func (s *Screen) Text(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open = false
	for line := range strings.Lines(strings.TrimRight(text, "\n") + "\n") {
		fmt.Fprint(s.out, "    ", line)
	}
}

func (s *Screen) paint(code, text string) string {
	if !s.colour {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}
