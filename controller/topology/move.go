package topology

// outdated is what a switch says of a NIC that says something else itself.
type outdated struct{ port, nic int32 }

// findMoves looks for NICs that hear a port, and that other ports claim to hear. A
// host knows when its cable is pulled, and whom it hears since then; a switch tells
// of that when its LLDP service gets round to it. So the host is believed, as long as
// nobody else has to do with the port that it hears: fibres that are plugged
// crosswise look the same, and of them there are two.
//
// What is outdated at one port may be all that is in the way of another NIC.
func (b *builder) findMoves() {
	b.sits = make([]int32, len(b.ends))
	others := make([]int32, len(b.ends)) // how many ends a port has to do with
	var open []int32
	for e := range b.ends {
		b.sits[e], others[e] = none, int32(b.ties.count(int32(e), fresh))
		if b.of(int32(e)).host != nil {
			open = append(open, int32(e))
		}
	}
	for len(open) > 0 {
		nic := open[len(open)-1]
		open = open[:len(open)-1]
		port := b.heardBy(nic)
		if port == none || b.sits[nic] != none || !b.believed(nic, port, others[port]) {
			continue
		}
		b.sits[nic] = port
		for _, t := range b.ties.of(nic) {
			if t.bits&fresh != heard {
				continue
			}
			b.outdated = append(b.outdated, outdated{t.to, nic})
			others[t.to]--
			open = append(open, b.ties.with(t.to, heard)...)
		}
	}
	b.findLeft()
}

// findLeft looks for NICs that hear nobody any more. Each is where it heard somebody the
// last time until it hears somebody again: a port that it was at before that may not
// have noticed yet that it left.
func (b *builder) findLeft() {
	for e := range b.ends {
		nic := int32(e)
		last := b.heardLast(nic)
		if len(last) == 0 {
			continue
		}
		for _, t := range b.ties.of(nic) {
			if t.bits&heard == 0 || t.bits&heardOnce != 0 {
				continue
			}
			b.outdated = append(b.outdated, outdated{t.to, nic})
			b.note(b.of(nic).ObjectReference, "HeardElsewhere", "%s heard %s the last time and hears nobody now, and %s hears it: it is there once it hears that itself.",
				b.say(nic), b.list(last), b.say(t.to))
		}
	}
}

// heardLast are those that a NIC heard the last time, if it hears nobody now and could
// tell if it did.
func (b *builder) heardLast(nic int32) []int32 {
	if s := b.of(nic); s.host == nil || s.silent || b.ties.count(nic, hears) > 0 {
		return nil
	}
	return b.ties.with(nic, heardOnce)
}

// heardBy is the only port of a switch that a NIC hears, or none.
func (b *builder) heardBy(nic int32) int32 {
	port := b.ties.only(nic, hears)
	if port == none || b.of(port).sw == nil || b.hub[nic] || b.hub[port] {
		return none
	}
	return port
}

// believed says whether a NIC is where it says: the port says so too, or has to do
// with nobody else.
func (b *builder) believed(nic, port int32, others int32) bool {
	return b.ties.between(nic, port).bits&mutual == mutual || others == 1
}

// dismiss takes what is outdated as what was heard once.
func (b *builder) dismiss() {
	for _, o := range b.outdated {
		b.ties.weaken(o.port, o.nic, hears, heardOnce)
		b.ties.weaken(o.nic, o.port, heard, wasHeard)
	}
	for _, o := range b.outdated {
		for _, e := range []int32{o.port, o.nic} {
			b.clash[e] = b.clash[e] && b.ties.count(e, fresh) > 1
		}
	}
}

// weaken takes evidence of one kind for another.
func (t ties) weaken(from, to int32, bits, instead evidence) {
	list := t.of(from)
	if i := indexOf(list, to); i >= 0 && list[i].bits&bits != 0 {
		list[i].bits = list[i].bits&^bits | instead
	}
}
