package swss

import "fmt"

// runManagers lets the configuration daemons read the rows of the events that
// are due and act on them; at a tick each tries everything again.
func (d *Daemons) runManagers(ticked bool) (moved bool, err error) {
	order := d.managers
	if d.cfg.Rand != nil {
		order = append([]*consumer(nil), order...)
		d.cfg.Rand.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	}
	heard, err := d.hear(order)
	if err != nil {
		return false, err
	}
	for i, c := range order {
		if heard[i] || ticked || d.faults.slowed() && c.wakes(d.now) {
			moved = c.run(d.now, d.faults.hung(c.table+"|")) || moved
		}
	}
	return moved, nil
}

// hear turns the events that are due into tasks. If the rows cannot be read,
// the events stay.
func (d *Daemons) hear(order []*consumer) ([]bool, error) {
	batch := d.due(order)
	keys := batch.keys()
	if len(keys) == 0 {
		return make([]bool, len(order)), nil
	}
	read, err := d.cfg.Read(keys)
	if err != nil {
		batch.putBack()
		return nil, fmt.Errorf("read %d rows of CONFIG_DB: %w", len(keys), err)
	}
	rows := make(map[string]Row, len(keys))
	for i, key := range keys {
		rows[key] = read[i]
	}
	d.intfmgr.gateway = rows[gatewayKey]["gateway_mac"]
	judged := map[string]bool{}
	heard := make([]bool, len(order))
	for i, c := range order {
		covered := map[string]bool{}
		for _, e := range batch.events[i] {
			covered[e.key] = true
		}
		events := batch.events[i]
		if len(events) > 0 {
			events = append(events[:len(events):len(events)], c.absorb(covered)...)
		}
		heard[i] = len(events) > 0
		d.take(c, events, rows, judged)
	}
	return heard, nil
}

// take judges events and makes tasks of them.
func (d *Daemons) take(c *consumer, events []event, rows map[string]Row, judged map[string]bool) {
	for _, e := range events {
		key := c.table + "|" + e.key
		row := rows[key]
		first := d.byTable[c.table][0] == c // VXLAN_EVPN_NVO has two daemons
		after := d.now + d.faults.slow[key]
		switch {
		case e.del:
			c.add(e.key, true, nil, after)
			if first {
				delete(d.catalog.rows, key)
				delete(judged, key)
			}
		case row != nil:
			c.add(e.key, false, row, after)
			if first && !judged[key] {
				judged[key] = true
				d.judgeSet(key, row, e)
			}
		case e.replay && first:
			d.catalog.remove(key) // it went while the daemons were starting
		}
	}
}

// due takes the events that are due, a list for each consumer.
func (d *Daemons) due(order []*consumer) batch {
	b := batch{order: order, events: make([][]event, len(order))}
	for i, c := range order {
		b.events[i] = c.pop(d.now)
	}
	return b
}

// batch is events that were taken.
type batch struct {
	order  []*consumer
	events [][]event
}

// keys of the rows to read, each once, and of the row with the gateway's MAC
// address: intfmgrd reads it whenever it sets an interface.
func (b batch) keys() []string {
	var keys []string
	known := map[string]bool{}
	for i, c := range b.order {
		for _, e := range b.events[i] {
			if key := c.table + "|" + e.key; !known[key] {
				known[key] = true
				keys = append(keys, key)
			}
		}
	}
	if len(keys) > 0 && !known[gatewayKey] {
		keys = append(keys, gatewayKey)
	}
	return keys
}

func (b batch) putBack() {
	for i, c := range b.order {
		c.in = append(b.events[i][:len(b.events[i]):len(b.events[i])], c.in...)
	}
}
