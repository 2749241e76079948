package watch

import (
	"cmp"
	"errors"
	"maps"
	"math"
	"net"
	"net/netip"
	"slices"
	"time"

	"golang.org/x/net/ipv4"

	"github.com/switchlet/switchlet/deploy/lab/matrix"
	"github.com/switchlet/switchlet/deploy/lab/matrix/mark"
	"github.com/switchlet/switchlet/deploy/lab/matrix/plug"
)

// plan says what every post has to send in an epoch.
func (w *Watch) plan(name string, rooms []*plug.Room, expect matrix.Expectation) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	var endpoints []matrix.Endpoint
	for _, r := range rooms {
		endpoints = append(endpoints, r.Endpoint)
	}
	w.epochs = append(w.epochs, Epoch{Name: name, Since: time.Now()})
	w.expect = expect
	w.judge.set(endpoints, expect)
	w.justify()
	w.setFlows(rooms)
	var failed []error
	for _, p := range w.posts {
		failed = append(failed, w.planPost(p, rooms))
	}
	return errors.Join(failed...)
}

// setFlows makes the flows those that may be now.
func (w *Watch) setFlows(rooms []*plug.Room) {
	wanted := map[flowKey]bool{}
	for _, from := range rooms {
		for _, to := range rooms {
			pair := matrix.Pair{From: from.Endpoint.ID(), To: to.Endpoint.ID()}
			for _, v6 := range []bool{false, true} {
				_, has := from.Endpoint.Address(v6)
				_, toHas := to.Endpoint.Address(v6)
				if from == to || !has || !toHas || !w.expect[pair] || w.posts[pair.From] == nil {
					continue
				}
				k := flowKey{pair, v6}
				wanted[k] = true
				if w.flows[k] == nil {
					w.flows[k] = &flow{key: k, begin: time.Now(), tally: tally{interval: w.interval()}}
				}
				w.flows[k].from, w.flows[k].to, w.flows[k].ended = from.Endpoint, to.Endpoint, false
			}
		}
	}
	for k, f := range w.flows {
		if !wanted[k] {
			f.ended = true
			f.tally.pause()
		}
	}
}

// every is the number of turns in which something forbidden is sent once.
func (w *Watch) every() uint64 { return uint64(math.Round(w.cfg.Rate / w.cfg.ForbiddenRate)) }

func (w *Watch) planPost(p *post, rooms []*plug.Room) error {
	p.messages, p.strays = [2][]outgoing{}, nil
	var failed []error
	for _, to := range rooms {
		if to.Endpoint.ID() == p.id {
			continue
		}
		for i, v6 := range []bool{false, true} {
			address, ok := to.Endpoint.Address(v6)
			if !ok || p.datagrams[i] == nil {
				continue
			}
			p.messages[i] = append(p.messages[i], w.outgoing(p, to, address, v6))
			if p.room.Endpoint.Segment() != to.Endpoint.Segment() {
				s, err := w.stray(p, to, v6)
				p.strays, failed = append(p.strays, s), append(failed, err)
			}
		}
	}
	for i, v6 := range []bool{false, true} {
		if p.datagrams[i] != nil {
			p.messages[i] = append(p.messages[i], w.broadcast(p, v6))
		}
	}
	return errors.Join(failed...)
}

func message(m mark.Mark, to netip.Addr) ipv4.Message {
	return ipv4.Message{Buffers: [][]byte{m.Message()}, Addr: &net.UDPAddr{IP: to.AsSlice(), Port: port}}
}

func (w *Watch) outgoing(p *post, to *plug.Room, address netip.Addr, v6 bool) outgoing {
	m := mark.Mark{Kind: mark.Forbidden, Run: w.cfg.Run, From: p.id, To: to.Endpoint.ID(), Length: mark.Size}
	o := outgoing{every: w.every(), flow: w.flows[flowKey{matrix.Pair{From: m.From, To: m.To}, v6}]}
	if o.flow != nil && o.flow.ended {
		o.flow = nil
	}
	if o.flow != nil {
		m.Kind, o.every = mark.Flow, 1
	}
	o.mark, o.message = m, message(m, address)
	return o
}

// broadcast is to all of the broadcast domain: IPv4's limited broadcast, IPv6's group of
// all nodes.
func (w *Watch) broadcast(p *post, v6 bool) outgoing {
	m := mark.Mark{Kind: mark.Broadcast, Run: w.cfg.Run, From: p.id, Length: mark.Size}
	to := netip.AddrFrom4([4]byte{255, 255, 255, 255})
	if v6 {
		to = netip.IPv6LinkLocalAllNodes()
	}
	return outgoing{mark: m, message: message(m, to), every: 1}
}

// stray is a frame to the MAC address of someone who is in another broadcast domain: a
// switch that does not know it floods it, and it must not come there.
func (w *Watch) stray(p *post, to *plug.Room, v6 bool) (stray, error) {
	m := mark.Mark{Kind: mark.Stray, Run: w.cfg.Run, From: p.id, To: to.Endpoint.ID(), Length: mark.Size}
	near, _ := p.room.Endpoint.Address(v6)
	far, _ := to.Endpoint.Address(v6)
	frame, at, err := mark.Datagram(mark.Ends{MAC: p.room.MAC, Address: near}, mark.Ends{MAC: to.MAC, Address: far}, port, m)
	return stray{mark: m, frame: frame, at: at}, err
}

// sorted are the flows in the order of their endpoints.
func (w *Watch) sorted() []*flow {
	return slices.SortedFunc(maps.Values(w.flows), func(a, b *flow) int {
		v6 := map[bool]int{true: 1}
		return cmp.Or(a.from.Compare(&b.from), a.to.Compare(&b.to), cmp.Compare(v6[a.key.v6], v6[b.key.v6]))
	})
}

// report of a flow; due says that its newest packet should have come.
func (f *flow) report(due bool) Flow {
	t := f.tally.pending(f.seq, f.last, due)
	r := Flow{
		From: f.from.String(), To: f.to.String(), Pair: f.key.Pair, IPv6: f.key.v6, Ended: f.ended,
		Sent: f.seq, Received: t.received, Lost: t.lost, Late: t.late, Duplicates: t.duplicates,
	}
	switch {
	case t.received > 0:
		r.WaitedMS = milliseconds(time.Unix(0, t.first).Sub(f.begin))
	case f.seq > 0:
		r.WaitedMS = milliseconds(time.Unix(0, f.last).Sub(f.begin))
	}
	if t.longest.lost > 0 {
		r.Longest = Gap{At: time.Unix(0, t.longest.since), MS: milliseconds(t.longest.length), Lost: t.longest.lost}
	}
	return r
}
