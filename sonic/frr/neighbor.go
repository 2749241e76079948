package frr

// lose chooses the neighbours and groups of a BGP instance that are taken away,
// for good or to be made again in another group. All that is said of them goes
// with them, so one of which somebody else said something stays.
func (l *level) lose(have, owned Tree) map[string]bool {
	lost := map[string]bool{}
	for i := range have {
		line := have[i].Line
		if makes(line) && l.own(line) != nil && l.wants[line] == nil {
			lost[subject(line)] = true
		}
	}
	if len(lost) == 0 {
		return nil
	}
	for name, other := range others(have, owned) {
		l.keep(lost, name, other)
	}
	for i := range have {
		line := have[i].Line
		if g := group(line); g != "" && !lost[subject(line)] {
			l.keep(lost, g, line) // it would take its members along
		}
	}
	return lost
}

// keep has a neighbour or group stay, with the AS that it needs to exist.
func (l *level) keep(lost map[string]bool, name, other string) {
	if !lost[name] {
		return
	}
	delete(lost, name)
	for line, own := range l.owns {
		switch {
		case subject(line) != name:
		case makes(line):
			l.kept[line] = true
			l.conflict(InUse, l.place, line, own.Owner, other)
		case slot(line) == "neighbor "+name+" remote-as":
			l.kept[line] = l.wants[line] == nil
		}
	}
}

// others are the neighbours and groups that somebody else's statements are
// about, with one such statement.
func others(have, owned Tree) map[string]string {
	found := map[string]string{}
	owns := owned.index()
	for _, node := range have {
		own, ok := owns[node.Line]
		if !ok {
			own = &Node{}
		}
		if !ok || own.Shared {
			for _, name := range []string{subject(node.Line), group(node.Line)} {
				if name != "" && found[name] == "" {
					found[name] = node.Line
				}
			}
		}
		for name, line := range others(node.Inside, own.Inside) {
			if found[name] == "" {
				found[name] = line
			}
		}
	}
	return found
}
