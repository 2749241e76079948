package sonic

// foresee finds the rows that have to go at least for a moment, before it is
// known which of them may come again: those that must be made anew, what keeps a
// row of the record that is not there, and whatever needs one of these.
//
// While such a row is away it is in nobody's way. Whether it can be had is
// judged as if it had never been there, so that a plan that was interrupted in
// between ends like one that was not.
func (d *differ) foresee() {
	var queue []int32
	mark := func(i int32) {
		if d.own[i] && d.have.there[i] && !d.remade[i] && d.blocker(i) == nil {
			d.remade[i] = true
			queue = append(queue, i)
		}
	}
	for n := range d.keys {
		i := int32(n)
		switch {
		case d.ghost(i):
			for _, user := range d.users.of(i) {
				mark(user)
			}
		case d.own[i] && d.want.there[i] && d.mustBeAnew(i):
			mark(i)
		}
	}
	for len(queue) > 0 {
		i := queue[0]
		queue = queue[1:]
		for _, user := range d.users.of(i) {
			mark(user)
		}
	}
}
