package swss

import (
	"maps"
	"slices"
	"time"
)

// event is what a daemon has yet to hear: of a row of CONFIG_DB, which it reads
// when it does, or of a row of APPL_DB, which comes along.
type event struct {
	key    string // without the table
	del    bool
	hdel   bool // CONFIG_DB: only fields were removed
	replay bool // CONFIG_DB: read at the daemon's start
	row    Row  // APPL_DB
	due    time.Duration
	seq    uint64 // order of the events
}

// task is what a consumer has to do about a row: at most one DEL and one SET
// after it.
type task struct {
	del      bool
	set      Row // nil: nothing to set
	after    time.Duration
	dangling bool // judged so
}

// consumer is one table of one daemon: swss-common's SubscriberStateTable or
// ConsumerStateTable, with Orch's m_toSync.
type consumer struct {
	daemon string
	table  string
	set    func(key string, row Row) (done bool)
	del    func(key string) (done bool)

	in    []event
	tasks map[string]*task
}

func newConsumer(daemon, table string, set func(string, Row) bool, del func(string) bool) *consumer {
	return &consumer{daemon: daemon, table: table, set: set, del: del, tasks: map[string]*task{}}
}

// pop takes the events that are due.
func (c *consumer) pop(now time.Duration) []event {
	n := 0
	for n < len(c.in) && c.in[n].due <= now {
		n++
	}
	due := c.in[:n]
	if c.in = c.in[n:]; len(c.in) == 0 {
		c.in = nil
	}
	return due
}

// absorb takes all events of the given keys, due or not: the rows that were
// read have what they announce.
func (c *consumer) absorb(keys map[string]bool) []event {
	if !slices.ContainsFunc(c.in, func(e event) bool { return keys[e.key] }) {
		return nil
	}
	var taken, rest []event
	for _, e := range c.in {
		if keys[e.key] {
			taken = append(taken, e)
		} else {
			rest = append(rest, e)
		}
	}
	c.in = rest
	return taken
}

// add is Orch's addToSync: a DEL drops a SET that waits, a SET is merged into
// one that waits, so that a field removed in between stays.
func (c *consumer) add(key string, del bool, row Row, after time.Duration) {
	t := c.tasks[key]
	if t == nil {
		t = &task{}
		c.tasks[key] = t
	}
	t.after = after
	switch {
	case del:
		t.del, t.set, t.dangling = true, nil, false
	case t.set == nil:
		t.set, t.dangling = maps.Clone(row), false
		if t.set == nil {
			t.set = Row{}
		}
	default:
		maps.Copy(t.set, row)
	}
}

// wakes reports whether a task that a fault had slowed down is due now.
func (c *consumer) wakes(now time.Duration) bool {
	for _, t := range c.tasks {
		if t.after == now {
			return true
		}
	}
	return false
}

// run is Orch's doTask: each task in the order of the keys; one that cannot be
// done stays. It reports whether any was done.
func (c *consumer) run(now time.Duration, hangs func(key string) bool) (progress bool) {
	if len(c.tasks) == 0 {
		return false
	}
	for _, key := range slices.Sorted(maps.Keys(c.tasks)) {
		t := c.tasks[key]
		if t.after > now || hangs(key) {
			continue
		}
		if t.del && c.del(key) {
			t.del, progress = false, true
		}
		// As in SONiC, a SET is tried although the DEL before it still waits.
		if t.set != nil && c.set(key, t.set) {
			t.set, progress = nil, true
		}
		if !t.del && t.set == nil {
			delete(c.tasks, key)
		}
	}
	return progress
}
