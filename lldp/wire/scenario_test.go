package wire

import (
	"bufio"
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/switchlet/switchlet/deploy/lab/labtest/golden"
	"github.com/switchlet/switchlet/lldp/frame"
)

// Each file of testdata is a session with an engine: lines that begin with ">" are
// what happens, the lines after them what the engine does.
//
//	> link 1 eth0 running alias=x    a link is there, or is now so
//	> gone 1                         it is gone
//	> lost 1 3                       link 1 has lost its carrier three times by now
//	> at 90s                         time passes until then
//	> hear 1 leaf1 Eth1 ttl=120      link 1 brings a frame of chassis leaf1, port Eth1
//	> flood 1 1000                   link 1 brings 1000 frames, each of another chassis
//	> restore eth0 leaf1 Eth1        that one was heard on eth0 before a restart
//	> show                           neighbours, loops, ports
//	> stop                           the end
func TestSessions(t *testing.T) { golden.Files(t, "testdata/*.txt", play) }

// session is an engine and what it did.
type session struct {
	t      *testing.T
	engine *engine
	start  time.Time
	now    time.Time
	out    bytes.Buffer
}

func play(t *testing.T, script []byte) []byte {
	t.Helper()
	s := newSession(t, Config{Chassis: frame.ChassisByName("node1")})
	for lines := bufio.NewScanner(bytes.NewReader(script)); lines.Scan(); {
		line := lines.Text()
		if strings.HasPrefix(line, "#") || line == "" {
			fmt.Fprintln(&s.out, line)
		}
		if command, ok := strings.CutPrefix(line, "> "); ok {
			fmt.Fprintln(&s.out, line)
			s.command(strings.Fields(command))
		}
	}
	return s.out.Bytes()
}

func newSession(t *testing.T, cfg Config) *session {
	t.Helper()
	cfg, err := cfg.complete()
	if err != nil {
		t.Fatal(err)
	}
	start := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	return &session{t: t, engine: newEngine(cfg), start: start, now: start}
}

func (s *session) command(words []string) {
	s.t.Helper()
	args, options := split(words[1:])
	switch words[0] {
	case "link":
		s.effects(s.engine.setLink(s.link(args, options), s.now))
		s.due()
	case "gone":
		s.effects(s.engine.removeLink(s.number(args[0])))
	case "lost":
		if s.engine.lost(s.number(args[0]), uint32(s.number(args[1])), s.now) {
			s.say("changed")
		}
		s.due()
	case "at":
		s.at(args[0])
	case "hear":
		s.hear(s.number(args[0]), s.frame(args[1], args[2], options))
	case "flood":
		for i := range s.number(args[1]) {
			s.engine.hear(s.number(args[0]), s.frame(fmt.Sprint("flood", i), "x", options), s.now)
		}
	case "restore":
		f := s.decoded(args[1], args[2], options)
		s.engine.restore([]Neighbor{{Interface: args[0], Frame: f, Destination: NearestBridge(), FirstSeen: s.start.Add(-time.Hour), LastSeen: s.start.Add(-time.Minute)}})
	case "show":
		s.show()
	case "stop":
		s.effects(effects{send: s.engine.farewells()})
	default:
		s.t.Fatalf("command %q is not known", words[0])
	}
}

func split(words []string) (args []string, options map[string]string) {
	options = map[string]string{}
	for _, w := range words {
		if name, value, ok := strings.Cut(w, "="); ok {
			options[name] = value
		} else {
			args = append(args, w)
		}
	}
	return args, options
}

func (s *session) number(text string) int {
	s.t.Helper()
	n, err := strconv.Atoi(text)
	if err != nil {
		s.t.Fatal(err)
	}
	return n
}

