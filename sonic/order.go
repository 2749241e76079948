package sonic

import "slices"

// plan puts what was chosen into order: what is left of earlier goes, bindings
// off, deletes with those first that need others, creates with those first that
// others need.
func (d *differ) plan() Plan {
	p := Plan{Own: make(Ledger, d.unowned()), Keep: Ledger{}, made: &graph{db: d.want.db, nvo: d.want.graph.nvo}}
	add := func(stages ...Stage) {
		for _, stage := range stages {
			if len(stage.Commands)+len(stage.Await) > 0 {
				p.Stages = append(p.Stages, stage)
			}
		}
	}
	free, held := d.ghosts()
	add(free, d.settle(), d.unbind())
	add(d.deletes(true)...)
	add(held)
	add(d.deletes(false)...)
	add(d.sets(p)...)
	p.Disown = d.disowned()
	p.Conflicts = d.conflicts()
	return p
}

// unowned is how many of the wanted rows are not the agent's yet.
func (d *differ) unowned() int {
	n := 0
	for i := range d.keys {
		if d.want.there[i] && !d.own[i] {
			n++
		}
	}
	return n
}

// ghosts are the stages that wait for rows of the record that are not there: a
// daemon may not have noticed yet, and would take a row that comes again, or
// goes before it has, for something else. Those that rows of the agent's hold go
// after these.
func (d *differ) ghosts() (free, held Stage) {
	for i, key := range d.keys {
		if !d.ghost(int32(i)) {
			continue
		}
		if slices.ContainsFunc(d.users.of(int32(i)), func(user int32) bool { return d.holding[user] }) {
			held.Await = append(held.Await, left(key)...)
		} else {
			free.Await = append(free.Await, left(key)...)
		}
	}
	return free, held
}

// settle is the stage that lets daemons finish what they make of rows that are
// to be deleted: a marker that has not come yet looks like one that is gone.
func (d *differ) settle() Stage {
	stage := Stage{Soft: true}
	for i, key := range d.keys {
		if d.gone[i] || d.anew[i] {
			stage.Await = appendObject(stage.Await, key)
		}
	}
	return stage
}

// unbind is the stage before the first delete: what a daemon has to let go of
// while the row is still there. An anycast gateway that is on when its
// interface goes leaks a route, and the VRF can never be removed then; a VRF's
// VNI is changed and deleted by way of 0.
func (d *differ) unbind() Stage {
	var stage Stage
	for i, key := range d.keys {
		if !d.have.there[i] {
			continue
		}
		leaves, fields := d.gone[i] || d.anew[i], d.have.fields[i]
		switch key.Table {
		case TableVRF:
			if vni := fields.value(fieldVNI); vni != "" && vni != "0" && (leaves || d.rebinds(int32(i))) {
				stage.Commands = append(stage.Commands, Command{Set, key, Fields{{fieldVNI, "0"}}})
				for _, marker := range d.have.graph.appendVNIMapped(nil, key) {
					marker.Gone = true
					stage.Await = append(stage.Await, marker)
				}
			}
		case TableVLANInterface:
			on, ok := fields.Get(fieldSAG)
			if leaves && ok && on == "true" {
				stage.Commands = append(stage.Commands, Command{Set, key, Fields{{fieldSAG, "false"}}})
			}
			if leaves && ok {
				stage.Await = append(stage.Await, gatewayOff(key))
			}
		}
	}
	return stage
}

// off reports whether a command is one of unbind.
func off(c *Command) bool {
	return len(c.Fields) == 1 && (c.Fields[0] == Field{fieldVNI, "0"} || c.Fields[0] == Field{fieldSAG, "false"})
}

// rebinds reports whether a VRF stays and changes from one VNI to another.
func (d *differ) rebinds(i int32) bool {
	return d.want.there[i] && d.writes(i) && d.have.fields[i].value(fieldVNI) != d.want.fields[i].value(fieldVNI)
}

// deletes are the stages of the rows that hold one that is not there, or of the
// others.
func (d *differ) deletes(holding bool) []Stage {
	rows := d.numbers(func(i int32) bool { return d.holding[i] == holding && (d.gone[i] || d.anew[i] || d.stripped[i]) })
	var stages []Stage
	for _, level := range slices.Backward(d.have.levels(rows, d.have.needs.of)) {
		stage := Stage{Commands: make([]Command, 0, len(level))}
		for _, i := range level {
			if d.stripped[i] {
				stage.Commands = append(stage.Commands, Command{Unset, d.keys[i], d.ownFields(i)})
			} else {
				stage.Commands = append(stage.Commands, Command{Op: Delete, Key: d.keys[i]})
				stage.Await = append(stage.Await, left(d.keys[i])...)
			}
		}
		stages = append(stages, stage)
	}
	return stages
}

// ownFields are the agent's fields of a row that is there.
func (d *differ) ownFields(i int32) Fields {
	return d.have.fields[i].without(d.foreignFields(i).Names())
}

