package probe

import (
	"slices"
	"time"

	"github.com/switchlet/switchlet/deploy/lab/matrix"
	"github.com/switchlet/switchlet/deploy/lab/matrix/mark"
)

func (p *probe) start(q *question) {
	p.mu.Lock()
	defer p.mu.Unlock()
	q.begin = time.Now()
}

func (p *probe) since(q *question) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return time.Since(q.begin)
}

func (p *probe) answered(q *question) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return q.seen == matrix.Answered
}

// say adds to what is known of a question that is not answered.
func (p *probe) say(q *question, detail string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !slices.Contains(q.details, detail) && len(q.details) < 3 {
		q.details = append(q.details, detail)
	}
}

// number finds a question of this run that a mark is of.
func (p *probe) number(m mark.Mark) *question {
	if m.Run != p.Run || m.Seq >= uint64(len(p.questions)) {
		return nil
	}
	return p.questions[m.Seq]
}

// requested says that a request came to an endpoint.
func (p *probe) requested(m mark.Mark, at *station) {
	q := p.number(m)
	if q == nil {
		return
	}
	if q.to != at {
		p.say(q, "came to "+at.room.Endpoint.String())
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	q.seen = max(q.seen, matrix.Arrived)
}

// replied says that an answer of one endpoint came to another.
func (p *probe) replied(m mark.Mark, by matrix.ID, at *station) {
	q := p.number(m)
	if q == nil {
		return
	}
	if at != q.from {
		p.say(q, "the answer came to "+at.room.Endpoint.String())
		return
	}
	if by != q.To {
		if other := p.stations[by]; other != nil {
			p.say(q, "answered by "+other.room.Endpoint.String())
		}
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if q.seen == matrix.Answered {
		return
	}
	q.seen, q.took = matrix.Answered, time.Since(q.begin)
	p.slowest = max(p.slowest, q.took)
	p.usual += (q.took - p.usual) / smooth
	close(q.done)
}

func (p *probe) observations() []matrix.Observation {
	p.mu.Lock()
	defer p.mu.Unlock()
	var list []matrix.Observation
	for _, q := range p.questions {
		o := matrix.Observation{Question: q.Question, Seen: q.seen, Took: q.took}
		if q.seen != matrix.Answered && len(q.details) > 0 {
			o.Detail = q.details[0]
		}
		list = append(list, o)
	}
	return list
}
