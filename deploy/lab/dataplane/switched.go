package dataplane

// switched is how a port was switched, on or off, when its admin_status was told or its
// cable was plugged in: index tells one cable from the next.
type switched struct {
	index int
	up    bool
}

// leave makes ports that were switched as they are wanted look like that: SONiC switches a
// port when its admin_status changes and at no other time, so what somebody does to the
// link meanwhile stays.
func (p *picture) leave(before map[string]switched, want Devices) {
	for name, d := range p.devices {
		last, ok := before[name]
		if ok && d.Kind == Port && last == (switched{p.links[name].Attrs().Index, want[name].Up}) {
			d.Up = last.up
			p.devices[name] = d
		}
	}
}

// switched is how ports are switched when all is as it is wanted.
func (p *picture) switched(want Devices) map[string]switched {
	now := map[string]switched{}
	for name, d := range p.devices {
		if w, ok := want[name]; ok && d.Kind == Port {
			now[name] = switched{p.links[name].Attrs().Index, w.Up}
		}
	}
	return now
}
