package wire

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/switchlet/switchlet/lldp/frame"
)

// walk is an engine to which anything happens in any order.
type walk struct {
	*rapid.T
	engine *engine
	start  time.Time
	now    time.Time
	// sent is when a port sent a frame that was no goodbye.
	sent map[int][]time.Time
}

// However links come and go, and whoever speaks on them: no port sends more than it
// may or keeps more than it may, what is due is done, and nobody is believed for
// longer than asked.
func TestEngineKeepsItsBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cfg, err := Config{Chassis: frame.ChassisByName("node1")}.complete()
		if err != nil {
			t.Fatal(err)
		}
		start := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
		w := &walk{T: t, engine: newEngine(cfg), start: start, now: start, sent: map[int][]time.Time{}}
		t.Repeat(map[string]func(*rapid.T){
			"link": func(t *rapid.T) { w.link(t) },
			"hear": func(t *rapid.T) { w.hear(t) },
			"busy": func(t *rapid.T) { w.busy(t) },
			"gone": func(t *rapid.T) { w.effects(w.engine.removeLink(w.index(t))) },
			"time": func(t *rapid.T) { w.pass(t) },
			"lost": func(t *rapid.T) {
				w.engine.lost(w.index(t), rapid.SampledFrom([]uint32{0, 1, 2, 1 << 31, 1<<32 - 1}).Draw(t, "losses"), w.now)
			},
			"links": func(*rapid.T) { w.effects(w.engine.setLinks(w.list(), w.now)) },
			"":      func(*rapid.T) { w.check() },
		})
	})
}

func (w *walk) index(t *rapid.T) int { return rapid.IntRange(1, 2).Draw(t, "index") }

func (w *walk) link(t *rapid.T) {
	index := w.index(t)
	w.effects(w.engine.setLink(Link{
		Index:         index,
		Name:          rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "name"),
		Alias:         rapid.StringMatching("[a-z]").Draw(t, "alias"),
		Kind:          rapid.SampledFrom([]string{"", "", "", "", "", "", "", "veth"}).Draw(t, "kind"),
		Running:       rapid.SampledFrom([]bool{true, true, true, false}).Draw(t, "running"),
		CarrierLosses: rapid.SampledFrom([]uint32{0, 1, 2, 1 << 31, 1<<32 - 1}).Draw(t, "losses"),
		Ethernet:      true,
		MTU:           rapid.SampledFrom([]int{1500, 1500, 10}).Draw(t, "MTU"),
	}, w.now))
}

// busy changes a link many times at one moment.
func (w *walk) busy(t *rapid.T) {
	p := w.engine.ports[w.index(t)]
	if p == nil {
		return
	}
	l := p.link
	for i := range 10 {
		l.Alias = fmt.Sprint(i)
		w.effects(w.engine.setLink(l, w.now))
		w.effects(w.engine.due(w.now))
	}
}

func (w *walk) list() []Link {
	var all []Link
	for _, p := range w.engine.list() {
		all = append(all, p.Link)
	}
	return all[:len(all)/2]
}

func (w *walk) hear(t *rapid.T) {
	f := frame.Frame{
		ChassisID:  frame.ChassisByName(rapid.SampledFrom([]string{"node1", "leaf1", "leaf2", "leaf3"}).Draw(t, "chassis")),
		PortID:     frame.PortByName(fmt.Sprint(rapid.IntRange(1, 9).Draw(t, "port"))),
		TTL:        rapid.SampledFrom([]time.Duration{0, time.Second, time.Minute, frame.MaxTTL}).Draw(t, "TTL"),
		SystemName: rapid.SampledFrom([]string{"", "x"}).Draw(t, "name"),
	}
	raw, err := f.Append(header(rapid.SampledFrom([]MAC{NearestBridge(), NearestCustomerBridge()}).Draw(t, "to"), MAC{}))
	if err != nil {
		t.Fatal(err)
	}
	w.engine.hear(w.index(t), raw[:rapid.SampledFrom([]int{len(raw), len(raw), len(raw), 0, 20}).Draw(t, "length")], w.now)
}

// pass lets milliseconds or minutes pass, in steps that may be late.
func (w *walk) pass(t *rapid.T) {
	until := w.now.Add(time.Duration(rapid.SampledFrom([]int{1, 10, 100, 900, 1100, 31_000, 130_000}).Draw(t, "ms")) * time.Millisecond)
	late := time.Duration(rapid.IntRange(0, 300).Draw(t, "late ms")) * time.Millisecond
	for {
		next := w.engine.next()
		if next.IsZero() || next.After(until) {
			break
		}
		if next = next.Add(late); next.After(w.now) {
			w.now = next
		}
		w.effects(w.engine.due(w.now))
	}
	if until.After(w.now) {
		w.now = until
	}
	w.effects(w.engine.due(w.now))
}

