package swss

import "time"

// Now is the virtual time since New.
func (d *Daemons) Now() time.Duration { return d.now }

// Next is when the daemons have something to do next; false if only a change of
// CONFIG_DB gives them anything to do.
func (d *Daemons) Next() (time.Duration, bool) {
	next, ok := d.tick, d.tick > 0
	consider := func(at time.Duration) {
		if !ok || at < next {
			next, ok = at, true
		}
	}
	for _, c := range d.all {
		if len(c.in) > 0 {
			consider(c.in[0].due)
		}
		if d.faults.slowed() {
			for _, t := range c.tasks {
				if t.after > d.now {
					consider(t.after)
				}
			}
		}
	}
	return next, ok
}

// Quiet reports whether nothing more would happen without a change: nothing
// waits, or what waits does so in vain.
func (d *Daemons) Quiet() bool {
	waits := false
	for _, c := range d.all {
		if len(c.in) > 0 {
			return false
		}
		for _, t := range c.tasks {
			waits = true
			if t.after > d.now {
				return false
			}
		}
	}
	return !waits || d.stale
}

// Advance lets time pass and returns what the daemons wrote. If a row could not
// be read, time stands still at that moment; it can be tried again.
func (d *Daemons) Advance(by time.Duration) ([]Write, error) {
	end := d.now + by
	for {
		next, ok := d.Next()
		if !ok || next > end {
			break
		}
		if next > d.now {
			d.now = next
			clear(d.logged)
		}
		if err := d.step(); err != nil {
			return d.Writes(), err
		}
	}
	if end > d.now {
		d.now = end
		clear(d.logged)
	}
	return d.Writes(), nil
}

// Settle lets time pass until all is quiet, or for the given time at most, and
// returns what the daemons wrote.
func (d *Daemons) Settle(limit time.Duration) ([]Write, error) {
	var all []Write
	for end := d.now + limit; !d.Quiet(); {
		next, ok := d.Next()
		if !ok || next > end {
			break
		}
		writes, err := d.Advance(max(0, next-d.now))
		all = append(all, writes...)
		if err != nil {
			return all, err
		}
	}
	return append(all, d.Writes()...), nil
}

// Writes takes what was written since the last call.
func (d *Daemons) Writes() []Write {
	out := d.db.out
	d.db.out = nil
	return out
}

// step does what is due now.
func (d *Daemons) step() error {
	ticked := d.tick > 0 && d.tick <= d.now
	moved, err := d.runManagers(ticked)
	if err != nil {
		return err
	}
	if ticked {
		d.judgeDangling()
	}
	moved = d.orch.run(ticked) || moved
	d.moved = d.moved || moved
	if moved {
		d.stale = false
	}
	if ticked {
		d.stale, d.moved, d.tick = !d.moved, false, 0
	}
	if d.tick == 0 && d.waiting() {
		d.tick = d.now + d.cfg.Tick
	}
	return nil
}

// waiting reports whether a task could not be done.
func (d *Daemons) waiting() bool {
	for _, c := range d.all {
		if len(c.tasks) > 0 {
			return true
		}
	}
	return false
}
