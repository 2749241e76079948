package wire

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/switchlet/switchlet/lldp/frame"
)

// cables is a NIC whose cable is moved from one machine to the next, and a kernel that
// tells of it late, or of several moves in one message.
type cables struct {
	t      *rapid.T
	engine *engine
	now    time.Time
	link   Link   // as the kernel has it
	news   []Link // what it has not told yet
	at     int    // the machine that the cable is in
	heard  bool   // somebody was heard since it is there
}

// However a cable is moved, and however late the kernel tells of it: once a machine was
// heard, no earlier one is believed, and when all has been told, that one is.
func TestOnlyTheLastMachineIsBelieved(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := &cables{t: t, engine: end(t, "node1"), now: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)}
		c.link = Link{Index: 1, Name: "eth0", Ethernet: true, Running: true, MTU: 1500, CarrierLosses: rapid.SampledFrom([]uint32{0, 1<<32 - 2}).Draw(t, "losses")}
		c.engine.setLink(c.link, c.now)
		t.Repeat(map[string]func(*rapid.T){
			"move": func(t *rapid.T) { c.move(t) },
			"tell": func(*rapid.T) { c.tell() },
			"hear": func(*rapid.T) { c.hear() },
			"":     func(*rapid.T) { c.check() },
		})
	})
}

func (c *cables) move(t *rapid.T) {
	c.at, c.heard = c.at+1, false
	c.link.CarrierLosses++
	if rapid.Bool().Draw(t, "told in between") {
		down := c.link
		down.Running = false
		c.news = append(c.news, down)
	}
	c.news = append(c.news, c.link)
}

func (c *cables) tell() {
	if len(c.news) > 0 {
		c.engine.setLink(c.news[0], c.now)
		c.news = c.news[1:]
	}
}

// hear brings a frame of the machine that the cable is in.
func (c *cables) hear() {
	c.now = c.now.Add(askApart)
	if c.engine.asks(1, c.now) {
		c.engine.lost(1, c.link.CarrierLosses, c.now)
	}
	f := frame.Frame{ChassisID: frame.ChassisByName(c.machine()), PortID: frame.PortByName("x"), TTL: time.Hour}
	raw, err := f.Append(header(NearestBridge(), MAC{}))
	if err != nil {
		c.t.Fatal(err)
	}
	c.engine.hear(1, raw, c.now)
	c.heard = true
}

func (c *cables) machine() string { return fmt.Sprint("leaf", c.at) }

func (c *cables) check() {
	if !c.heard {
		return
	}
	for _, n := range c.engine.neighbors(false) {
		here := n.Frame.ChassisID.ID == c.machine()
		if !here && !n.Stale || here && n.Stale && len(c.news) == 0 {
			c.t.Errorf("the cable is in %s, and %s is stale: %t", c.machine(), n.Frame.ChassisID.ID, n.Stale)
		}
	}
}