func (w *walk) effects(fx effects) {
	for _, o := range fx.send {
		_, _, f, err := parse(o.frame)
		if err != nil {
			w.Fatal(err)
		}
		if !f.Shutdown() {
			w.sent[o.index] = append(w.sent[o.index], w.now)
		}
	}
}

func (w *walk) check() {
	for index, p := range w.engine.ports {
		// Five at once, one that came back just then, and one a second later.
		if n := len(w.sent[index]); n > maxCredit+1 && w.now.Sub(w.sent[index][n-maxCredit-2]) < time.Second {
			w.Errorf("port %d sent at %v", index, w.sent[index])
		}
		if len(p.entries) > 2*maxNeighbors || cap(p.entries) > 4*maxNeighbors {
			w.Errorf("port %d keeps %d entries", index, len(p.entries))
		}
		if alarm := p.alarm(); earlier(alarm, p.wake) != p.wake {
			w.Errorf("port %d is woken at %v, and has something to do at %v", index, p.wake, alarm)
		}
		if w.engine.queue[p.place] != p {
			w.Errorf("port %d is not where it thinks it is", index)
		}
	}
	for index := range w.sent {
		if w.engine.ports[index] == nil {
			delete(w.sent, index)
		}
	}
	w.checkQueue()
}

func (w *walk) checkQueue() {
	if len(w.engine.queue) != len(w.engine.ports) {
		w.Errorf("%d ports in the queue, of %d", len(w.engine.queue), len(w.engine.ports))
	}
	w.effects(w.engine.due(w.now))
	next := w.engine.next()
	if !next.IsZero() && !next.After(w.now) {
		w.Errorf("at %v something is due at %v, after all has been done", w.now, next)
	}
	for _, p := range w.engine.ports {
		if earlier(next, p.wake) != next {
			w.Errorf("the next is at %v, but port %d is to be woken at %v", next, p.link.Index, p.wake)
		}
		for _, e := range p.entries {
			if !w.now.Before(e.expires) {
				w.Errorf("%v is believed until %v, at %v", e.frame, e.expires, w.now)
			}
		}
	}
}

// Two agents find each other over a cable that loses frames, and forget each other
// when it is cut.
func TestTwoFindEachOther(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		start := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
		ends := [2]*engine{end(t, "node1"), end(t, "leaf1")}
		for i := range ends {
			ends[i].setLink(Link{Index: 1, Name: "eth0", Ethernet: true, Running: true, MAC: MAC{2, byte(i)}}, start)
		}
		// Half of the frames are lost, and then for 10 minutes none, and then all.
		loss := rapid.SliceOfN(rapid.Bool(), 8, 8).Draw(t, "lost")
		run(ends, start, start.Add(10*time.Minute), func(n int) bool { return n < len(loss) && loss[n] })
		for i, want := range []string{"leaf1", "node1"} {
			if n := ends[i].neighbors(false); len(n) != 1 || n[0].Frame.ChassisID.ID != want || n[0].Stale {
				t.Errorf("neighbours %v, wanted %s", n, want)
			}
		}
		run(ends, start.Add(10*time.Minute), start.Add(13*time.Minute), func(int) bool { return true })
		for i := range ends {
			if n := ends[i].neighbors(false); len(n) != 0 {
				t.Errorf("neighbours %v after the cable was cut", n)
			}
		}
	})
}

func end(t *rapid.T, name string) *engine {
	cfg, err := Config{Chassis: frame.ChassisByName(name)}.complete()
	if err != nil {
		t.Fatal(err)
	}
	return newEngine(cfg)
}

// run lets time pass for both ends of a cable; lost says if the nth frame is lost.
func run(ends [2]*engine, from, until time.Time, lost func(n int) bool) {
	n := 0
	for now := from; now.Before(until); {
		for i, e := range ends {
			for _, o := range e.due(now).send {
				if !lost(n) {
					ends[1-i].hear(1, o.frame, now)
				}
				n++
			}
		}
		next := earlier(ends[0].next(), ends[1].next())
		if next.IsZero() || next.After(until) {
			return
		}
		now = next
	}
}
