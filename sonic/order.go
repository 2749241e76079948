package sonic

import "slices"

// plan puts what was chosen into order: bindings off, deletes with those first
// that need others, creates with those first that others need.
func (d *differ) plan() Plan {
	p := Plan{Own: Ledger{}}
	if off := d.unbind(); len(off) > 0 {
		p.Stages = append(p.Stages, off)
	}
	p.Stages = append(p.Stages, d.deletes()...)
	p.Stages = append(p.Stages, d.sets(p.Own)...)
	p.Disown = d.disowned()
	p.Conflicts = d.conflicts()
	return p
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
				stage = append(stage, Command{Set, key, Fields{{fieldVNI, "0"}}})
			}
		case TableVLANInterface:
			if leaves && fields.value(fieldSAG) == "true" {
				stage = append(stage, Command{Set, key, Fields{{fieldSAG, "false"}}})
			}
		}
	}
	return stage
}

// rebinds reports whether a VRF stays and changes from one VNI to another.
func (d *differ) rebinds(i int32) bool {
	return d.want.there[i] && d.writes(i) && d.have.fields[i].value(fieldVNI) != d.want.fields[i].value(fieldVNI)
}

func (d *differ) deletes() []Stage {
	rows := d.numbers(func(i int32) bool { return d.gone[i] || d.anew[i] || d.stripped[i] })
	var stages []Stage
	for _, level := range slices.Backward(d.have.levels(rows, d.have.needs.of)) {
		stage := make(Stage, 0, len(level))
		for _, i := range level {
			if d.stripped[i] {
				stage = append(stage, Command{Unset, d.keys[i], d.ownFields(i)})
			} else {
				stage = append(stage, Command{Op: Delete, Key: d.keys[i]})
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

// sets are the stages that make rows and change fields. Fields that become the
// agent's are added to own.
func (d *differ) sets(own Ledger) []Stage {
	var rows []int32
	commands := make([]Stage, len(d.keys))
	for n := range d.keys {
		i := int32(n)
		if !d.want.there[i] || !d.writes(i) {
			continue
		}
		stage, names := d.set(i)
		if !d.own[i] || !slices.Equal(d.names[i], names) {
			own[d.keys[i]] = names
		}
		if len(stage) > 0 {
			rows = append(rows, i)
			commands[i] = stage
		}
	}
	var stages []Stage
	for _, level := range d.want.levels(rows, d.needsAndGuards) {
		stage := make(Stage, 0, len(level))
		for _, i := range level {
			stage = append(stage, commands[i]...)
		}
		stages = append(stages, stage)
	}
	return stages
}

// needsAndGuards are the wanted rows that must be in force before the row is
// made.
func (d *differ) needsAndGuards(i int32) []int32 {
	needs := d.want.needs.of(i)
	guards := d.want.graph.guards(d.keys[i])
	if len(guards) == 0 {
		return needs
	}
	all := slices.Clone(needs)
	for _, guard := range guards {
		all = append(all, d.ids[guard])
	}
	return all
}

// writes reports whether the row is the agent's to write.
func (d *differ) writes(i int32) bool {
	return d.verdicts[i].ok() && (d.own[i] || !d.have.there[i])
}

// set is what makes a row the wanted one, and the names of the fields that are
// the agent's afterwards.
func (d *differ) set(i int32) (Stage, []string) {
	key, want, have := d.keys[i], d.want.fields[i], d.have.fields[i]
	if !d.have.there[i] || d.anew[i] {
		return Stage{{Create, key, want}}, want.Names()
	}
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
	var stage Stage
	if len(changed) > 0 {
		stage = append(stage, Command{Set, key, changed})
		if len(have) == 0 {
			stale = append(stale, Field{Name: null})
		}
	}
	if len(stale) > 0 {
		stage = append(stage, Command{Unset, key, stale})
	}
	kept := Fields(nil)
	for _, name := range d.names[i] {
		if _, wanted := want.Get(name); wanted {
			kept = append(kept, Field{Name: name})
		}
	}
	return stage, union(kept.Names(), changed.Names())
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
