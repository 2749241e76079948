package sonic

import (
	"maps"
	"slices"
)

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
	for _, key := range d.leaving() {
		fields := d.have[key]
		if v := fields.value(fieldVNI); key.Table == TableVRF && v != "" && v != "0" {
			stage = append(stage, Command{Set, key, Fields{{fieldVNI, "0"}}})
		}
		if key.Table == TableVLANInterface && fields.value(fieldSAG) == "true" {
			stage = append(stage, Command{Set, key, Fields{{fieldSAG, "false"}}})
		}
	}
	for _, key := range d.have.Keys() {
		if key.Table == TableVRF && d.rebinds(key) {
			stage = append(stage, Command{Set, key, Fields{{fieldVNI, "0"}}})
		}
	}
	slices.SortFunc(stage, func(a, b Command) int { return a.Key.Compare(b.Key) })
	return stage
}

// rebinds reports whether a VRF stays and changes from one VNI to another.
func (d *differ) rebinds(key Key) bool {
	want, wanted := d.want[key]
	if !wanted || !d.writes(key) || d.anew[key] || d.gone[key] {
		return false
	}
	from, to := d.have[key].value(fieldVNI), want.value(fieldVNI)
	return from != to && from != "" && from != "0"
}

// leaving are the rows that are deleted, in rising order.
func (d *differ) leaving() []Key {
	keys := slices.Concat(slices.Collect(maps.Keys(d.gone)), slices.Collect(maps.Keys(d.anew)))
	slices.SortFunc(keys, Key.Compare)
	return keys
}

func (d *differ) deletes() []Stage {
	keys := slices.Concat(d.leaving(), slices.Collect(maps.Keys(d.stripped)))
	slices.SortFunc(keys, Key.Compare)
	var stages []Stage
	for _, level := range slices.Backward(d.haveGraph.levels(keys, d.haveGraph.needs)) {
		stage := make(Stage, 0, len(level))
		for _, key := range level {
			if d.stripped[key] {
				stage = append(stage, Command{Unset, key, d.ownFields(key)})
			} else {
				stage = append(stage, Command{Op: Delete, Key: key})
			}
		}
		stages = append(stages, stage)
	}
	return stages
}

// ownFields are the agent's fields of a row that is there.
func (d *differ) ownFields(key Key) Fields {
	foreign := d.owned.foreignFields(key, d.have[key])
	return d.have[key].without(foreign.Names())
}

// sets are the stages that make rows and change fields. Fields that become the
// agent's are added to own.
func (d *differ) sets(own Ledger) []Stage {
	var keys []Key
	commands := map[Key]Stage{}
	for key := range d.want {
		if !d.writes(key) {
			continue
		}
		stage, names := d.set(key)
		if before, owned := d.owned[key]; !owned || !slices.Equal(before, names) {
			own[key] = names
		}
		if len(stage) > 0 {
			keys = append(keys, key)
			commands[key] = stage
		}
	}
	slices.SortFunc(keys, Key.Compare)
	var stages []Stage
	for _, level := range d.wantGraph.levels(keys, d.wantGraph.needsAndGuards) {
		stage := make(Stage, 0, len(level))
		for _, key := range level {
			stage = append(stage, commands[key]...)
		}
		stages = append(stages, stage)
	}
	return stages
}

// writes reports whether the row is the agent's to write.
func (d *differ) writes(key Key) bool {
	return d.verdicts[key].ok() && (d.owned.Has(key) || !d.haveGraph.has(key))
}

// set is what makes a row the wanted one, and the names of the fields that are
// the agent's afterwards.
func (d *differ) set(key Key) (Stage, []string) {
	want := d.want[key]
	have, there := d.have[key]
	if !there || d.anew[key] {
		return Stage{{Create, key, want}}, want.Names()
	}
	var changed, stale Fields
	for _, field := range want {
		if v, ok := have.Get(field.Name); !ok || v != field.Value {
			changed = append(changed, field)
		}
	}
	for _, field := range d.ownFields(key) {
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
	for _, name := range d.owned[key] {
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
	for key := range d.owned {
		_, there := d.have[key]
		_, wanted := d.want[key]
		absent := !there && !(wanted && d.verdicts[key].ok())
		if absent || d.gone[key] || d.stripped[key] {
			keys = append(keys, key)
		}
	}
	slices.SortFunc(keys, Key.Compare)
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