// sets are the stages that make rows and change fields. What becomes the agent's
// is added to the plan's records.
func (d *differ) sets(p Plan) []Stage {
	rows := make([]int32, 0, len(d.want.db))
	changes := map[int32][]Command{} // of rows that stay
	for n := range d.keys {
		i := int32(n)
		if !d.want.there[i] || !d.writes(i) {
			continue
		}
		if d.makes(i) {
			d.record(p, i, d.namesOf(i), true)
			rows = append(rows, i)
			continue
		}
		commands, names := d.set(i)
		d.record(p, i, names, len(commands) > 0)
		if len(commands) > 0 {
			rows = append(rows, i)
			changes[i] = commands
		}
	}
	var stages []Stage
	for _, level := range d.want.levels(rows, d.want.after.of) {
		stage := Stage{Commands: make([]Command, 0, len(level))}
		for _, i := range level {
			if d.makes(i) {
				stage.Commands = append(stage.Commands, Command{d.making(i), d.keys[i], d.want.fields[i]})
			} else {
				stage.Commands = append(stage.Commands, changes[i]...)
			}
			if awaited(d.keys[i]) {
				stage.Await, stage.Soft = appendObject(stage.Await, d.keys[i]), true
			}
		}
		stages = append(stages, stage)
	}
	return stages
}

// making is the command that makes a row: what belongs to a VLAN of the agent's, or to an
// interface of one, extends it. That is there when its turn comes: it is needed.
func (d *differ) making(i int32) Op {
	switch d.keys[i].Table {
	case TableVLANMember, TableVLANInterface, TableTunnelMap:
		for _, needed := range d.want.needs.of(i) {
			table := d.keys[needed].Table
			if (table == TableVLAN || table == TableVLANInterface) && d.writes(needed) {
				return Extend
			}
		}
	}
	return Create
}

// makes reports whether a wanted row has to be created.
func (d *differ) makes(i int32) bool { return !d.have.there[i] || d.anew[i] }

// namesOf are the names of a wanted row's fields: one list for all rows of a
// table with the same.
func (d *differ) namesOf(i int32) []string {
	table, fields := d.keys[i].Table, d.want.fields[i]
	if len(fields) == 0 {
		return nil
	}
	same := func(name string, field Field) bool { return name == field.Name }
	if names, ok := d.usual[table]; ok && slices.EqualFunc(names, fields, same) {
		return names
	}
	names := fields.Names()
	d.usual[table] = names
	return names
}

// awaited reports whether those that need a new row are to wait for the daemon:
// it would get there by trying again, and log an error first.
func awaited(key Key) bool { return key.Table == TableTunnel }

// record says whose the fields of a row are. As long as it is being changed,
// those that it had are the agent's too: it may be stopped before they go.
func (d *differ) record(p Plan, i int32, names []string, changes bool) {
	if d.own[i] && slices.Equal(d.names[i], names) {
		return
	}
	before := names
	if changes && d.own[i] {
		before = union(d.names[i], names)
	}
	if !d.own[i] || !slices.Equal(d.names[i], before) {
		p.Own[d.keys[i]] = before
	}
	if !slices.Equal(before, names) {
		p.Keep[d.keys[i]] = names
	}
}

// writes reports whether the row is the agent's to write.
func (d *differ) writes(i int32) bool {
	return d.verdicts[i].ok() && (d.own[i] || !d.have.there[i])
}

// set is what makes a row that stays the wanted one, and the names of the fields that are
// the agent's afterwards.
func (d *differ) set(i int32) ([]Command, []string) {
	key, want, have := d.keys[i], d.want.fields[i], d.have.fields[i]
	if have.contains(want) && slices.Equal(d.names[i], want.Names()) {
		return nil, d.names[i]
	}
	var changed, stale Fields
	for _, field := range want {
		if v, ok := have.Get(field.Name); !ok || v != field.Value {
			changed = append(changed, field)
		}
	}
	for _, field := range d.ownFields(i) {
		if _, wanted := want.Get(field.Name); !wanted {
			stale = append(stale, field)
		}
	}
	var commands []Command
	if len(changed) > 0 {
		commands = append(commands, Command{Set, key, changed})
		if len(have) == 0 {
			stale = append(stale, Field{Name: null})
		}
	}
	if len(stale) > 0 {
		commands = append(commands, Command{Unset, key, stale})
	}
	kept := Fields(nil)
	for _, name := range d.names[i] {
		if _, wanted := want.Get(name); wanted {
			kept = append(kept, Field{Name: name})
		}
	}
	return commands, union(kept.Names(), changed.Names())
}

// disowned are the recorded rows that are not there when the plan is done, or
// that are left to others.
func (d *differ) disowned() []Key {
	var keys []Key
	for i, key := range d.keys {
		absent := !d.have.there[i] && (!d.want.there[i] || !d.verdicts[i].ok())
		if d.own[i] && (absent || d.gone[i] || d.stripped[i]) {
			keys = append(keys, key)
		}
	}
	return keys
}

func (d *differ) conflicts() []Conflict {
	conflicts := slices.Clone(d.inUse)
	for _, verdict := range d.verdicts {
		if !verdict.ok() {
			conflicts = append(conflicts, *verdict.conflict)
		}
	}
	slices.SortFunc(conflicts, func(a, b Conflict) int { return a.Key.Compare(b.Key) })
	return conflicts
}
