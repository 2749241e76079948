package sonic

import "strings"

// verdict says whether a wanted row can be had.
type verdict struct {
	conflict *Conflict // nil: it can
	// closed: the row must not even stay as it is.
	closed bool
	// left: somebody else's change is to stay, and so is what hangs on it.
	left   bool
	judged bool
}

func (v verdict) ok() bool { return v.conflict == nil }

// root is the row whose conflict this one comes from.
func (v verdict) root() Key {
	if v.conflict.Kind == Blocked {
		return v.conflict.Other
	}
	return v.conflict.Key
}

func (d *differ) judge(i int32) verdict {
	if v := d.verdicts[i]; v.judged {
		return v
	}
	d.verdicts[i] = verdict{judged: true} // cuts a cycle
	v := verdict{conflict: d.conflictOf(i)}
	if v.ok() {
		v = d.judgeNeeds(i)
	} else {
		v.left = v.conflict.Kind == Drifted
	}
	v.judged = true
	d.verdicts[i] = v
	return v
}

// conflictOf is what is in the way of the row itself.
func (d *differ) conflictOf(i int32) *Conflict {
	key, want, have, there := d.keys[i], d.want.fields[i], d.have.fields[i], d.have.there[i]
	if d.isStuck(i) {
		conflict := d.lingers(i, i)
		return &conflict
	}
	if there && !d.own[i] {
		if len(want) == 0 || shared(key) && have.contains(want) {
			return nil
		}
		return &Conflict{Kind: ForeignRow, Key: key, Other: key}
	}
	if there {
		for _, field := range d.foreignFields(i) {
			if v, ok := want.Get(field.Name); ok && v != field.Value {
				return &Conflict{Kind: ForeignField, Key: key, Other: key, Detail: field.Name}
			}
		}
		if d.mustBeAnew(i) {
			if b := d.blocker(i); b != nil && b.stuck {
				conflict := d.lingers(i, b.other)
				return &conflict
			} else if b != nil {
				return &Conflict{Kind: InUse, Key: key, Other: d.keys[b.other], Detail: b.fields}
			}
		}
		if !d.remade[i] {
			return nil
		}
	}
	return d.taken(i)
}

// taken is the conflict with a row that excludes a new one and will stay.
func (d *differ) taken(i int32) *Conflict {
	var mine, theirs [2]claim
	for _, claim := range appendClaims(mine[:0], d.keys[i], d.want.fields[i]) {
		for _, other := range d.claimants[claim.thing] {
			if other == i || !d.stays(other) {
				continue
			}
			for _, their := range appendClaims(theirs[:0], d.keys[other], d.have.fields[other]) {
				if claim.excludes(their) {
					return &Conflict{Kind: Taken, Key: d.keys[i], Other: d.keys[other], Detail: claim.thing.String()}
				}
			}
		}
	}
	if d.keys[i].Table == TableTunnel {
		return d.tunnelsTaken(i)
	}
	return nil
}

func (d *differ) tunnelsTaken(i int32) *Conflict {
	others := d.numbers(func(other int32) bool {
		return d.have.there[other] && d.keys[other].Table == TableTunnel && other != i && d.stays(other)
	})
	if len(others) < maxTunnels {
		return nil
	}
	return &Conflict{Kind: Taken, Key: d.keys[i], Other: d.keys[others[0]], Detail: "one of the two VXLAN_TUNNELs of a switch"}
}

// stays reports whether a row that excludes a wanted one will still be there
// when that is made.
func (d *differ) stays(i int32) bool {
	if !d.own[i] || d.isStuck(i) {
		return true
	}
	return !d.want.there[i] && d.blocker(i) != nil
}

func (d *differ) judgeNeeds(i int32) verdict {
	for n, need := range d.want.needs.of(i) {
		if need == nowhere {
			missing := d.want.graph.needs(d.keys[i])[n]
			return verdict{conflict: &Conflict{Kind: MissingRow, Key: d.keys[i], Other: missing}, closed: true}
		}
		if !d.want.there[need] {
			if !d.have.there[need] {
				return verdict{conflict: &Conflict{Kind: MissingRow, Key: d.keys[i], Other: d.keys[need]}, closed: true}
			}
			continue
		}
		if v := d.judge(need); !v.ok() {
			return verdict{conflict: &Conflict{Kind: Blocked, Key: d.keys[i], Other: v.root()}, left: v.left}
		}
	}
	for _, guard := range d.want.after.of(i)[len(d.want.needs.of(i)):] {
		if v := d.judge(guard); !v.ok() {
			return verdict{conflict: &Conflict{Kind: Blocked, Key: d.keys[i], Other: v.root()}, closed: !v.left, left: v.left}
		}
	}
	return verdict{}
}

// mustBeAnew reports whether a row that is there can become the wanted one only
// by being deleted and made again, because SONiC's daemons ignore or refuse the
// change of a field.
func (d *differ) mustBeAnew(i int32) bool {
	key, have, want := d.keys[i], d.have.fields[i], d.want.fields[i]
	for _, field := range want {
		if v, ok := have.Get(field.Name); ok && v != field.Value && !changeable(key, field.Name) {
			return true
		}
	}
	for _, name := range d.names[i] {
		_, wanted := want.Get(name)
		if _, there := have.Get(name); there && !wanted && !removable(key, name) {
			return true
		}
	}
	return false
}

// changeable reports whether SONiC's daemons take a new value of a field in
// place. A VRF's VNI they take by way of 0.
func changeable(key Key, field string) bool {
	switch key.Table {
	case TableVLAN:
		return field == "description"
	case TableVLANInterface:
		return field == fieldMACAddress || field == fieldSAG || field == fieldGratARP
	case TableVRF:
		return field == fieldVNI
	case TableSAG:
		return field == fieldGatewayMAC
	}
	return false
}

// removable reports whether it has an effect to remove a field. SONiC's daemons
// mostly ignore a field that is missing.
func removable(key Key, field string) bool {
	return key.Table == TableVLAN && field == "description"
}

// strippable reports whether a row still says something true when the agent's
// fields are removed from it. A VLAN's number is in its name too; an interface
// without its VRF would be in the default one.
func strippable(key Key) bool { return key.Table == TableVLAN || key.Table == TableSAG }

func join(names []string) string { return strings.Join(names, ", ") }