func (s *session) link(args []string, options map[string]string) Link {
	s.t.Helper()
	l := Link{Index: s.number(args[0]), Name: args[1], Ethernet: true, MTU: 1500, Alias: options["alias"], Kind: options["kind"]}
	l.MAC = MAC{2, 0, 0, 0, 0, byte(l.Index)}
	if options["mtu"] != "" {
		l.MTU = s.number(options["mtu"])
	}
	if options["losses"] != "" {
		l.CarrierLosses = uint32(s.number(options["losses"]))
	}
	if options["mac"] != "" {
		l.MAC[4] = byte(s.number(options["mac"]))
	}
	for _, word := range args[2:] {
		l.Running = l.Running || word == "running"
		l.Bonded = l.Bonded || word == "bonded"
	}
	if l.Bonded {
		l.Master = 9
	}
	return l
}

func (s *session) decoded(chassis, port string, options map[string]string) frame.Frame {
	s.t.Helper()
	f := frame.Frame{ChassisID: frame.ChassisByName(chassis), PortID: frame.PortByName(port), TTL: 2 * time.Minute, SystemName: options["name"]}
	if options["ttl"] != "" {
		f.TTL = time.Duration(s.number(options["ttl"])) * time.Second
	}
	return f
}

func (s *session) frame(chassis, port string, options map[string]string) []byte {
	s.t.Helper()
	if chassis == "garbage" {
		return []byte("this is no frame, however long it is")
	}
	to := NearestBridge()
	if options["to"] == "customer" {
		to = NearestCustomerBridge()
	}
	raw, err := s.decoded(chassis, port, options).Append(header(to, MAC{2, 9}))
	if err != nil {
		s.t.Fatal(err)
	}
	return raw
}

func (s *session) hear(index int, raw []byte) {
	if s.engine.hear(index, raw, s.now) {
		s.say("changed")
	}
	s.due()
}

// at lets time pass, with all that is due on the way at its own time.
func (s *session) at(text string) {
	s.t.Helper()
	after, err := time.ParseDuration(text)
	if err != nil {
		s.t.Fatal(err)
	}
	for {
		next := s.engine.next()
		if next.IsZero() || next.After(s.start.Add(after)) {
			s.now = s.start.Add(after)
			return
		}
		s.now = next
		s.due()
	}
}

func (s *session) due() { s.effects(s.engine.due(s.now)) }

func (s *session) effects(fx effects) {
	for _, index := range fx.join {
		s.say("joins the groups on %d", index)
	}
	for _, index := range fx.leave {
		s.say("leaves the groups on %d", index)
	}
	for _, o := range fx.send {
		s.engine.sent(o.index, true)
		_, source, f, err := parse(o.frame)
		if err != nil {
			s.t.Fatal(err)
		}
		s.say("sends on %d from %v: %v, TTL %v%s", o.index, source, f, f.TTL, extras(f))
	}
	if fx.changed {
		s.say("changed")
	}
}

func extras(f frame.Frame) string {
	text := ""
	if f.PortDescription != "" {
		text += ", description " + f.PortDescription
	}
	if a, ok := f.LinkAggregation(); ok {
		text += fmt.Sprint(", in port channel ", a.Port)
	}
	if size, ok := f.MaxFrameSize(); ok && size != 1518 {
		text += fmt.Sprint(", frames of ", size)
	}
	return text
}

func (s *session) say(format string, args ...any) {
	fmt.Fprintf(&s.out, "%6v %s\n", s.now.Sub(s.start), fmt.Sprintf(format, args...))
}

func (s *session) show() {
	line := func(what string, n Neighbor) {
		stale := ""
		if n.Stale {
			stale = " stale"
		}
		s.say("%s on %s: %v, since %v, last %v%s", what, n.Interface, n.Frame, n.FirstSeen.Sub(s.start), n.LastSeen.Sub(s.start), stale)
	}
	for _, n := range s.engine.neighbors(false) {
		line("neighbour", n)
	}
	for _, n := range s.engine.neighbors(true) {
		line("loop", n)
	}
	for _, p := range s.engine.list() {
		s.say("port %s: %+v %s", p.Link.Name, p.Counters, p.Problem)
	}
}
