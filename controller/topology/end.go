package topology

// fill makes the lookups of a system's ends, when they are first asked for.
func (x *index) fill(s *system) {
	if s.by != nil {
		return
	}
	n := int(s.reported)
	s.by = &byText{newLookup(n), newLookup(n), newLookup(0)}
	for i := s.first; i < s.first+s.reported; i++ {
		e := &x.ends[i]
		s.by.name.add(e.name, i)
		if s.sw == nil || e.mac != fold(s.sw.Status.MAC) { // which most ports have
			s.by.mac.add(e.mac, i)
		}
		if e.port != nil {
			s.by.alias.add(e.port.Alias, i)
		}
		if e.nic != nil {
			for _, name := range e.nic.AltNames {
				s.by.alias.add(name, i)
			}
		}
	}
}

// endAt finds a system's own end by the system's own name for it. An end of a
// system that has not told what it has is made up.
func (x *index) endAt(id int32, name string) int32 {
	if e := x.find(id, name); e != none {
		return e
	}
	s := &x.systems[id]
	x.fill(s)
	if e := s.by.alias.only(name); e != none && s.host != nil {
		return e
	}
	if s.reported > 0 {
		return none
	}
	return x.invent(id, name)
}

// invent makes an end that its system does not tell of.
func (x *index) invent(id int32, name string) int32 {
	e := int32(len(x.ends))
	x.ends = append(x.ends, end{system: id, name: name})
	x.fill(&x.systems[id])
	x.systems[id].by.name.add(name, e)
	return e
}

// find finds an end by its name. Unlike endAt it changes nothing.
func (x *index) find(id int32, name string) int32 {
	s := &x.systems[id]
	for e := s.first; e < s.first+s.reported; e++ {
		if x.ends[e].name == name {
			return e
		}
	}
	for e := x.told; e < int32(len(x.ends)); e++ {
		if x.ends[e].system == id && x.ends[e].name == name {
			return e
		}
	}
	return none
}
