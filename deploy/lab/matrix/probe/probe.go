// Package probe asks every endpoint whether it reaches every other one, and waits for
// the answers. All sockets are in the endpoints' namespaces, but in this process: it
// asks thousands of questions within seconds on one slow processor.
package probe

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/switchlet/switchlet/deploy/lab/matrix"
	"github.com/switchlet/switchlet/deploy/lab/matrix/plug"
)

// Config is what a probe needs.
type Config struct {
	Rooms []*plug.Room
	// Expect says who has to reach whom. It only decides how long is waited: for an
	// answer that is expected up to Patience, for one that is not as long as is long
	// against the slowest answer.
	Expect matrix.Expectation
	// Patience in which an answer that is expected has to come.
	Patience time.Duration
	// Run is a number that no other probe or watch of the same time has.
	Run uint32
}

const (
	// window is how many questions wait for an answer at the same time, unless they
	// have waited for a turn already: that is some times as long as answers take, as
	// more at once would only make everybody wait longer.
	window       = 32
	turnsLonger  = 8
	shortestTurn = 20 * time.Millisecond
	longestTurn  = time.Second
	// forbiddenTurn is that of what is not expected to be answered.
	forbiddenTurn = 5 * time.Millisecond
	firstTurn     = 250 * time.Millisecond // while nothing was answered yet
	// again is after what time a question is repeated at first, then after twice as
	// long, and so on. It is never less than a turn.
	again = 250 * time.Millisecond
	// smooth is how many answers the usual time is of, about.
	smooth = 8
	// An answer that is not expected is waited for so many times as long as the slowest
	// one took, and as they usually take, and at least that long.
	longerThanSlowest = 2
	longerThanUsual   = 20
	shortest          = 500 * time.Millisecond
)

// question is one that is being asked.
type question struct {
	matrix.Question
	from, to *station

	done    chan struct{} // closed when answered
	seen    matrix.Seen
	begin   time.Time
	took    time.Duration
	details []string
}

// probe is what the parts of a run share.
type probe struct {
	Config
	slots    chan struct{}
	stations map[matrix.ID]*station
	replies  sync.WaitGroup
	buffers  sync.Pool // of *[most]byte
	ending   context.Context

	mu        sync.Mutex
	questions []*question
	slowest   time.Duration
	usual     time.Duration // what an answer takes, the newer ones above all
}

// Run asks all questions that can be asked between the rooms.
func Run(ctx context.Context, cfg Config) (_ []matrix.Observation, err error) {
	p := &probe{Config: cfg, slots: make(chan struct{}, window), stations: map[matrix.ID]*station{}}
	p.buffers.New = func() any { return new([most]byte) }
	var end context.CancelFunc
	p.ending, end = context.WithCancel(context.WithoutCancel(ctx))
	defer func() {
		end() // of what answers; what asks ends with its patience
		var failed []error
		for _, s := range p.stations {
			failed = append(failed, s.close())
		}
		p.replies.Wait()
		err = errors.Join(err, errors.Join(failed...))
	}()
	var endpoints []matrix.Endpoint
	for _, room := range cfg.Rooms {
		endpoints = append(endpoints, room.Endpoint)
		s := &station{probe: p, room: room, id: room.Endpoint.ID()}
		p.stations[s.id] = s
		if err := s.open(); err != nil {
			return nil, fmt.Errorf("endpoint %s: %w", &room.Endpoint, err)
		}
	}
	for _, q := range matrix.Questions(endpoints) {
		p.questions = append(p.questions, &question{Question: q, from: p.stations[q.From], to: p.stations[q.To], done: make(chan struct{})})
	}
	for _, s := range p.stations {
		s.answer()
	}
	p.ask(ctx, true, cfg.Patience)
	p.ask(ctx, false, p.bound())
	return p.observations(), ctx.Err()
}

// bound is how long an answer that is not expected is waited for.
func (p *probe) bound() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return min(max(longerThanSlowest*p.slowest, longerThanUsual*p.usual, shortest), p.Patience)
}

// ask asks the questions that are expected to be answered, or the others.
func (p *probe) ask(ctx context.Context, expected bool, patience time.Duration) {
	var asking sync.WaitGroup
	defer asking.Wait()
	for i, q := range p.questions {
		second := q.Protocol == matrix.TCP && q.Full // comes after the small one, in the same connection
		if p.Expect[q.Pair] != expected || second {
			continue
		}
		free, ok := p.slot(ctx, p.turn(q.Pair))
		if !ok {
			return
		}
		asking.Go(func() {
			if q.Protocol == matrix.TCP {
				p.askTCP(i, patience)
				free()
			} else {
				p.askDatagram(ctx, uint64(i), q, patience, free)
			}
		})
	}
}

// slot takes one of the slots that keep many questions from coming at once. It is given
// back after a turn at the latest.
func (p *probe) slot(ctx context.Context, turn time.Duration) (free func(), ok bool) {
	select {
	case p.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, false
	}
	var once sync.Once
	give := func() { once.Do(func() { <-p.slots }) }
	timer := time.AfterFunc(turn, give)
	return func() { timer.Stop(); give() }, true
}

// turn is how long a question keeps its slot if it is not answered.
func (p *probe) turn(pair matrix.Pair) time.Duration {
	if !p.Expect[pair] {
		return forbiddenTurn
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.usual == 0 {
		return firstTurn
	}
	return min(max(turnsLonger*p.usual, shortestTurn), longestTurn)
}

// askDatagram asks again and again until there is an answer or no patience left. It has
// a slot, and gives it back by free.
func (p *probe) askDatagram(ctx context.Context, number uint64, q *question, patience time.Duration, free func()) {
	p.start(q)
	for pause := min(max(again, p.turn(q.Pair)), patience/2); ; pause *= 2 {
		if err := q.from.send(q, number); err != nil {
			p.say(q, err.Error())
		}
		left := patience - p.since(q)
		wait := time.NewTimer(max(0, min(pause, left)))
		select {
		case <-q.done:
		case <-wait.C:
		case <-ctx.Done():
		}
		wait.Stop()
		free()
		if left <= pause || p.answered(q) {
			return
		}
		var ok bool
		if free, ok = p.slot(ctx, p.turn(q.Pair)); !ok {
			return
		}
	}
}
